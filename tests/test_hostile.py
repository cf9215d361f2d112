#!/usr/bin/env python3
"""test_hostile.py - firn against the tests' AWS at its worst.

    tests/test_hostile.py [FIRN]

Each row is a log group made from a seed, what the server does, and how firn
is to archive it. The object, read by zcat, must hold what the server says the
group holds, byte for byte and in order, whatever went wrong on the way; and
no upload may be left open. The last rows are those that must fail.
"""
import json
import os
import sys
import tempfile
import urllib.parse

from rig import (Event, Firn, Model, ROOT, Score, certificate, client, ndjson,
                 one_member, receipt_key, text, unpack)

DAY = "2026-10-05"
BUCKET = "test-bucket"
score = Score()

# name; group: profile, bytes, spread; settings; faults; words to firn
ROWS = [
    ("hostile messages", "hostile 4000000 uniform", "", "", ""),
    ("hostile messages, as text", "hostile 4000000 bursts", "", "",
     "--format text"),
    ("hostile messages, zstd", "hostile 4000000 nights", "", "",
     "--compress zstd"),
    ("hostile messages, plain, all fields", "hostile 3000000 uniform", "",
     "", "--compress none --fields +ingested,+id"),
    ("members in any order", "hostile 3000000 uniform", "odd-json=1", "",
     "--fields +id"),
    ("the longest events", "huge 24000000 uniform", "", "", ""),
    ("the longest events, members in any order", "huge 12000000 bursts",
     "odd-json=1", "", "--format text"),
    ("the longest events, in small pages", "huge 8000000 uniform",
     "page-events=1 chunked=1", "", "--compress zstd"),
    ("the edges of the day", "web 2000000 edges", "", "", ""),
    ("the edges of the day, as other words have it", "web 2000000 edges",
     "end-exclusive=1", "", ""),
    ("all at one instant", "web 3000000 instant", "page-bytes=200000", "",
     ""),
    ("all at one instant, repeats", "hostile 1000000 instant",
     "page-bytes=200000 repeat-border=5 repeat-inside=50", "", ""),
    ("bursts", "json 20000000 bursts", "", "", ""),
    ("tiny messages", "tiny 400000 uniform", "", "", ""),
    ("pages that are empty or short", "web 4000000 uniform",
     "empty-pages=400 short-pages=300 page-bytes=100000 last-token=700", "",
     ""),
    ("pages that repeat", "hostile 3000000 uniform",
     "repeat-pages=100 repeat-border=7 repeat-inside=50 page-bytes=150000",
     "", ""),
    ("long tokens", "web 4000000 uniform",
     "token-bytes=4000 page-bytes=200000", "", ""),
    ("no length", "web 4000000 uniform", "chunked=1", "", ""),
    ("many parts", "noise 24000000 uniform", "", "", ""),
    ("many parts, over TLS", "noise 40000000 uniform", "tls", "", ""),
    ("hostile messages, over TLS", "hostile 20000000 bursts", "tls", "", ""),
    ("a long day over TLS, zstd", "web 60000000 nights", "tls", "",
     "--compress zstd"),
    ("what breaks, over TLS", "noise 20000000 uniform", "tls",
     "FilterLogEvents %100 reset\nFilterLogEvents %100 cut=?\n"
     "UploadPart #1 reset\nUploadPart #3 lost", ""),
    ("a throttle", "web 12000000 uniform", "rate:FilterLogEvents=12", "",
     ""),
    ("a clock an hour off", "web 1000000 uniform", "skew=3600000", "", ""),
    ("a store without checksums", "noise 8000000 uniform", "return-sums=0",
     "", ""),
    ("a store without conditions", "web 1000000 uniform", "conditions=0", "",
     ""),
    ("ETags that are no digests", "noise 12000000 uniform",
     "opaque-etags=1 spaces=1", "", ""),
    ("reads that break", "web 6000000 uniform", "page-bytes=200000",
     "FilterLogEvents %150 cut=?\nFilterLogEvents %100 reset\n"
     "FilterLogEvents %50 error=ServiceUnavailableException status=503", ""),
    ("long reads that break", "huge 12000000 uniform", "",
     "FilterLogEvents %300 times=8 cut=?", ""),
    ("errors in any form", "web 2000000 uniform",
     "error-form=7 page-bytes=100000",
     "FilterLogEvents %100 error=ThrottlingException\n"
     "FilterLogEvents %50 error=InternalFailure status=500\n"
     "FilterLogEvents %50 error=x status=503 html", ""),
    ("uploads that break", "noise 30000000 uniform", "",
     "UploadPart #1 reset\nUploadPart #3 lost\nUploadPart #5 flip=1000\n"
     "UploadPart #7 error=SlowDown status=503", ""),
    ("an upload that is never heard of again", "noise 8000000 uniform", "",
     "CreateMultipartUpload #1 lost", ""),
    ("Complete that fails in a 200", "noise 8000000 uniform", "",
     "CompleteMultipartUpload #1 in200 error=InternalError", ""),
    ("Complete whose answer is lost", "noise 8000000 uniform", "",
     "CompleteMultipartUpload #1 lost", ""),
    ("Put whose answer is lost", "web 300000 uniform", "",
     "PutObject #1 lost", ""),
    ("a receipt whose answer is lost", "web 300000 uniform", "",
     "PutObject #2 lost", ""),
    ("errors of S3", "web 300000 uniform", "",
     "PutObject #1 error=InternalError status=500\n"
     "HeadObject #1 reset\nGetObject #1 reset", ""),
]

# name; settings; faults; exit code; what is said
FAILURES = [
    ("reading is denied", "", "FilterLogEvents error=AccessDeniedException",
     77, ["AccessDeniedException", "logs:FilterLogEvents"]),
    ("looking is denied", "", "DescribeLogGroups "
     "error=AccessDeniedException", 77, ["logs:DescribeLogGroups"]),
    ("writing is denied", "", "PutObject error=AccessDenied status=403", 77,
     ["AccessDenied", "s3:PutObject"]),
    ("S3 is not well", "", "PutObject error=InternalError status=500", 69,
     ["InternalError"]),
    ("CloudWatch is not well", "", "FilterLogEvents "
     "error=ServiceUnavailableException status=503", 69,
     ["ServiceUnavailableException"]),
    ("every reply breaks off", "", "FilterLogEvents cut=100", 69, ["/g"]),
    ("a token that leads to itself", "page-bytes=50000",
     "FilterLogEvents same-token", 69, ["/g"]),
    ("another object comes first", "", "PutObject #4 "
     "error=PreconditionFailed status=412", 75, ["PreconditionFailed"]),
]


def begin(name, group, settings, faults):
    """A server with the group /g filled and everything set."""
    tls = certificate(score.where) if "tls" in settings else ()
    settings = settings.replace("tls", "")
    model = Model("--seed", str(len(name)), tls=tls)
    profile, size, spread = group.split()
    model.control("fill?" + urllib.parse.urlencode({
        "group": "/g", "from": DAY, "profile": profile, "bytes": size,
        "spread": spread, "late": 50, "seed": len(name)}))
    if settings:
        model.control("set?" + settings.replace(" ", "&"))
    if faults:
        model.control("fault", faults.encode())
    return model


def expected(model):
    """What the model says is in the group that day."""
    lines = model.get("expect?group=/g&from=" + DAY).decode()
    events = []
    for line in lines.split("\n")[:-1]:
        e = json.loads(line)
        events.append(Event(e["timestamp"], e["stream"], e["message"],
                            e["ingestion"], e["id"]))
    return events


def row_holds(program, row):
    name, group, settings, faults, words = row
    form = words.split()
    with begin(name, group, settings, faults) as model:
        key = "d/x." + ("log" if "text" in form else "ndjson")
        trust = ("--ca-bundle", model.tls[0]) if model.tls else ()
        done = Firn(program, model.url).archive(
            "/g", "s3://%s/%s" % (BUCKET, key), "--day", DAY, "--give-up",
            "20", *form, *trust)
        score.equal(name + ": exit", (done.code, done.code and
                                      done.err[-400:]), (0, 0))
        if done.code:
            return
        events = expected(model)
        how = "zstd" if "zstd" in form else "none" if "none" in form \
            else "gzip"
        fields = form[form.index("--fields") + 1] if "--fields" in form \
            else ""
        model.control("clear-faults")
        model.control("set?skew=0")
        s3 = client("s3", model.url,
                    **({"verify": model.tls[0]} if model.tls else {}))
        data = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        want = text(events) if "text" in form else ndjson(events, fields)
        score.equal(name + ": bytes", unpack(data, how), want)
        if how == "gzip":
            score.check(name + ": one member", one_member(data))
        receipt = json.loads(s3.get_object(
            Bucket=BUCKET, Key=receipt_key(key))["Body"].read())
        score.equal(name + ": receipt", (
            receipt["events"], receipt["bytes_raw"], receipt["bytes_stored"],
            receipt["state"], receipt["crc64nvme_confirmed"]), (
                len(events), len(want), len(data), "sealed",
                "return-sums=0" not in settings))
        stats = model.stop()["stats"]
        score.check(name + ": an object and a receipt, no open upload",
                    (stats["objects"], stats["open_uploads"]) == (2, 0) or
                    "CreateMultipartUpload #1 lost" in faults, stats)


def default_key_holds(program):
    """Its "=" is where careless signatures fail."""
    name = "the default key"
    with begin(name, "web 300000 uniform", "", "") as model:
        done = Firn(program, model.url).archive(
            "/g", "s3://" + BUCKET, "--day", DAY)
        key = "111122223333/us-east-1/g/dt=%s/events.ndjson.gz" % DAY
        s3 = client("s3", model.url)
        listed = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        score.equal(name, (done.code, sorted(o["Key"] for o in listed)), (
            0, sorted([key, receipt_key(key)])))


def failure_holds(program, row):
    name, settings, faults, code, words = row
    with begin(name, "web 300000 uniform", settings, faults) as model:
        done = Firn(program, model.url).archive(
            "/g", "s3://%s/d/x.ndjson.gz" % BUCKET, "--day", DAY,
            "--give-up", "3")
        said = [line for line in done.err.splitlines()
                if not line.startswith("{")]
        score.equal(name + ": exit", (done.code, done.code != code and
                                      done.err[-400:]), (code, False))
        score.check(name + ": what is said", len(said) in (1, 2) and
                    all(w in said[0] for w in words), said)
        score.check(name + ": within 20 s", done.seconds < 20, done.seconds)
        stats = model.stop()["stats"]
        score.equal(name + ": nothing is stored", (
            stats["objects"], stats["open_uploads"]), (0, 0))


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else \
        os.path.join(ROOT, "build/firn")
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    with tempfile.TemporaryDirectory() as score.where:
        for row in ROWS:
            if only in row[0]:
                row_holds(program, row)
        default_key_holds(program)
        for row in FAILURES:
            if only in row[0]:
                failure_holds(program, row)
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
