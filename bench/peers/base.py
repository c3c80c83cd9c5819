"""What all peers have in common."""
import os
import shutil

ROOT_USER = os.geteuid() == 0


class Peer:
    name = ""
    programs = ()  # what must be on the PATH
    settings = ""  # how it is tuned, for who reads the figures

    def missing(self):
        """What it lacks on this machine, or ""."""
        lacking = [name for name in self.programs if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
        return ", ".join(lacking)

    def start(self, site):
        """Starts its processes and gives them; those in front come last."""
        raise NotImplementedError
