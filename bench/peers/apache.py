"""Apache with mod_wsgi in daemon mode, which its documentation advises.

A thread of Apache waits with each request that a daemon process has. Where a child has none left, it closes kept connections to be rid of them, and a child
that is spare is ended with those it has: for the client both are failures. So each of two children has a thread for every connection of the load, and
neither comes or goes.
"""
import os
import shutil

from harness.site import PYTHON, spawn
from peers.base import Peer

MODULES = "/usr/lib/apache2/modules"
CONNECTIONS = 64  # of the load in the cases that have it; ThreadLimit, left alone, allows no more
CONF = """
ServerRoot {dir}
ServerName localhost
PidFile {dir}/apache.pid
DefaultRuntimeDir {dir}
Listen 127.0.0.1:{port}
{user}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule wsgi_module {modules}/mod_wsgi.so
ErrorLog {dir}/apache-error.log
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" combined
CustomLog {dir}/apache-access.log combined
StartServers 2
ServerLimit 2
ThreadsPerChild {connections}
MinSpareThreads {connections}
MaxRequestWorkers {all_threads}
MaxSpareThreads {all_threads}
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 75
WSGISocketPrefix {dir}/wsgi
WSGIDaemonProcess app processes={workers} threads={threads} python-path={chdir}
WSGIProcessGroup app
WSGIApplicationGroup %{{GLOBAL}}
WSGIScriptAlias / {dir}/app.wsgi
<Directory {dir}>
    Require all granted
</Directory>
"""


class ApacheModWsgi(Peer):
    name = "apache + mod_wsgi"
    programs = ("apache2",)
    settings = ("event MPM, two children with a thread for every connection, daemon mode with as many processes as the others have workers and 4 threads each, "
                "the main interpreter, access log to a file")

    def missing(self):
        return super().missing() or ("" if os.path.exists(f"{MODULES}/mod_wsgi.so") else "mod_wsgi")

    def start(self, site):
        module, _, name = site.app.partition(":")
        folder = shutil.copytree(site.chdir, site.dir / "app")  # its user may not read a home
        (site.dir / "app.wsgi").write_text(f"import os\nos.chdir({str(folder)!r})\nfrom {module} import {name} as application\n")
        conf = site.dir / "apache.conf"
        user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
        conf.write_text(CONF.format(dir=site.dir, port=site.port, user=user, modules=MODULES, connections=CONNECTIONS, all_threads=2 * CONNECTIONS,
                                    workers=site.workers, threads=site.threads or 4, chdir=folder))
        assert PYTHON == "/usr/bin/python3", "mod_wsgi of Debian has Debian's Python"
        return [spawn(site, "apache", ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", conf])]
