#!/usr/bin/env python3
"""test_torture.py - a run that is killed, or in which one thing fails.

    tests/test_torture.py FIRN WHAT...

FIRN is made for it (`make torture`): small parts, a short lease, short time
limits and a heap that can be told to fail, so that a run of eight parts and
more takes some 20 ms. WHAT:

    kill      kill -9 at each system call on a socket
    calls     each system call fails once
    requests  each request fails once, in each of the ways in FAULTS
    pool      each allocation fails once, over TLS
    race      two runs, started together, 50 times

A run in which something failed ends with the right object or with one of the
exit codes, never by a signal of its own. Plain runs after it, until one ends
with 0, leave what an undisturbed run leaves: the same object byte for byte,
the same receipt, no open upload and, once its lease is dead, no checkpoint.
Each loop ends where a run has nothing more to fail; then it has seen all. Of
kill, calls and pool only one place in a few is taken; TORTURE=1 in the
environment takes each, TORTURE=N one in N.
"""
import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from rig import Firn, Model, Score, certificate, client, receipt_key

DAY = "2026-10-05"
BUCKET = "test-bucket"
BYTES = 1000000        # noise: ten parts
CODES = (0, 64, 65, 69, 75, 77, 78)
WORKERS = 4            # a run after a kill waits for the lease
AGAIN = 10             # runs after it, at most
STALE_S = 1            # between looks at a lease that nobody renews
KILL, CALLS, POOL = 2, 3, 97  # of so many places one is taken

# What requests may meet, see aws/fault.h: whose, and what. What only a server
# that lies would do is not there: a condition that failed where none was set,
# say, or a HEAD that keeps the ETag to itself.
WRITES = "CompleteMultipartUpload", "PutObject"
FAULTS = [("*", fault) for fault in (
    "reset", "lost", "hang", "cut=20", "stall=0", "break=10", "flip=10",
    "error=InternalError status=500",
    "after error=InternalError status=500",
    "error=SlowDown status=503", "error=x status=502 html",
    "error=x status=503 nobody", "error=AccessDenied status=403",
    "error=ExpiredToken status=400", "drop=Date")] + [
    (who, fault) for who in WRITES for fault in (
        "in200 error=InternalError", "dup",
        "if=upload error=PreconditionFailed status=412",
        "if=checkpoint error=PreconditionFailed status=412",
        "error=ConditionalRequestConflict status=409")] + [
    (who, "in200 error=InternalError")
    for who in ("FilterLogEvents", "CreateMultipartUpload", "ListParts",
                "GetObject", "DescribeLogGroups")] + [
    (who, "error=NoSuchUpload status=404")
    for who in ("UploadPart", "ListParts", "CompleteMultipartUpload")] + [
    ("UploadPart", "drop=ETag"), ("UploadPart", "dup")]

# What a system call may answer; for others EIO.
ERRORS = {
    "brk": "ENOMEM", "mmap": "ENOMEM", "socket": "EMFILE ENOBUFS",
    "open": "EMFILE EACCES", "connect": "ECONNREFUSED ENETUNREACH",
    "recvfrom": "ECONNRESET EINTR EAGAIN", "sendto": "EPIPE EINTR EAGAIN",
    "poll": "EINTR ENOMEM", "setsockopt": "ENOBUFS",
    "getsockopt": "ENOBUFS", "write": "EPIPE EIO", "pipe2": "EMFILE",
    "prctl": "EINVAL EPERM", "getrandom": "ENOSYS",
}
# What is no firn, or no more; what musl needs before main(); what cannot fail
# and is CHECKed.
NOT_FAILED = {"execve", "exit_group", "arch_prctl", "set_tid_address",
              "getrandom", "rt_sigaction"}

score = Score()
lock = threading.Lock()


class Bench:
    """A server with one day, and what an undisturbed run makes of it."""

    def __init__(self, program, tls=()):
        self.model = Model("--set", "part-bytes-min=60000", tls=tls)
        self.model.control("fill?" + urllib.parse.urlencode({
            "group": "/g", "from": DAY, "profile": "noise", "bytes": BYTES}))
        self.firn = Firn(program, self.model.url)
        self.tls, self.serial = tls, 0
        self.s3 = client("s3", self.model.url,
                         **({"verify": tls[0]} if tls else {}))
        self.next()
        done = self.run()
        self.want = self.stored()
        self.parts = int(done.err.split('"parts":')[-1].split(",")[0])
        if done.code or self.parts < 8 or self.what_is_left():
            raise RuntimeError("an undisturbed run: %r" % (done,))

    def next(self):
        """The next run makes another object."""
        self.clear()
        self.serial += 1
        self.key = "%d/x.ndjson.gz" % self.serial

    def words(self):
        return ["archive", "--group", "/g", "--to",
                "s3://%s/%s" % (BUCKET, self.key), "--day", DAY, "--rate",
                "1000", "--give-up", "5",
                *(("--ca-bundle", self.tls[0]) if self.tls else ())]

    def run(self, **environment):
        return self.firn.run(*self.words(), **environment)

    def strace(self, how, trace):
        """A run, watched; its exit code is strace's too."""
        done = subprocess.run(
            ["strace", "-f", "-qq", "-yy", "-o", trace, *how,
             self.firn.program, *self.words()], cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=self.firn.environment, check=False)
        return done.returncode, done.stderr.decode("utf-8", "replace")

    def requests(self, who):
        stats = json.loads(self.model.get("stats"))["operations"]
        return sum(o["requests"] for name, o in stats.items()
                   if name == who or (who == "*" and name != "Control"))

    def keys(self):
        listed = self.s3.list_objects_v2(Bucket=BUCKET)
        return [o["Key"] for o in listed.get("Contents", [])]

    def uploads(self):
        listed = self.s3.list_multipart_uploads(Bucket=BUCKET)
        return listed.get("Uploads", [])

    def clear(self):
        for key in self.keys():
            self.s3.delete_object(Bucket=BUCKET, Key=key)
        for upload in self.uploads():
            self.s3.abort_multipart_upload(
                Bucket=BUCKET, Key=upload["Key"],
                UploadId=upload["UploadId"])

    def read(self, key):
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def stored(self):
        """The object, and of the receipt what every run says alike."""
        receipt = json.loads(self.read(receipt_key(self.key)))
        for name in ("key", "archived_at", "settled"):
            del receipt[name]
        return self.read(self.key), receipt

    def noted(self):
        """How far a dead run's checkpoint has come: parts, or None."""
        key = receipt_key(self.key).replace("receipt", "checkpoint")
        if key not in self.keys():
            return None
        found = json.loads(self.read(key))
        return "all" if found["state"] == "committing" else \
            found["stored"]["parts"]

    def what_is_left(self):
        """Besides an object and its receipt: nothing."""
        return [k for k in self.keys()
                if k not in (self.key, receipt_key(self.key))] + [
                    u["Key"] for u in self.uploads()]

    def settle(self, name):
        """Plain runs until one ends with 0; then all must be there."""
        for _ in range(AGAIN):
            done = self.run()
            if done.code == 0 and self.what_is_left():
                time.sleep(STALE_S)  # a lease that may yet be alive
            elif done.code != 75:
                break
        why = "" if done.code == 0 else "exit %d: %s" % (done.code,
                                                         done.err[-300:])
        try:
            if not why and self.stored() != self.want:
                why = "another object"
            left = self.what_is_left()
            if not why and left:
                why = "left: %r" % left
        except Exception as e:  # pylint: disable=broad-except
            why = why or repr(e)
        with lock:
            score.check(name + ", then a plain run", not why, why)

    def judge(self, name, code, err):
        """A run in which something failed: its code, its one sentence."""
        said = [line for line in err.splitlines() if line[:1] != "{"]
        good = code in CODES and (code == 0 or (said and said[0].startswith(
            "%d " % code)))
        with lock:
            score.check(name, good, "exit %d, said %r" % (code, said))
        if code == 0:
            try:
                right = self.stored() == self.want
            except Exception:  # pylint: disable=broad-except
                right = False
            with lock:
                score.check(name + ": exit 0 and the object", right)

    def stop(self):
        self.model.__exit__()


def share(work, benches, stride=1):
    """work(bench, first, step) on each bench, at once: of the places 1, 2,
    ... each takes every so-manieth. What they give is added up."""
    given = []
    stride = int(os.environ.get("TORTURE") or stride)

    def one(i):
        given.append(work(benches[i], 1 + i * stride,
                          len(benches) * stride))
    threads = [threading.Thread(target=one, args=(i,))
               for i in range(len(benches))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    score.check("all shares were worked", len(given) == len(benches))
    return sum(given)


def system_calls(bench):
    """The names of the system calls of a run, and those on sockets."""
    all_calls, on_sockets = collections.Counter(), set()
    with tempfile.NamedTemporaryFile("r") as trace:
        bench.next()
        bench.strace((), trace.name)
        for line in trace:
            m = re.match(r"\d+ +(\w+)\(", line)
            if m and m[1] not in NOT_FAILED:
                all_calls[m[1]] += 1
                if "<TCP" in line:
                    on_sockets.add(m[1])
    return sorted(all_calls), sorted(on_sockets)


def injected(bench, call, how, nth):
    """A run with something done to the nth call of a kind. None: there was
    none."""
    with tempfile.NamedTemporaryFile("r") as trace:
        bench.next()
        code, err = bench.strace(
            ("-e", "trace=" + call, "-e", "inject=%s:%s:when=%d" % (
                call, how, nth)), trace.name)
        text = trace.read()
    reached = "(INJECTED)" in text or "killed by SIGKILL" in text
    return (code, err) if reached else None


def kill(benches):
    """Replies are so slow that parts are noted on the way."""
    _, names = system_calls(benches[0])
    noted = collections.Counter()

    def work(bench, first, step):
        count = 0
        bench.model.control("set?latency=5")
        for call in names:
            nth = first
            while injected(bench, call, "signal=KILL", nth):
                count += 1
                with lock:
                    noted[str(bench.noted())] += 1
                bench.settle("killed at %s %d" % (call, nth))
                nth += step
        return count
    print("killed at %d system calls on sockets: %s; parts noted then: %s" % (
        share(work, benches, KILL), " ".join(names),
        sorted(noted.items())))
    score.check("some were to be resumed, some to be finished",
                noted["all"] and sum(noted[str(n)] for n in range(1, 9)),
                noted)


def calls(benches):
    names, _ = system_calls(benches[0])

    def work(bench, first, step):
        count = 0
        for call in names:
            for error in ERRORS.get(call, "EIO").split():
                nth = first
                while (got := injected(bench, call, "error=" + error, nth)):
                    count += 1
                    name = "%s at %s %d" % (error, call, nth)
                    bench.judge(name, *got)
                    bench.settle(name)
                    nth += step
        return count
    print("%d system calls failed: %s" % (
        share(work, benches, CALLS), " ".join(names)))


def requests(benches):
    def work(bench, first, step):
        count = 0
        for who, fault in FAULTS:
            nth = first
            while True:
                bench.next()
                before = bench.requests(who)
                rule = "%s #%d %s" % (who, nth, fault)
                bench.model.control("fault", rule.encode())
                got = bench.run()
                bench.model.control("clear-faults")
                if bench.requests(who) - before < nth:
                    break
                count += 1
                bench.judge(rule, got.code, got.err)
                bench.settle(rule)
                nth += step
        return count
    print("%d requests failed" % share(work, benches))


def pool(benches):
    def work(bench, first, step):
        count, nth = 0, first
        while True:
            bench.next()
            got = bench.run(TORTURE_POOL=str(nth))
            if "every allocation was given" in got.err:
                return count
            count += 1
            name = "allocation %d fails" % nth
            bench.judge(name, got.code, got.err)
            bench.settle(name)
            nth += step
    print("%d allocations failed" % share(work, benches, POOL))


def race(benches):
    """Both quick and, with slow replies, so long that the lease is renewed."""
    ends = collections.Counter()

    def work(bench, first, step):
        count = 0
        for turn in range(first, 51, step):
            bench.next()
            bench.model.control("set?latency=%d" % (turn % 5 * 20))
            two = [subprocess.Popen(
                [bench.firn.program, *bench.words(), "--output", "json"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, env=bench.firn.environment)
                for _ in range(2)]
            said = [p.communicate() for p in two]
            got = sorted([p.returncode for p in two])
            made = sum(b'"action":"archived"' in out for out, _ in said)
            with lock:
                ends["skipped" if got == [0, 0] else "75"] += 1
                score.check("race %d" % turn, made == 1 and got in (
                    [0, 0], [0, 75]), (got, said))
            bench.model.control("set?latency=0")
            bench.settle("race %d" % turn)
            count += 1
        return count
    print("%d races; the second %s" % (share(work, benches), dict(ends)))


def main():
    program, what = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as where:
        for name in what:
            tls = certificate(where) if name == "pool" else ()
            benches = [Bench(program, tls) for _ in range(WORKERS)]
            {"kill": kill, "calls": calls, "requests": requests,
             "pool": pool, "race": race}[name](benches)
            for bench in benches:
                bench.stop()
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
