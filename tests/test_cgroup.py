#!/usr/bin/env python3
"""test_cgroup.py - a whole archive, over TLS, in a cgroup that allows what
`firn memory` says, its sockets, and 1 MiB for page tables and the like.

    PYTHONPATH=build/moto/python tests/test_cgroup.py [FIRN]

The kernel counts; no OOM event may be among what it counted. With a limit a
page below what firn needs, it refuses to begin and names both numbers. Where
no memory controller is to be had, that is said, and it is no failure.
"""
import json
import os
import sys
import tempfile

from rig import Firn, Model, ROOT, Score, certificate

SPARE_BYTES = 1 << 20
DAY = "2026-10-05"
V1, V2 = "/sys/fs/cgroup/memory", "/sys/fs/cgroup"
FILES = {1: ("memory.limit_in_bytes", "memory.max_usage_in_bytes",
             "memory.oom_control", "memory.failcnt"),
         2: ("memory.max", "memory.peak", "memory.events", None)}


class Cgroup:
    """A group of its own; version 0: none can be made, `why` says why."""

    def __init__(self, limit_bytes):
        self.version, self.why = 0, "no memory controller"
        self.path = "/firn-test-%d" % os.getpid()
        for version, mount in ((2, V2), (1, V1)):
            if os.path.exists(os.path.join(mount, FILES[version][0])) or \
                    self.delegated(version, mount):
                try:
                    os.mkdir(mount + self.path)
                    self.root = mount + self.path
                    self.write(FILES[version][0], limit_bytes)
                    self.version = version
                    return
                except OSError as e:
                    self.why = str(e)
                    self.close()

    def delegated(self, version, mount):
        try:
            with open(mount + "/cgroup.subtree_control") as f:
                return version == 2 and "memory" in f.read().split()
        except OSError:
            return False

    def write(self, name, value):
        with open(os.path.join(self.root, name), "w") as f:
            f.write(str(value))

    def read(self, name):
        try:
            with open(os.path.join(self.root, name)) as f:
                return f.read()
        except (OSError, TypeError):
            return ""

    def enter(self):
        self.write("cgroup.procs", os.getpid())

    def peak(self):
        return int(self.read(FILES[self.version][1]) or 0)  # 0: older than 5.19

    def kills(self):
        return sum(int(line.split()[1]) for line in self.read(
            FILES[self.version][2]).splitlines()
            if line.split()[0] in ("oom", "oom_kill", "under_oom"))

    def close(self):
        if os.path.isdir(getattr(self, "root", "")):
            os.rmdir(self.root)


def reserved(program):
    """The total and the sockets of `firn memory`, bytes."""
    table = {}
    for line in Firn(program, "").run(
            "memory", "--output", "json").out.splitlines():
        row = json.loads(line)
        table[row["region"]] = row["bytes"]
    return table["total"], table["sockets"]


def archive(program, limit_bytes, messages_bytes):
    """What came of it: (run, cgroup's version or why none, peak, kills)."""
    group = Cgroup(limit_bytes)
    if not group.version:
        return None, group.why, 0, 0
    try:
        with open(program, "rb") as f:  # its pages are to be counted here
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with tempfile.TemporaryDirectory() as where:
            tls = certificate(where)
            with Model("--group", "/g:web:%d:%s" % (messages_bytes, DAY),
                       "--discard-bodies", tls=tls) as model:
                firn = Firn(program, model.url)
                firn.before = group.enter
                done = firn.archive("/g", "s3://test-bucket/a.gz", "--day",
                                    DAY, "--ca-bundle", tls[0])
        return done, group.version, group.peak(), group.kills()
    finally:
        group.close()


def main(program):
    score = Score()
    total, sockets = reserved(program)
    limit = total + sockets + SPARE_BYTES
    done, version, peak, kills = archive(program, limit, 200000000)
    if done is None:
        print("skipped cgroup: %s" % version)
        return 0
    score.equal("archived within the limit", (
        done.code, done.err[-300:] if done.code else ""), (0, ""))
    score.equal("no OOM event", kills, 0)
    score.check("the peak is below the limit", peak <= limit, (peak, limit))
    print("cgroup v%d, %s: limit %d, peak %d" % (
        version, os.path.relpath(program, ROOT), limit, peak))
    less = (total + sockets) // 4096 * 4096 - 4096
    done, version, peak, kills = archive(program, less, 1000)
    score.check("a page less is refused with both numbers", done.code == 78
                and str(total + sockets) in done.err and
                str(less) in done.err, done)
    score.equal("no OOM event when refused", kills, 0)
    return score.close()


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(
        sys.argv[1] if len(sys.argv) > 1 else os.path.join(
            ROOT, "build/firn"))))
