"""test_order.py - firn merge --order time: files that overlap become one
object in the order that GNU sort gives, in fixed memory, killed or not.

  test_order.py [firn]"""
import gzip
import io
import json
import os
import random
import re
import subprocess
import sys
import time

import rig

score = rig.Score()
BUCKET, FILES = "test-bucket", 300
START = re.compile(rb"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", re.M)
BYTES = 60_000_000  # of lines: a dozen runs in the small profile


def text_file(chance, number, size):
    """Lines whose times overlap with those of other files, and are not
    sorted; some records have several lines, some files no last newline."""
    out, ms = io.BytesIO(), number * 1000
    if number == 0:
        out.write(b"a line before all\n")
    while out.tell() < size:
        ms += chance.choice((0, 0, 1, 7, 350)) - chance.choice((0, 0, 0, 300))
        stamp = "2026-11-09T%02d:%02d:%02d.%03dZ" % (
            ms // 3600000 % 24, ms // 60000 % 60, ms // 1000 % 60, ms % 1000)
        out.write(b"%s %d/%d %x\n" % (stamp.encode(), number, out.tell(),
                                      chance.getrandbits(4 * 120)))
        if chance.random() < 0.05:
            out.write(b"Traceback:\r\n  at f\n\n  2026-11-09 not a stamp\n")
    return out.getvalue()[:-1 if number % 7 == 3 else None]


def json_file(chance, number, size):
    out = io.BytesIO()
    while out.tell() < size:
        out.write(b'{"timestamp":"2026-11-09T01:02:%02d.%03dZ","stream":"s%d",'
                  b'"message":"%d"}\n' % (chance.randrange(60),
                                          chance.randrange(1000), number,
                                          out.tell()))
    return out.getvalue()


def whole(data):
    return data if data.endswith(b"\n") or not data else data + b"\n"


def sorted_text(files):
    """As the standard says: sort -z -s -k1,1 of the records in key order."""
    data = b"".join(whole(files[key]) for key in sorted(files))
    at = [m.start() for m in START.finditer(data)] + [len(data)]
    records = [data[a:b] for a, b in zip(at, at[1:])]
    done = subprocess.run(["sort", "-z", "-s", "-k1,1"], check=True,
                          input=b"".join(r + b"\0" for r in records),
                          stdout=subprocess.PIPE, env={"LC_ALL": "C"})
    return data[:at[0]] + done.stdout.replace(b"\0", b"")


def sorted_json(files):
    lines = b"".join(files[key] for key in sorted(files)).splitlines(True)
    return b"".join(sorted(lines, key=lambda line: line[14:38]))


class Case:
    def __init__(self, model, firn, name, make, size, packed=True):
        self.model, self.firn, self.name = model, firn, name
        self.s3 = rig.client("s3", model.url)
        chance = random.Random(name)
        self.files = {}
        for i in range(FILES):
            key = "%s/s%02d/%06d%s" % (name, i % 40, i // 40,
                                       ".gz" if packed else "")
            self.files[key] = make(chance, i, size * chance.randrange(200)
                                   // 100 // FILES)
            body = self.files[key]
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(
                body, 1, mtime=0) if packed else body)

    def words(self, key, *more):
        return ("merge", "s3://%s/%s/" % (BUCKET, self.name), "--to",
                "s3://%s/%s" % (BUCKET, key), "--order", "time", "--output",
                "json", "--give-up", "5", *more)

    def stored(self, key):
        body = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body

    def beside(self, directory):
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, Prefix=directory)
        return sorted(o["Key"] for page in pages
                      for o in page.get("Contents", ()))

    def asked(self, operation):
        return json.loads(self.model.get("stats"))["operations"].get(
            operation, {}).get("requests", 0)

    def is_well(self, key, want):
        score.equal("%s: in order" % key, self.stored(key), want)
        directory = key[:key.rfind("/") + 1]
        score.equal("%s: nothing is left beside it" % key,
                    self.beside(directory), sorted(
                        (key, rig.receipt_key(key))))

    def merges(self, key, want):
        done = self.firn.run(*self.words(key))
        said = json.loads(done.out or "{}")
        score.equal("%s: merged" % key, (done.code, said.get("action")),
                    (0, "merged"))
        if done.code:
            print(done.err)
        self.is_well(key, want)
        last = json.loads(done.err.strip().splitlines()[-1])
        print(key, {k: last.get(k) for k in (
            "seconds", "cpu_seconds", "rss_peak_bytes", "requests")})
        return last


def killed(case, key, want, gets):
    """While it gathers, merges, uploads and clears up; then to the end. `gets`
    are those of a run that nobody kills."""
    for point in ("PutObject #8", "GetObject #%d" % (gets * 2 // 3),
                  "UploadPart #4", "DeleteObjects #1"):
        name, number = point.split(" #")
        before = case.asked(name)
        case.model.control("fault", (point + " hang").encode())
        child = subprocess.Popen(
            [case.firn.program, *case.words(key)], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=case.firn.environment, cwd="/")
        until = time.monotonic() + rig.PATIENCE_S
        while case.asked(name) < before + int(number) and \
                time.monotonic() < until and child.poll() is None:
            time.sleep(0.05)
        score.check("killed at " + point, child.poll() is None and
                    time.monotonic() < until, child.poll())
        child.kill()
        child.wait()
        case.model.control("clear-faults")
    done = case.firn.run(*case.words(key))
    score.equal("killed: it was all done but for the end", (
        done.code, json.loads(done.out or "{}").get("action")),
        (0, "skipped"))
    case.is_well(key, want)


def main(program):
    with rig.Model("--bucket", BUCKET) as model:
        firn = rig.Firn(program, model.url)
        case = Case(model, firn, "text", text_file, BYTES)
        want = sorted_text(case.files)
        dry = firn.run(*case.words("a/b.log.gz", "--dry-run"))
        said = json.loads(dry.out or "{}")
        score.check("the price is said first", dry.code == 0 and
                    "merge passes" in said.get("reason", ""), dry)
        print(said.get("reason"))
        before = case.asked("GetObject")
        last = case.merges("a/b.log.gz", want)
        gets = case.asked("GetObject") - before
        score.check("no more memory than promised", last["rss_peak_bytes"] <=
                    (8 if "small" in program else 16) << 20)
        killed(case, "k/b.log.gz", want, gets)
        case = Case(model, firn, "json", json_file, BYTES // 10, False)
        case.merges("j/b.ndjson", sorted_json(case.files))
    return score.close()


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1] if len(sys.argv) > 1
                                  else "build/firn")))
