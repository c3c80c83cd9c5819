"""Imports the application as a worker would, serves nothing: what `quintet check` runs.

    PYTHON .../quintet/check_app.py APP

in the project's directory. Exit 0, or 3 with the reason on standard error. What the application prints goes there, too.
"""

import os
import sys

PACKAGE_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BOOT_FAILED = 3

sys.path[0] = PACKAGE_ROOT

from quintet import application, boot_error  # noqa: E402


def main():
    name = sys.argv[1]
    os.dup2(2, 1)
    sys.path.remove(PACKAGE_ROOT)
    sys.path.append(PACKAGE_ROOT)
    sys.path.insert(0, os.getcwd())
    sys.argv = ["quintet"]
    try:
        application.load(name)
        application.import_urls()
    except BaseException as error:
        sys.stderr.write(boot_error.describe(error).rstrip("\n") + "\n")
        sys.stderr.flush()
        # Not sys.exit: threads that the application has started must not keep the check alive.
        os._exit(BOOT_FAILED)
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
