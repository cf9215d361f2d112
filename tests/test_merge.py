#!/usr/bin/env python3
"""test_merge.py - many objects become one, end to end.

    tests/test_merge.py FIRN [TORTURED]

By moto: what CreateExportTask leaves, merged and read by zcat and Python. By
the model, which is as strict as S3: large objects put together by
UploadPartCopy, ten thousand small ones, rows 41 to 48 of the failures, the
requests that --dry-run counts held against those that are made. TORTURED
(`make torture`, small parts) is killed at each request of a merge; the next
run ends with the same bytes.
"""
import gzip
import json
import random
import re
import subprocess
import sys
import time
import zlib

from rig import (DAY_MS, Firn, Model, Score, client, receipt_key, stamp,
                 start_moto, unpack)

BUCKET = "test-bucket"
DAY = "2026-10-05"
DAY_FROM = 1791158400000
MIB = 1 << 20
MANY = 10500

score = Score()


def lines(count, seed, long=60):
    """Text as an export has it, each line with its time."""
    chance = random.Random(seed)
    return b"".join(b"%s %s\n" % (
        stamp(DAY_FROM + chance.randrange(DAY_MS)).encode(),
        chance.randbytes(chance.randrange(long)).hex().encode())
        for _ in range(count))


class Bench:
    def __init__(self, firn, s3, model=None):
        self.firn, self.s3, self.model = firn, s3, model

    def put(self, key, data):
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=data)

    def read(self, key):
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def keys(self):
        pages = self.s3.get_paginator("list_objects_v2")
        return [o["Key"] for page in pages.paginate(Bucket=BUCKET)
                for o in page.get("Contents", [])]

    def clear(self, but):
        for key in self.keys():
            if not key.startswith(but):
                self.s3.delete_object(Bucket=BUCKET, Key=key)

    def uploads(self):
        listed = self.s3.list_multipart_uploads(Bucket=BUCKET)
        return [u["Key"] for u in listed.get("Uploads", [])]

    def merge(self, prefix, key, *words):
        return self.firn.run(
            "merge", "s3://%s/%s" % (BUCKET, prefix), "--to",
            "s3://%s/%s" % (BUCKET, key), "--output", "json",
            "--give-up", "5", *words)

    def merged(self, name, prefix, key, want, *words):
        """Merges, and holds the object against the lines."""
        done = self.merge(prefix, key, *words)
        score.check(name + ": exit 0", done.code == 0,
                    (done.code, done.err[-400:]))
        if done.code:
            return {}
        data = self.read(key)
        receipt = json.loads(self.read(receipt_key(key)))
        packed = receipt["compression"]
        score.equal(name + ": the lines", unpack(data, packed), want)
        if packed == "gzip":
            score.equal(name + ": by Python's gzip", gzip.decompress(data),
                        want)
        score.equal(name + ": no upload is left", self.uploads(), [])
        return receipt

    def refused(self, name, prefix, code, *said):
        """Merges nothing, and says why."""
        done = self.merge(prefix, "refused.gz")
        score.check(name, done.code == code and
                    all(s in done.err for s in said),
                    (done.code, done.err[-400:]))
        score.check(name + ": nothing is stored",
                    "refused.gz" not in self.keys() and not self.uploads())

    def counts(self):
        stats = json.loads(self.model.get("stats"))["operations"]
        return {name: o["requests"] for name, o in stats.items()}


# --- moto ---------------------------------------------------------------------

def exported(program):
    """The layout that people have: a folder of files a stream."""
    url, keys, _ = start_moto()
    logs, s3 = (client(s, url, keys) for s in ("logs", "s3"))
    bench = Bench(Firn(program, url, keys), s3)
    s3.create_bucket(Bucket=BUCKET)
    logs.create_log_group(logGroupName="/g")
    now = int(time.time() * 1000)
    for stream in ("a", "b"):
        logs.create_log_stream(logGroupName="/g", logStreamName=stream)
        logs.put_log_events(
            logGroupName="/g", logStreamName=stream, logEvents=[
                {"timestamp": now - 60000 + i, "message": "%s %d" % (
                    stream, i)} for i in range(300)])
    task = logs.create_export_task(
        logGroupName="/g", fromTime=now - 3600000, to=now + 3600000,
        destination=BUCKET, destinationPrefix="exports")["taskId"]
    for _ in range(100):
        status = logs.describe_export_tasks(
            taskId=task)["exportTasks"][0]["status"]["code"]
        if status == "COMPLETED":
            break
        time.sleep(0.1)
    sources = [k for k in bench.keys() if k.startswith("exports/") and
               not k.endswith("aws-logs-write-test")]
    score.check("moto exported", status == "COMPLETED" and sources,
                (status, bench.keys()))
    want = b""
    for key in sources:
        data = bench.read(key)
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        want += data if data[-1:] in (b"\n", b"") else data + b"\n"
    score.check("of all events", want.count(b"\n") == 600, want[:200])
    bench.merged("an export", "exports/", "joined/day.log.gz", want)
    bench.merged("an export, anew", "exports/", "joined/anew.log.gz", want,
                 "--recompress")


# --- the model ----------------------------------------------------------------

def composed(bench):
    """Small and large, copied and streamed; --dry-run tells before."""
    want = b""
    for i, size in enumerate((3000, 0, 190000, 125000, 10, 140000, 500)):
        raw = lines(size, i, 100)
        want += raw
        bench.put("large/%03d.gz" % i, gzip.compress(raw, 1))
    bench.put("large/aws-logs-write-test", b"Permission Check Successful")
    told = bench.merge("large/", "large.log.gz", "--dry-run")
    score.check("--dry-run", told.code == 0 and
                "large.log.gz" not in bench.keys(), told)
    told = {name: int(n) for n, name in re.findall(
        r"(\d+) (LIST|GET|UploadPartCopy|UploadPart)\b",
        told.out.decode() + told.err)}
    before = bench.counts()
    bench.merged("composed", "large/", "large.log.gz", want)
    after = bench.counts()
    made = {name: after.get(name, 0) - before.get(name, 0) for name in after}
    # Of the GETs, three look for receipt and checkpoint, and two are ours.
    for name, operation, besides in (
            ("LIST", "ListObjectsV2", 0), ("UploadPartCopy",) * 2 + (0,),
            ("UploadPart",) * 2 + (0,), ("GET", "GetObject", 5)):
        score.check("told and made: " + name,
                    told.get(name) == made.get(operation, 0) - besides,
                    (told, made))
    score.check("the large ones are copied", made.get("UploadPartCopy", 0)
                >= 2, made)
    again = bench.merge("large/", "large.log.gz")
    score.check("again: skipped", again.code == 0 and
                b"skipped" in again.out, again)


def many(bench):
    want = b""
    for i in range(MANY):
        line = b"%s %d\n" % (stamp(DAY_FROM + i).encode(), i)
        bench.put("many/%05d" % i, line)
        want += line
    before = bench.counts().get("ListObjectsV2", 0)
    receipt = bench.merged("%d objects" % MANY, "many/", "many.log", want)
    score.check("listed page by page", bench.counts()["ListObjectsV2"] -
                before == MANY // 1000 + 1, bench.counts())
    score.equal("and counted", receipt.get("merged", {}).get("objects"),
                MANY)


def rows(bench):
    """41 to 48 of the failure modes."""
    raw, after = lines(2000, 1), lines(100, 2)
    good = gzip.compress(raw)
    for at in (len(good) - 1, len(good) - 9, len(good) // 2, 12):
        bench.put("cut/1.gz", good[:at])
        bench.put("cut/2.gz", gzip.compress(after))
        bench.refused("41: cut at %d" % at, "cut/", 65, "cut/1.gz")
    for name, at, bit in (("CRC", -5, 1), ("length", -2, 1),
                          ("method", 2, 1), ("reserved flag", 3, 0x80)):
        bad = bytearray(good)
        bad[at] ^= bit
        bench.put("bad/1.gz", bytes(bad))
        bench.refused("42: " + name, "bad/", 65, "bad/1.gz")
    for name, tail in (("zeros", bytes(600)), ("garbage", b"what is this")):
        bench.put(name + "/1.gz", good + tail)
        bench.put(name + "/2.gz", gzip.compress(after))
        bench.merged("43: " + name, name + "/", name + ".log.gz",
                     raw + after)
    tiny = b"".join(gzip.compress(line + b"\n")
                    for line in raw.split(b"\n")[:-1]) + gzip.compress(b"")
    bench.put("tiny/../1.gz", tiny)
    bench.put("tiny/2.gz", gzip.compress(after))
    bench.merged("44: tiny members, odd names", "tiny/", "tiny.log.gz",
                 raw + after)
    bomb = zlib.compressobj(9, wbits=31)
    line = stamp(DAY_FROM).encode() + b" " + bytes(MIB).replace(
        b"\0", b"z") + b"\n"
    packed = b"".join(bomb.compress(line) for _ in range(64)) + bomb.flush()
    bench.put("bomb/1.gz", packed)
    bench.merged("45: a bomb", "bomb/", "bomb.log.gz", line * 64)
    for words in ((), ("--recompress",)):
        key = "ends%d.log.gz" % len(words)
        bench.put("ends/1.gz", gzip.compress(raw[:-1]))
        bench.put("ends/2.gz", gzip.compress(after))
        bench.merged("46: no last newline %s" % " ".join(words), "ends/",
                     key, raw + after, *words)
    bench.put("odd/aws-logs-write-test", b"Permission Check Successful")
    bench.put("odd/1.gz", good)
    bench.put("odd/_old.receipt.json", b"{}")
    bench.merged("47: what lies beside", "odd/", "odd.log.gz", raw)
    score.check("47: and is left there", {
        "odd/aws-logs-write-test", "odd/_old.receipt.json"} <=
        set(bench.keys()))
    done = bench.merge("odd/", "odd/all.log.gz")
    score.check("an earlier result among the sources is not merged again",
                done.code == 78 and "odd/_old.receipt.json" in done.err and
                "odd/all.log.gz" not in bench.keys(), (done.code, done.err))
    bench.put("foreign/1.gz", b"no gzip at all\n")
    bench.refused("47: foreign", "foreign/", 65, "foreign/1.gz")
    bench.put("change/1.gz", good)
    bench.model.control("fault", b"GetObject if=change/1.gz "
                        b"error=PreconditionFailed status=412")
    bench.refused("48: another version", "change/", 65, "change/1.gz")
    bench.model.control("clear-faults")
    bench.merged("48: and as it is now", "change/", "change.log.gz", raw)


def window(bench):
    """Of records, those of the day; and then it counts as that day."""
    inside = lines(300, 7)
    outside = b"".join(b"%s late\n  with its lines\n" % stamp(
        DAY_FROM + DAY_MS + i).encode() for i in range(50))
    bench.model.control("fill?group=/g&from=%s&profile=web&bytes=100" % DAY)
    bench.put("day/1.gz", gzip.compress(inside))
    bench.put("day/2.gz", gzip.compress(outside))
    receipt = bench.merged("a day", "day/", "day.log.gz", inside, "--group",
                           "/g", "--day", DAY)
    score.equal("a day: counted", receipt.get("events"), 300)


def flags(bench):
    there = "s3://%s/in/" % BUCKET
    for words, said in (
            ((there,), "needs --to"),
            ((there, "--to", "s3://%s/x.gz" % BUCKET, "--day", DAY),
             "needs both --group NAME and --day"),
            (("s3://%s/in" % BUCKET, "--to", "s3://%s/x.gz" % BUCKET),
             "is no prefix"),
            ((there, "--to", "s3://%s/{date}.gz" % BUCKET),
             "needs a full key")):
        done = bench.firn.run("merge", *words)
        score.check("64: " + said, done.code == 64 and said in done.err,
                    (done.code, done.err))
    done = bench.merge("nothing/", "nothing.gz")
    score.check("nothing there: 78", done.code == 78 and
                "no objects below" in done.err, done)


# --- killed -------------------------------------------------------------------

def killed(bench, words):
    """kill -9 as each request is under way."""
    key = "killed.log.gz"
    bench.clear("in/")
    done = bench.merge("in/", key, *words)
    want = bench.read(key)
    place = 0
    while True:
        place += 1
        bench.clear("in/")
        bench.model.control("fault", b"* #%d hang" % place)
        before = sum(n for name, n in bench.counts().items()
                     if name != "Control")
        child = subprocess.Popen(
            [bench.firn.program, "merge", "s3://%s/in/" % BUCKET, "--to",
             "s3://%s/%s" % (BUCKET, key), "--give-up", "5", *words],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=bench.firn.environment, cwd="/")
        while child.poll() is None and sum(
                n for name, n in bench.counts().items()
                if name != "Control") - before < place:
            time.sleep(0.002)
        ended = child.poll() is not None
        child.kill()
        child.wait()
        bench.model.control("clear-faults")
        if ended:
            break
        for _ in range(20):
            done = bench.merge("in/", key, *words)
            if done.code != 75:
                break
            time.sleep(0.2)
        score.check("killed at %d" % place, done.code == 0,
                    (done.code, done.err[-300:]))
        score.check("killed at %d: the same bytes" % place,
                    done.code == 0 and bench.read(key) == want)
        score.check("killed at %d: nothing is left" % place,
                    not bench.uploads(), bench.uploads())
    print("killed at each of %d requests, %s" % (
        place - 1, " ".join(words) or "composing"))
    score.check("there were some", place > 10, place)


def main():
    program = sys.argv[1]
    exported(program)
    with Model() as model:
        bench = Bench(Firn(program, model.url), client("s3", model.url),
                      model)
        for part in (flags, composed, rows, window, many):
            part(bench)
    if len(sys.argv) > 2:
        with Model("--set", "part-bytes-min=4096") as model:
            bench = Bench(Firn(sys.argv[2], model.url),
                          client("s3", model.url), model)
            for i, size in enumerate((3, 900, 2, 40, 2500, 30)):
                bench.put("in/%d.gz" % i, gzip.compress(lines(size, i, 120)))
            for words in ((), ("--recompress",)):
                killed(bench, words)
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
