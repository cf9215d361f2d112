#!/usr/bin/env python3
"""test_export.py - archive --via export and merge --delete-source, end to end.

    tests/test_export.py FIRN

By moto, which is not ours: an archive by way of its export tasks, read by zcat
and Python. By the model, which is as strict as AWS: the same of a day of
generated events, the slot taken and the policy missing, killed and run again;
what is deleted and what is not. Rows 23, 24, 47 and 98 of the failures.
"""
import json
import os
import signal
import subprocess
import sys
import time

from rig import (DAY_MS, REGION, Firn, Model, Score, client, read_all,
                 receipt_key, start_moto, text, unpack)

BUCKET = "test-bucket"
DAY = "2026-10-05"
DAY_FROM = 1791158400000
ACCOUNT = "123456789012"  # moto's
LEASE_S = 21  # after which it has run out
PROBE = "aws-logs-write-test"

score = Score()


class Bench:
    def __init__(self, firn, keys=None):
        self.firn = firn
        self.logs, self.s3 = (client(s, firn.url, *([keys] if keys else []))
                              for s in ("logs", "s3"))

    def allow(self):
        """What firn policy --bucket prints, into the bucket."""
        done = self.firn.run("policy", "--bucket", json.dumps({
            "region": REGION, "groups": [{"name": "/g", "via": "export"}],
            "to": "s3://%s/{group}/{date}.{ext}" % BUCKET,
            "bucket_owner": ACCOUNT}), "--give-up", "5")
        score.check("a policy is printed", done.code == 0,
                    done.err[-300:])
        self.s3.put_bucket_policy(Bucket=BUCKET, Policy=done.out.decode())

    def put(self, key, data):
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=data)

    def get(self, key):
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def keys(self, prefix=""):
        listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [o["Key"] for o in listed.get("Contents", [])]

    def archive(self, group, key, day, *words):
        return self.firn.archive(group, "s3://%s/%s" % (BUCKET, key), "--day",
                                 day, "--format", "text", "--via", "export",
                                 *words)

    def merge(self, prefix, key, *words):
        return self.firn.run(
            "merge", "s3://%s/%s" % (BUCKET, prefix), "--to", "s3://%s/%s" % (
                BUCKET, key), "--output", "json", "--give-up", "5", *words)

    def exported(self, name, folder, key, want):
        """The object has the lines, in whatever order; nothing else is left."""
        got = unpack(self.get(key), "gzip")
        score.equal(name + ": lines", sorted(got.splitlines()),
                    sorted(want.splitlines()))
        receipt = json.loads(self.get(receipt_key(key)))
        score.equal(name + ": receipt",
                    (receipt["source"]["via"], receipt["state"],
                     receipt["events"]),
                    ("export", "provisional", want.count(b"\n")))
        score.equal(name + ": no more", self.keys(folder),
                    sorted([key, receipt_key(key)]))


# --- by moto ------------------------------------------------------------------

def by_moto(program):
    url, keys, _ = start_moto()
    bench = Bench(Firn(program, url, keys), keys)
    bench.s3.create_bucket(Bucket=BUCKET)
    bench.logs.create_log_group(logGroupName="/g")
    start = (int(time.time() * 1000) // DAY_MS - 2) * DAY_MS
    day = time.strftime("%Y-%m-%d", time.gmtime(start // 1000))
    for stream in ("a", "b"):
        bench.logs.create_log_stream(logGroupName="/g", logStreamName=stream)
        bench.logs.put_log_events(
            logGroupName="/g", logStreamName=stream, logEvents=[
                {"timestamp": start + i * DAY_MS // 300,
                 "message": "%s %d" % (stream, i)} for i in range(-9, 320)])
    done = bench.archive("/g", "m/day.log.gz", day)
    score.check("moto, no policy: 78, and how", done.code == 78 and
                "firn policy" in done.err, (done.code, done.err[-300:]))
    bench.allow()
    done = bench.archive("/g", "m/day.log.gz", day)
    score.check("moto: exit 0", done.code == 0, (done.code, done.err[-300:]))
    if done.code == 0:
        bench.exported("moto", "m/", "m/day.log.gz", text(read_all(
            bench.logs, "/g", start, start + DAY_MS)))
    done = bench.archive("/g", "m/day.log.gz", day)
    score.check("moto: again", done.code == 0 and b'"skipped"' in done.out,
                (done.code, done.err[-300:]))


# --- by the model -------------------------------------------------------------

def slot(bench, model, want):
    """Row 23: a task that failed; the slot is another's, and is waited for.
    Row 24: the files of an older task beside it are no part of it."""
    model.control("set?export-fails=1000")
    done = bench.archive("/g", "x/day.log.gz", DAY)
    score.check("row 23: FAILED is 69", done.code == 69 and
                "FAILED" in done.err, (done.code, done.err[-300:]))
    score.equal("row 23: nothing stored", bench.keys("x/"), [])
    model.control("set?export-fails=0")
    bench.logs.create_export_task(
        logGroupName="/g", fromTime=DAY_FROM, to=DAY_FROM + DAY_MS,
        destination=BUCKET, destinationPrefix="theirs", taskName="theirs")
    begun = time.monotonic()
    done = bench.archive("/g", "x/day.log.gz", DAY)
    score.check("row 23: waited", done.code == 0 and
                time.monotonic() - begun > 2, (done.code, done.err[-300:]))
    bench.exported("row 24", "x/", "x/day.log.gz", want)
    theirs = bench.keys("theirs/")
    score.check("row 24: theirs stay", len(theirs) > 1, theirs)
    bench.logs.create_export_task(
        logGroupName="/g", fromTime=DAY_FROM, to=DAY_FROM + DAY_MS,
        destination=BUCKET, destinationPrefix="theirs", taskName="theirs")
    done = bench.archive("/g", "y/day.log.gz", DAY, "--deadline", "1")
    score.check("row 23: the deadline is 75", done.code == 75,
                (done.code, done.err[-300:]))
    done = bench.archive("/g", "y/day.log.gz", DAY)
    score.check("row 23: then not", done.code == 0, (done.code, done.err))
    bench.exported("row 23", "y/", "y/day.log.gz", want)


def killed(bench, model, want):
    """By SIGKILL and SIGTERM, while the task is under way: one task."""
    for sign in (signal.SIGKILL, signal.SIGTERM):
        name, key = sign.name, "k/%d/day.log.gz" % sign
        before = created(model)
        with subprocess.Popen(
                [bench.firn.program, "archive", "--group", "/g", "--to",
                 "s3://%s/%s" % (BUCKET, key), "--day", DAY, "--via",
                 "export", "--format", "text"], env=bench.firn.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL) as child:
            for _ in range(100):
                if created(model) > before:
                    break
                time.sleep(0.05)
            time.sleep(0.2)
            os.kill(child.pid, sign)
            code = child.wait()
        score.equal(name + ": exit", code, 75 if sign == signal.SIGTERM
                    else -signal.SIGKILL)
        if sign == signal.SIGKILL:
            time.sleep(LEASE_S)
        done = bench.archive("/g", key, DAY)
        score.check(name + ": ended", done.code == 0,
                    (done.code, done.err[-300:]))
        bench.exported(name, "k/%d/" % sign, key, want)
        score.equal(name + ": one task", created(model) - before, 1)


def created(model):
    counts = json.loads(model.get("stats"))["operations"]
    return counts.get("CreateExportTask", {}).get("requests", 0)


def deletes(bench, model):
    """Rows 47 and 98."""
    lines = [b"2026-10-05T0%d:00:00.000Z line\n" % i for i in range(4)]

    def fill(prefix):
        for i, line in enumerate(lines):
            bench.put("%s%06d" % (prefix, i), line)
        bench.put(prefix + PROBE, b"Permission Check Successful")
        time.sleep(1.2)  # or an object is as young as the list

    fill("d/")
    done = bench.merge("d/", "joined/d.log", "--delete-source")
    score.check("deleted", done.code == 0 and b"4 objects" in done.out,
                (done.code, done.out, done.err[-300:]))
    score.equal("row 47: the probe stays", bench.keys("d/"), ["d/" + PROBE])
    score.equal("what was merged", bench.get("joined/d.log"), b"".join(lines))
    done = bench.merge("d/", "joined/d.log", "--delete-source")
    score.check("again", done.code == 0 and b"skipped" in done.out,
                (done.code, done.out, done.err[-300:]))
    fill("e/")
    done = bench.merge("e/", "joined/d.log", "--delete-source")
    score.check("from elsewhere: 78", done.code == 78,
                (done.code, done.err[-300:]))
    # A bit turns on the way, and a store without checksums does not see it.
    model.control("set?check-sums=0&return-sums=0")
    model.control("fault", b"PutObject if=joined/e.log flip=40")
    for name in "damaged", "and still so":
        done = bench.merge("e/", "joined/e.log", "--delete-source")
        score.check("row 98: %s is 65" % name, done.code == 65,
                    (done.code, done.err[-300:]))
        score.equal("row 98: all there", len(bench.keys("e/")), 5)
    model.control("clear-faults")
    model.control("set?check-sums=1&return-sums=1")
    done = bench.merge("e/", "joined/e.log", "--delete-source", "--if-exists",
                       "replace")
    score.check("row 98: merged again", done.code == 0,
                (done.code, done.err[-300:]))
    score.equal("row 98: deleted", bench.keys("e/"), ["e/" + PROBE])


def by_model(program):
    with Model("--group", "/g:web:300000:%s" % DAY) as model:
        model.control("set?export-time=2000&export-file=20000&"
                      "export-disorder=1")
        bench = Bench(Firn(program, model.url))
        want = text(read_all(bench.logs, "/g", DAY_FROM, DAY_FROM + DAY_MS))
        bench.allow()
        slot(bench, model, want)
        deletes(bench, model)
        killed(bench, model, want)


def main(program):
    by_moto(program)
    by_model(program)
    return score.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
