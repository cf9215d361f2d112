#!/usr/bin/env python3
"""scenarios.py - what each kind of run took of what is reserved.

    tests/scenarios.py FIRN       a table, for docs/memory.md

Each is run once against the tests' AWS on the loopback, and its last line
tells how far it went: resident memory as the kernel counts it (VmHWM), the
pool behind the libraries' malloc, and the stack, which is painted before the
run begins. Some of the requests fail, so that what is only done then is done.
"""
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings

import rig
from runtime import Runtime

NOW = int(time.time() * 1000)
YESTERDAY = time.strftime("%Y-%m-%d", time.gmtime(NOW / 1000 - 86400))
BUCKET = "test-bucket"
SIZES = {"/small": 1000000, "/g": 30000000, "/large": 200000000}  # messages
FAULTS = """\
* %40 error=ServiceUnavailable status=503
* %20 reset
FilterLogEvents %30 error=ThrottlingException
GetObject %50 cut=?
"""


def url(key):
    return "s3://%s/%s" % (BUCKET, key)


class World:
    def __init__(self, program, model, where, tls):
        self.where = where
        self.firn = rig.Firn(program, model.url)
        if tls:
            self.firn.environment["AWS_CA_BUNDLE"] = tls[0]
        self.s3 = rig.client("s3", model.url, verify=False)
        for group, size in SIZES.items():
            model.control("group?group=%s&created=%d" % (
                group, NOW - 9 * rig.DAY_MS))
            model.control("fill?group=%s&from=%s&bytes=%d&profile=web"
                          "&streams=40" % (group, YESTERDAY, size))
        self.put("in", 12, 3000000)
        model.control("fault", FAULTS.encode())

    def run(self, *words, **environment):
        return self.firn.run(*words, "--rate", "1000", "--output", "json",
                             "--give-up", "30", **environment)

    def plain(self, *words):
        """The commands that do not read a log group."""
        return self.firn.run(*words, "--output", "json", "--give-up", "30")

    def archive(self, group, key, *words):
        return self.run("archive", "--group", group, "--day", YESTERDAY,
                        "--to", url(key), *words)

    def config(self, **more):
        path = os.path.join(self.where, "firn.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"region": rig.REGION, "to": url("all/"),
                       "groups": list(SIZES), "backfill_days": 2, **more}, f)
        return path

    def put(self, prefix, count, size):
        """Lines of a day in many objects, of which the times overlap."""
        lines = b"".join(b"%sT%02d:%02d:%02d.000Z %0100d\n" % (
            YESTERDAY.encode(), i // 3600 % 24, i // 60 % 60, i % 60, i)
            for i in range(0, size // 126))
        for n in range(count):
            self.s3.put_object(Bucket=BUCKET, Key="%s/%05d" % (prefix, n),
                               Body=lines)

    def merge(self, prefix, key, *words):
        return self.plain("merge", url(prefix) + "/", "--to", url(key),
                          *words)

    def daemon(self):
        """A run at once and another after two seconds, then told to end."""
        path = self.config(to=url("daemon/"), schedule="at(%s)" % (
            time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 2))))
        return self.run("daemon", path)

    def function(self):
        """An environment of Lambda's, and one invocation."""
        runtime = Runtime(60)
        config = json.dumps({"region": rig.REGION, "to": url("lambda/"),
                             "groups": ["/g"], "backfill_days": 2})
        with tempfile.TemporaryFile() as log:
            child = subprocess.Popen(
                [self.firn.program], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=dict(
                    self.firn.environment, FIRN_CONFIG=config,
                    AWS_LAMBDA_RUNTIME_API=runtime.api))
            runtime.invoke({"group": "/g", "day": YESTERDAY})
            child.send_signal(signal.SIGTERM)
            child.wait(timeout=20)
            log.seek(0)
            said = log.read().decode()
        runtime.close()
        return rig.Run(0, b"", said, 0)


SCENARIOS = [
    ("archive, 1 MB", lambda w: w.archive("/small", "a.ndjson.gz")),
    ("archive, 30 MB", lambda w: w.archive("/g", "b.ndjson.gz")),
    ("archive, 200 MB, in parts", lambda w: w.archive(
        "/large", "c.ndjson.gz")),
    ("archive, 30 MB, zstd", lambda w: w.archive(
        "/g", "d.ndjson.zst", "--compress", "zstd")),
    ("archive, 30 MB, uncompressed", lambda w: w.archive(
        "/g", "e.ndjson", "--compress", "none")),
    ("cat", lambda w: w.plain("cat", url("c.ndjson.gz"))),
    ("cat, zstd", lambda w: w.plain("cat", url("d.ndjson.zst"))),
    ("verify", lambda w: w.plain("verify", url("c.ndjson.gz"))),
    ("merge, put together", lambda w: w.merge("in", "f.log.gz")),
    ("merge, --recompress", lambda w: w.merge(
        "in", "g.log.gz", "--recompress")),
    ("merge, --order time", lambda w: w.merge(
        "in", "h.log.gz", "--order", "time")),
    ("run, three groups", lambda w: w.run("run", w.config())),
    ("plan", lambda w: w.plain("plan", w.config())),
    ("daemon, two runs", lambda w: w.daemon()),
    ("Lambda, one event", lambda w: w.function()),
]


def last_line(run):
    done = [line for line in run.err.splitlines()
            if line.startswith('{"phase":"done"')]
    if run.code not in (0, 75) or not done:
        raise RuntimeError("ended with %d: %s" % (run.code, run.err[-300:]))
    return json.loads(done[-1])


@contextlib.contextmanager
def world(program, secure):
    with tempfile.TemporaryDirectory() as where:
        tls = rig.certificate(where) if secure else ()
        with rig.Model("--seed", "1", tls=tls) as model:
            yield World(program, model, where, tls)


def row(name, secure, plain):
    both = (secure, plain)
    return "| %s | %s |" % (name, " | ".join(format(n, ",") for n in (
        max(d["rss_peak_bytes"] for d in both), secure["pool_peak_bytes"],
        plain["pool_peak_bytes"], max(d["stack_peak_bytes"] for d in both))))


def main():
    warnings.simplefilter("ignore")
    found = {}
    for secure in (True, False):
        with world(sys.argv[1], secure) as w:
            for name, work in SCENARIOS:
                found[name, secure] = last_line(work(w))
    print("| run | resident | pool, https | pool, http | stack |")
    print("|---|--:|--:|--:|--:|")
    for name, _ in SCENARIOS:
        print(row(name, found[name, True], found[name, False]))


if __name__ == "__main__":
    main()
