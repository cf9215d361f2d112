"""test_adopt.py - objects that others made become days, by the real binary:
against the tests' AWS and against moto, boto3 being those others.

  PYTHONPATH=build/moto/python test_adopt.py [firn]"""
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time

import rig

score = rig.Score()
NOW = int(time.time() * 1000)


def day(ago):
    return time.strftime("%Y-%m-%d", time.gmtime(NOW / 1000 - ago * 86400))


def start(ago):
    return (NOW // rig.DAY_MS - ago) * rig.DAY_MS


class Bucket:
    def __init__(self, firn, s3, name):
        self.firn, self.s3, self.name = firn, s3, name

    def url(self, key):
        return "s3://%s/%s" % (self.name, key)

    def put(self, key, body, **more):
        self.s3.put_object(Bucket=self.name, Key=key, Body=body, **more)

    def get(self, key):
        return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()

    def receipt(self, key):
        return json.loads(self.get(rig.receipt_key(key)))

    def run(self, command, *words):
        done = self.firn.run(command, *words, "--output", "json", "--give-up",
                             "5")
        return done, [json.loads(line) for line in done.out.splitlines()]

    def adopt(self, name, key, group, ago, *words, code=0):
        """Its line of JSON, or what is said on stderr."""
        done, said = self.run("adopt", self.url(key), "--group", group,
                              "--day", day(ago), *words)
        score.equal(name, (done.code, code != done.code and done.err),
                    (code, False))
        return said[0] if code == 0 and said else done.err


def members(text, count):
    """An old export's files put end to end: cut at lines, a member each."""
    lines = text.splitlines(True)
    each = len(lines) // count + 1
    return b"".join(gzip.compress(b"".join(lines[i:i + each]))
                    for i in range(0, len(lines), each))


def adopted(bucket, group, ago, events, key, body):
    """An object with all the events of a day, whatever its form."""
    bucket.put(key, body)
    said = bucket.adopt("adopt " + key, key, group, ago)
    receipt = bucket.receipt(key)
    score.equal(key + ": the line", {k: said[k] for k in (
        "group", "day", "key", "action", "state", "events", "bytes_stored",
        "reason")}, {
        "group": group, "day": day(ago), "key": key, "action": "adopted",
        "state": "imported", "events": len(events), "bytes_stored": len(body),
        "reason": None})
    score.equal(key + ": the receipt", (
        receipt["state"], receipt["source"]["via"], receipt["settled"],
        receipt["crc64nvme_confirmed"], receipt["events"]),
        ("imported", "import", None, True, len(events)))
    done, said = bucket.run("verify", bucket.url(key))
    score.equal(key + ": verified", (done.code, said[0]["state"]),
                (0, "imported"))
    done = bucket.firn.archive(group, bucket.url(key), "--day", day(ago))
    score.check(key + ": archive skips it", done.code == 0 and
                b'"skipped"' in done.out and b'"imported"' in done.out,
                (done.out, done.err))
    score.check(key + ": it is as it was", bucket.get(key) == body)


def read(bucket, key, events):
    """cat prints the records, and those of an hour alone."""
    done = bucket.firn.run("cat", bucket.url(key), "--give-up", "5")
    score.equal("cat " + key, done.out, rig.text(events))
    at = events[len(events) // 2].timestamp
    done = bucket.firn.run("cat", bucket.url(key), "--from", rig.stamp(at),
                           "--until", rig.stamp(at + 3600000), "--give-up",
                           "5")
    score.equal("cat an hour of " + key, (done.out, done.err), (rig.text(
        [e for e in events if at <= e.timestamp < at + 3600000]), done.err))


def status(bucket, prefix, ago, state):
    done, said = bucket.run("status", bucket.url(prefix))
    days = {line["day"]: line["state"] for line in said if "day" in line}
    score.equal("status of " + prefix, days.get(day(ago)), state)


def refused(bucket, group, ago, whole):
    """Nothing is written."""
    for name, key, body, code, word in (
            ("cut", "bad/1.gz", whole[:-5], 65, "the data is cut short"),
            ("cut in a member", "bad/1.gz", whole[:len(whole) // 2], 65,
             "at byte "),
            ("a bit turned", "bad/1.gz", whole[:99] + bytes([whole[99] ^ 1]) +
             whole[100:], 65, "at byte "),
            ("not gzip", "bad/1.gz", gzip.decompress(whole), 65,
             "this is not gzip"),
            ("not zstd", "bad/1.zst", whole, 65, "this is not zstd"),
            ("no event", "bad/1", b"a,b\n1,2\n", 65, "no line of s3://"),
            ("of another day", "bad/1", b"2001-01-01T00:00:00.000Z x\n", 78,
             "no event of s3://")):
        bucket.put(key, body)
        said = bucket.adopt(name, key, group, ago, code=code)
        score.check(name + ": said", word in said, said)
        listed = bucket.s3.list_objects_v2(Bucket=bucket.name, Prefix="bad/_")
        score.equal(name + ": no receipt", listed["KeyCount"], 0)
    said = bucket.adopt("nothing there", "bad/no.gz", group, ago, code=78)
    score.check("nothing there: said", "there is no object" in said, said)
    bucket.put("bad/2.gz", whole)
    said = bucket.adopt("no group", "bad/2.gz", group + "x", ago, code=78)
    score.check("no group: nearest", 'nearest: "%s"' % group in said, said)
    bucket.put("bad/3.gz", whole, StorageClass="GLACIER")
    said = bucket.adopt("offline", "bad/3.gz", group, ago, code=78)
    score.check("offline: firn restore", "firn restore s3://" in said, said)


def other_receipts(bucket, group, ago, body):
    key = "other/1.gz"
    bucket.put(key, body)
    said = bucket.adopt("dry run", key, group, ago, "--dry-run")
    score.equal("dry run: action", said["action"], "would adopt")
    done = bucket.firn.archive(group, bucket.url(key), "--day", day(ago))
    score.check("archive names adopt", done.code == 78 and "firn adopt" in
                done.err, done.err)
    bucket.adopt("the first", key, group, ago)
    said = bucket.adopt("again", key, group, ago)
    score.equal("again: action", said["action"], "skipped")
    said = bucket.adopt("another day", key, group, ago + 1, code=78)
    score.check("another day: cure", "--if-exists replace" in said, said)
    bucket.adopt("fail", key, group, ago, "--if-exists", "fail", code=78)
    said = bucket.adopt("replace", key, group, ago, "--if-exists", "replace")
    score.equal("replace: action", said["action"], "adopted")


def stopped(bucket, model, ago, body):
    """At the deadline, and where the receipt may not be written."""
    key = "stopped.gz"
    bucket.put(key, body)
    model.control("fault", b"GetObject if=stopped.gz drip=1000")
    said = bucket.adopt("deadline", key, "/g", ago, "--deadline", "1",
                        code=75)
    score.check("deadline: said", "the deadline is reached" in said, said)
    model.control("clear-faults")
    model.control("fault", b"PutObject error=AccessDenied status=403")
    said = bucket.adopt("denied", key, "/g", ago, code=77)
    score.check("denied: said", "Grant: s3:PutObject" in said, said)
    model.control("clear-faults")
    bucket.adopt("and then", key, "/g", ago)


def sealed(bucket, group, ago, key, body, state):
    """A day whose late events are all there: the recount decides."""
    bucket.put(key, body)
    bucket.adopt("adopt " + key, key, group, ago)
    done = bucket.firn.archive(group, bucket.url(key), "--day", day(ago))
    score.equal("%s: recounted" % key, (done.code, bucket.receipt(key)[
        "state"]), (0 if state == "sealed" else 65, state))
    if state != "sealed":
        score.check("%s: why" % key, "a recount on" in done.err and
                    "is left as it is" in done.err, done.err)
        again = bucket.firn.archive(group, bucket.url(key), "--day", day(ago))
        score.check("%s: told once, then skipped" % key, again.code == 0 and
                    b'"skipped"' in again.out and b"a recount on" in
                    again.out, (again.out, again.err))
    score.check("%s: it is as it was" % key, bucket.get(key) == body)
    if state == "sealed":
        done, _ = bucket.run("verify", bucket.url(key))
        score.equal("%s: verified" % key, done.code, 0)


def by_run(bucket, model, ago, body):
    """Adopted while late events could still come, ten days ago; `run` finds
    it where it would archive the day, and seals it."""
    group = "/g"
    key = "r%s/%s.log.gz" % (group, day(ago))
    bucket.put(key, body)
    model.control("set?clock=%d" % (-10 * rig.DAY_MS))
    bucket.adopt("adopt " + key, key, group, ago)
    model.control("set?clock=0")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump({"region": rig.REGION, "groups": [group], "to":
                   "s3://%s/r/{group}/{date}.{ext}" % bucket.name}, config)
        config.flush()
        done = bucket.firn.run("run", config.name, "--output", "json",
                               "--give-up", "5")
    lines = [json.loads(line) for line in done.out.splitlines()]
    ours = [line for line in lines if line.get("day") == day(ago)]
    score.equal("run seals what was adopted", (
        done.code, [(line["action"], line["key"]) for line in ours],
        bucket.receipt(key)["state"]), (0, [("sealed", key)], "sealed"))
    score.check("run: it is as it was", bucket.get(key) == body)


def without_last(body):
    return b"".join(body.splitlines(True)[:-1])


def on_the_model(program):
    with rig.Model() as model:
        bucket = Bucket(rig.Firn(program, model.url),
                        rig.client("s3", model.url), "test-bucket")
        logs = rig.client("logs", model.url)
        for ago in (20, 5):
            model.control("fill?group=/g&from=%s&events=3000&profile=web&"
                          "seed=%d" % (day(ago), ago))
        events = rig.read_all(logs, "/g", start(5), start(4))
        text, ndjson = rig.text(events), rig.ndjson(events)
        zstd = subprocess.run(["zstd", "-q", "--zstd=wlog=15"], input=ndjson,
                              stdout=subprocess.PIPE, check=True).stdout
        for key, body in (
                ("a/g/dt=%s/events.log.gz" % day(5), members(text, 7)),
                ("b/g/1.gz", gzip.compress(ndjson)), ("c/g/1", text),
                ("d/g/1.zst", zstd), ("e/g/1", ndjson)):
            adopted(bucket, "/g", 5, events, key, body)
            read(bucket, key, events)
            status(bucket, key[:2], 5, "imported")
        refused(bucket, "/g", 5, gzip.compress(text))
        other_receipts(bucket, "/g", 5, members(text, 3))
        model.control("fault", b"GetObject if=b/g/1.gz cut=20000 times=3")
        bucket.adopt("a broken connection", "b/g/1.gz", "/g", 5,
                     "--if-exists", "replace")
        model.control("clear-faults")
        stopped(bucket, model, 5, members(text, 1))
        old = rig.text(rig.read_all(logs, "/g", start(20), start(19)))
        by_run(bucket, model, 20, members(old, 3))
        sealed(bucket, "/g", 20, "s/1.gz", members(old, 4), "sealed")
        status(bucket, "s/", 20, "sealed")
        sealed(bucket, "/g", 20, "s/2.gz", gzip.compress(without_last(old)),
               "imported")
        beyond = old + rig.stamp(start(19)).encode() + b" of the next day\n"
        sealed(bucket, "/g", 20, "s/3.gz", gzip.compress(beyond), "sealed")
        score.equal("what is outside stays said", bucket.receipt("s/3.gz")[
            "reason"], "events outside the window: 1")


def on_moto(program):
    """What moto's own export task makes, its files put end to end."""
    url, keys, _ = rig.start_moto()
    logs, s3 = (rig.client(n, url, keys) for n in ("logs", "s3"))
    s3.create_bucket(Bucket="acme-logs")
    logs.create_log_group(logGroupName="/m")
    for stream in ("s/1", "s/2"):
        logs.create_log_stream(logGroupName="/m", logStreamName=stream)
        logs.put_log_events(logGroupName="/m", logStreamName=stream,
                            logEvents=[
            {"timestamp": start(5) + i * 1000, "message": "%s %d \"\\\n" % (
                stream, i)} for i in range(500)])
    logs.create_export_task(logGroupName="/m", fromTime=start(5),
                            to=start(4) - 1, destination="acme-logs",
                            destinationPrefix="export")
    bucket = Bucket(rig.Firn(program, url, keys), s3, "acme-logs")
    files = [o["Key"] for o in s3.list_objects_v2(
        Bucket="acme-logs", Prefix="export/")["Contents"]
        if o["Key"].endswith(".gz")]
    score.equal("moto's files", len(files), 2)
    body = b"".join(bucket.get(key) for key in files)
    bucket.put("m.gz", body)
    said = bucket.adopt("moto's export", "m.gz", "/m", 5)
    lines = gzip.decompress(body)
    score.equal("moto's export: events", (said["events"], said["bytes_raw"]),
                (1000, len(lines)))
    done = bucket.firn.run("cat", bucket.url("m.gz"), "--give-up", "5")
    score.equal("moto's export: cat", done.out, lines)


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else \
        os.path.join(rig.ROOT, "build/firn")
    on_the_model(program)
    on_moto(program)
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
