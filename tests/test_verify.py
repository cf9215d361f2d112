"""test_verify.py - archives read back, and brought back, by the real binary:
against the tests' AWS and against moto, boto3 being who damages objects.

  PYTHONPATH=build/moto/python test_verify.py [firn]"""
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time

import rig

score = rig.Score()
NOW = int(time.time() * 1000)
DAY = time.strftime("%Y-%m-%d", time.gmtime(NOW / 1000 - 5 * 86400))
FORMS = [  # the name's ending, and the words that make it
    ("ndjson.gz", ()), ("ndjson.zst", ("--compress", "zstd")),
    ("ndjson", ("--compress", "none", "--fields", "+ingested,+id")),
    ("log.gz", ("--format", "text")),
]


class Store:
    """A bucket, by boto3, and firn beside it."""

    def __init__(self, firn, s3, bucket):
        self.firn, self.s3, self.bucket = firn, s3, bucket

    def url(self, key):
        return "s3://%s/%s" % (self.bucket, key)

    def get(self, key):
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def put(self, key, body, **more):
        return self.s3.put_object(Bucket=self.bucket, Key=key, Body=body,
                                  **more)["ETag"]

    def receipt(self, key):
        return json.loads(self.get(rig.receipt_key(key)))

    def put_receipt(self, of, **changes):
        receipt = dict(self.receipt(of), **changes)
        self.put(rig.receipt_key(of), json.dumps(receipt).encode())

    def copy(self, key, to, **more):
        """An archive of another name, its receipt with it."""
        receipt = self.receipt(key)
        receipt.update(key=to, etag=self.put(to, self.get(key), **more))
        self.put(rig.receipt_key(to), json.dumps(receipt).encode())

    def run(self, command, *words):
        done = self.firn.run(command, *words, "--output", "json",
                             "--give-up", "5")
        return done, [json.loads(line) for line in done.out.splitlines()]

    def says(self, name, key, code, word):
        """One object is verified, or is not and the reason has this word."""
        before = self.get(rig.receipt_key(key))
        done, said = self.run("verify", self.url(key))
        score.equal(name, done.code, code)
        score.check(name + ": one line", len(said) == 1 and
                    said[0]["key"] == key, (done.out, done.err))
        if len(said) != 1:
            return
        good = said[0]["action"] == ("failed" if code else "verified")
        score.check(name + ": says why", good and
                    word in (said[0]["reason"] or "") and
                    word in done.err + (said[0]["reason"] or ""),
                    (said, done.err))
        if code == 65:
            score.equal(name + ": state", said[0]["state"], "damaged")
        if code:
            score.check(name + ": the receipt is as it was",
                        self.get(rig.receipt_key(key)) == before)


def unverified(receipt):
    return re.sub(rb'"verified_at": [^,]*', b"", receipt)


def sound(store, key):
    """Verified, and nothing else in the receipt has changed."""
    name = rig.receipt_key(key)
    before = store.get(name)
    done, said = store.run("verify", store.url(key))
    score.equal("%s is sound" % key, done.code, 0)
    if done.code:
        print(done.err)
        return
    after, receipt = store.get(name), store.receipt(key)
    score.check("%s: a new time, the rest as it was" % key,
                after != before and unverified(after) == unverified(before),
                (before, after))
    line = {k: said[0][k] for k in ("group", "day", "key", "action", "state",
                                    "events", "bytes_raw", "bytes_stored")}
    score.equal("%s: the line" % key, line, {
        "group": receipt["source"]["group"], "day": DAY, "key": key,
        "action": "verified", "state": "provisional",
        "events": receipt["events"], "bytes_raw": receipt["bytes_raw"],
        "bytes_stored": receipt["bytes_stored"]})
    again = store.run("verify", store.url(key))[0]
    score.check("%s again" % key, again.code == 0 and
                store.receipt(key)["verified_at"] >= receipt["verified_at"])


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def damaged(store, key):
    """Each damage to a copy of one archive: rows 39 and 97 of the
    failures."""
    data, receipt = store.get(key), store.receipt(key)
    to = "damaged.ndjson.gz"

    def fresh():
        store.copy(key, to)

    fresh()
    sound_again, _ = store.run("verify", store.url(to))
    score.equal("a copy with its receipt", sound_again.code, 0)
    store.put(to, flip(data, len(data) // 2))
    store.says("replaced by as many bytes", to, 65, "etag \"")
    store.put(to, data[:-1])
    store.says("cut", to, 65, "bytes_stored %d, not %d" % (
        len(data) - 1, len(data)))
    for name, body, word in (
            ("a bit turned", flip(data, len(data) // 2), ""),
            ("cut, and its receipt", data[:-9], "cut short"),
            ("a byte behind it", data + b"x", "crc64nvme "),
            ("other compression", gzip.compress(gzip.decompress(data)),
             "crc64nvme "),
            ("one record less", gzip.compress(
                gzip.decompress(data).split(b"\n", 1)[1]),
             "events %d, not %d" % (receipt["events"] - 1,
                                    receipt["events"]))):
        fresh()
        store.put_receipt(to, etag=store.put(to, body),
                          bytes_stored=len(body))
        store.says(name, to, 65, word)
    first = gzip.decompress(data).split(b"\n", 1)[0]
    swapped = gzip.compress(gzip.decompress(data).replace(
        first, first.replace(b'"message":"', b'"message":"x', 1), 1))
    fresh()
    store.put_receipt(to, etag=store.put(to, swapped), crc64nvme=None,
                      bytes_stored=len(swapped),
                      bytes_raw=receipt["bytes_raw"] + 1)
    store.says("a byte in a message", to, 65, "digest ")
    for change in ({"events": 1}, {"bytes_raw": 1}, {"bytes_stored": 1},
                   {"digest": "0" * 32}, {"crc64nvme": "AAAAAAAAAAA="},
                   {"first_event": "2001-01-01T00:00:00.000Z"},
                   {"last_event": "2001-01-01T00:00:00.000Z"},
                   {"key": "other"}, {"etag": '"other"'}):
        fresh()
        store.put_receipt(to, **change)
        store.says("%s" % change, to, 65, next(iter(change)))
    fresh()
    store.put(rig.receipt_key(to), b'{"version":1,')
    store.says("a receipt cut", to, 65, "")
    store.s3.delete_object(Bucket=store.bucket, Key=rig.receipt_key(to))
    done, said = store.run("verify", store.url(to), store.url("nothing.gz"),
                           store.url(key))
    score.equal("no receipt; nothing; sound", (done.code, [
        line["action"] for line in said]), (78, ["failed", "failed",
                                                 "verified"]))
    score.check("no receipt: said", "it has no receipt" in done.err, done.err)
    fresh()
    store.s3.delete_object(Bucket=store.bucket, Key=to)
    store.says("the object is gone", to, 65, "gone")
    plain = store.firn.run("verify", store.url(key), "--give-up", "5")
    score.check("in words", plain.out.decode().startswith(
        "verified %s of " % DAY) and store.url(key) in plain.out.decode(),
        plain.out)


def restored(store, key, seconds):
    """Out of a Glacier class and back, which takes so many seconds: row 37
    of the failures."""
    to = "cold.ndjson.gz"
    store.copy(key, to, StorageClass="GLACIER")
    for command in ("verify", "cat"):
        done = store.firn.run(command, store.url(to), "--give-up", "5")
        score.check("%s names firn restore" % command, done.code == 78 and
                    "firn restore %s --days" % store.url(to) in done.err,
                    (done.code, done.err))
    done = store.firn.run("restore", store.url(to))
    score.check("restore needs days", done.code == 64 and "--days" in
                done.err, done.err)

    def asks(name, code, action, state, *words):
        done, said = store.run("restore", store.url(to), "--days", "3",
                               *words)
        score.equal(name, (done.code, said[0]["action"], said[0]["state"]),
                    (code, action, state))
        return done, said

    if seconds:
        asks("a restore begins", 0, "started", "restoring", "--tier",
             "Expedited")
        asks("is under way", 0, "asked", "restoring")
        done, _ = asks("not back in time", 75, "failed", None, "--wait",
                       "--deadline", "1")
        score.check("S3 goes on", "S3 goes on" in done.err, done.err)
        asks("is waited for", 0, "restored", "readable", "--wait")
    else:
        store.run("restore", store.url(to), "--days", "3")
    _, said = asks("is there", 0, "extended", "readable")
    score.check("until when", "a copy is in S3 until " in said[0]["reason"],
                said)
    done, _ = store.run("verify", store.url(to))
    score.equal("and can be verified", done.code, 0)
    store.copy(key, to)
    _, said = asks("needless", 0, "skipped", "readable")
    score.check("and why", "STANDARD" in said[0]["reason"], said)
    store.copy(key, to, StorageClass="DEEP_ARCHIVE")
    if seconds:
        asks("a tier that its class lacks", 78, "failed", None, "--tier",
             "Expedited")


def stops(firn, *words):
    """A signal in the middle of it: 75, in two seconds, and a sentence."""
    child = subprocess.Popen([firn.program, *words, "--give-up", "5"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=firn.environment)
    time.sleep(1.5)
    begun = time.monotonic()
    child.send_signal(signal.SIGTERM)
    _, err = child.communicate(timeout=20)
    score.equal("%s stopped" % words[0], child.returncode, 75)
    score.check("in two seconds", time.monotonic() - begun < 2)
    score.check("and says so", b"stopped by a signal" in err, err)


def stopped(store, key, model):
    """While the object drips, and while it is brought back."""
    before = store.get(rig.receipt_key(key))
    model.control("fault", b"GetObject if=%s drip=1000" % key.encode())
    stops(store.firn, "verify", store.url(key))
    model.control("clear-faults")
    score.check("nothing is written",
                store.get(rig.receipt_key(key)) == before)
    store.put("slow.gz", b"x", StorageClass="GLACIER")
    stops(store.firn, "restore", store.url("slow.gz"), "--days", "1",
          "--wait")


def on_the_model(program, small):
    with rig.Model() as model:
        firn = rig.Firn(program, model.url)
        store = Store(firn, rig.client("s3", model.url), "test-bucket")
        for profile, size in (("hostile", 3000000), ("huge", 8000000)):
            group = "/" + profile
            model.control("fill?group=%s&from=%s&bytes=%d&profile=%s" % (
                group, DAY, size, profile))
            for ending, words in FORMS:
                key = "%s/%s/x.%s" % (profile, ending, ending)
                done = firn.archive(group, store.url(key), "--day", DAY,
                                    *words)
                score.equal("archive %s" % key, done.code, 0)
                sound(store, key)
        model.control("group?group=/empty&created=%d" % (
            NOW - 100 * rig.DAY_MS))
        firn.archive("/empty", store.url("empty.ndjson.gz"), "--day", DAY)
        sound(store, "empty.ndjson.gz")
        done = firn.archive("/empty", store.url("empty.ndjson.gz"), "--day",
                            DAY)
        score.check("a verified day is still that day", done.code == 0 and
                    b'"skipped"' in done.out, (done.out, done.err))
        model.control("fault", b"GetObject #2-4 cut=200000")
        sound(store, "huge/ndjson.gz/x.ndjson.gz")
        model.control("clear-faults")
        model.control("fill?group=/g&from=%s&bytes=60000000&profile=json"
                      % DAY)
        firn.archive("/g", store.url("g.ndjson.gz"), "--day", DAY)
        done, _ = store.run("verify", store.url("g.ndjson.gz"))
        last = json.loads(done.err.splitlines()[-1])
        most = (8 if small else 16) << 20
        score.check("in its memory", done.code == 0 and
                    last["rss_peak_bytes"] <= most, last)
        print("60 MB of lines: %.2f s, %.2f s of CPU, %.1f MiB" % (
            last["seconds"], last["cpu_seconds"],
            last["rss_peak_bytes"] / (1 << 20)))
        stopped(store, "g.ndjson.gz", model)
        damaged(store, "hostile/ndjson.gz/x.ndjson.gz")
        model.control("set?restore-time=4000")
        restored(store, "hostile/ndjson.gz/x.ndjson.gz", 4)


def on_moto(program):
    url, keys, reader = rig.start_moto()
    logs, s3 = (rig.client(n, url, keys) for n in ("logs", "s3"))
    s3.create_bucket(Bucket="acme-logs")
    logs.create_log_group(logGroupName="/m")
    logs.create_log_stream(logGroupName="/m", logStreamName="s")
    start = (NOW // rig.DAY_MS - 5) * rig.DAY_MS
    logs.put_log_events(logGroupName="/m", logStreamName="s", logEvents=[
        {"timestamp": start + i * 1000, "message": "line %d \"\\\n" % i}
        for i in range(500)])
    store = Store(rig.Firn(program, url, keys), s3, "acme-logs")
    done = store.firn.archive("/m", store.url("m.ndjson.gz"), "--day", DAY)
    score.equal("archive, moto", (done.code, done.err if done.code else ""),
                (0, ""))
    sound(store, "m.ndjson.gz")
    damaged(store, "m.ndjson.gz")
    restored(store, "m.ndjson.gz", 0)
    done = rig.Firn(program, url, reader).run(
        "verify", store.url("m.ndjson.gz"), "--give-up", "5")
    score.check("no permission", done.code == 77 and "Grant: s3:GetObject" in
                done.err, done.err)


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else \
        os.path.join(rig.ROOT, "build/firn")
    on_the_model(program, "small" in program)
    on_moto(program)
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
