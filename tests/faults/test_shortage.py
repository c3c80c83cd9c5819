"""The disk is full, descriptors are few: whoever needs what is not there is told, everybody else is served."""
import os
import signal

import pytest

from kit import processes
from rig import crowd
from rig.ground import small_disk, turns

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a small file system needs root to be mounted")


def told(failure):
    """An upload that does not fit is refused; nothing else may be."""
    return failure.kind == "upload" and failure.what == "status" and failure.status in (500, 503, 507) and bool(failure.request_id)


@needs_root
def test_disk_full_for_the_spool(ground, seconds):
    with small_disk() as disk:
        site = ground(env={"TMPDIR": str(disk)})
        site.expected.append("disk|spool|space")
        (disk / "full").write_bytes(b"a" * (900 << 10))
        level = site.level()
        with site.load(told) as load:
            for _ in turns(seconds):
                load.more(3, kinds=load.kinds - {"upload"})
            assert load.failed, "an upload of 1.5 MB cannot have gone through a disk of 100 KB"
            (disk / "full").unlink()
        site.ask_level(level)


@needs_root
def test_disk_full_for_the_log(ground, seconds):
    with small_disk("256k") as disk:
        site = ground("--log", disk / "error.log", "--access-log", disk / "access.log")
        site.expected.append("log")
        level = site.level()
        with site.load() as load:
            for _ in turns(seconds):
                load.more(10)
            assert os.statvfs(disk).f_bavail == 0, "the disk was meant to be full"
            for name in ("error.log", "access.log"):  # what logrotate does
                (disk / name).rename(disk / (name + ".1"))
                (disk / (name + ".1")).unlink()
            site.signal(signal.SIGUSR1)
            load.more(10)
            assert (disk / "access.log").stat().st_size > 0, "it is written again"
        site.ask_level(level)
        site.finish()


def test_few_descriptors(ground, seconds):
    """256 for each process, and a thousand connections that do nothing."""
    site = ground(wrapper=["prlimit", "--nofile=256:256"])
    site.expected.append("descriptors|connections")
    with site.load() as load:
        with crowd.gathered(site.addresses["http"], 1000, 0) as look:
            for _ in turns(seconds):
                load.more(3)
            assert look()["closed"] > 500
        load.more(3)
    assert len(processes.descriptors(site.edge_pid)) < 256
