#!/usr/bin/env python3
"""test_moto.py - firn against moto, an emulator of AWS that we did not write.

    PYTHONPATH=build/moto/python tests/test_moto.py [FIRN]

boto3 puts the events; firn archives them; boto3 and zcat read the object back.
moto checks signatures and IAM policies. Where moto is more lenient than AWS
tests/test_hostile.py is the test.
"""
import base64
import json
import os
import random
import re
import socket
import sys
import time

from rig import (DAY_MS, Event, Firn, ROOT, Score, client, crc64nvme, ndjson,
                 one_member, read_all, receipt_key, slice_of, stamp,
                 start_moto, text, unpack)

BUCKET = "acme-logs"
ACCOUNT = "123456789012"
EVENT_MOST = 1048550  # bytes of a message: 1 MiB less what AWS counts beside
FORMS = {("ndjson", "gzip"): ("ndjson.gz", "application/gzip"),
         ("ndjson", "zstd"): ("ndjson.zst", "application/zstd"),
         ("ndjson", "none"): ("ndjson", "application/x-ndjson"),
         ("text", "gzip"): ("log.gz", "application/gzip"),
         ("text", "zstd"): ("log.zst", "application/zstd"),
         ("text", "none"): ("log", "text/plain; charset=utf-8")}
RECEIPT = ("version state key etag source window events first_event "
           "last_event settled bytes_raw bytes_stored crc64nvme "
           "crc64nvme_confirmed digest format fields compression archived_at "
           "verified_at reason tool_version index").split()
score = Score()
START = (int(time.time()) // 86400 - 1) * DAY_MS  # yesterday, UTC
END = START + DAY_MS
DAY = time.strftime("%Y-%m-%d", time.gmtime(START // 1000))


# --- what is put -------------------------------------------------------------

HOSTILE = [
    "plain", " ", "\n", "\r\n", "\\", "\"", "\\\"", "'", "/", "\t", "\x00",
    "a\x00b\x00", "".join(map(chr, range(32))), "\x7f\x80\x9f", "\u00e9",
    "line one\nline two\r\n\n\tat com.example.Main(Main.java:1)\n",
    "\u2028\u2029\ufeff\ufffe\uffff", "\U0001f600\U0010ffff\U00010000",
    "\ud55c\uae00 \u65e5\u672c\u8a9e \u0627\u0644\u0639\u0631\u0628",
    '{"timestamp":"x","stream":"y","message":"z"}', '"},{"timestamp":0,"a":"',
    '"}],"nextToken":"stop"', "\\u0041\\ud83d\\ude00 \\n \\", "null", "]}",
    "2026-11-09T00:00:00.000Z looks like a record",
    "first\n2026-11-09T00:00:00.000Z looks like the next",
    "\x1b[31mred\x1b[0m\x07\x08", "trailing blank ", " leading", "%s%n%00",
    "</Error><Code>NoSuchKey</Code>&amp;", "\ud800", "\udfff lone",
    "x\ud83d", "\ude00\ud83d reversed", "\ud83d\U0001f600 one and a pair",
]


def hostile_streams():
    return ["plain", "s" * 512, "\U0001f600" * 256, "\ud55c" * 512,
            "2026/11/09/[$LATEST]0123456789abcdef", 'q"\\/ \t\n\x01', "\x7f"]


def hostile():
    """Every message in every stream; then the edges of the day."""
    chance = random.Random(1)
    events = []
    for stream in hostile_streams():
        for message in HOSTILE:
            events.append(Event(START + chance.randrange(DAY_MS), stream,
                                message))
        for at in (START - 1, START, START + 1, END - 1, END, END + 1):
            events.append(Event(at, stream, "at the edge %d" % (at - START)))
        noon = START + DAY_MS // 2
        events += [Event(noon, stream, "truly twice")] * 2
        events += [Event(noon, stream, "one of many %d" % i)
                   for i in range(300)]
    return events


def ordinary():
    chance = random.Random(2)
    return [Event(START + i * DAY_MS // 25000, "web-%d" % chance.randrange(3),
                  '10.0.0.%d - - "GET /items/%d HTTP/1.1" 200 %d' % (
                      chance.randrange(256), chance.randrange(10 ** 6),
                      chance.randrange(10 ** 5))) for i in range(25000)]


def noise():
    """12 MB that hardly compress: more than one part."""
    chance = random.Random(3)
    return [Event(START + i * DAY_MS // 1800, "noise", base64.b64encode(
        chance.randbytes(5000)).decode()) for i in range(1800)]


def huge():
    """The longest events there are, in the forms that grow most in JSON."""
    most = [b"plain words, ", b"\x01", b'"\\', "\U0001f600".encode(),
            "\ud55c".encode(), b"\n"]
    events = []
    for i, piece in enumerate(most):
        message = (piece * (EVENT_MOST // len(piece))).decode()
        at = START + i * DAY_MS // 7
        events += [Event(at, "small", "before %d" % i),
                   Event(at, "huge", message),
                   Event(at, "small", "after %d" % i)]
    return events


def put(logs, group, events):
    """In batches that AWS would take. Gives the events of the day in the
    order in which moto shows them: by time, stream and arrival."""
    logs.create_log_group(logGroupName=group)
    streams = list(dict.fromkeys(e.stream for e in events))
    for stream in streams:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        batch, size = [], 0
        mine = sorted((e for e in events if e.stream == stream),
                      key=lambda e: e.timestamp)
        for e in mine:
            length = len(e.message.encode("utf-8", "surrogatepass")) + 26
            if size + length > 1048576 or len(batch) == 10000:
                send(logs, group, stream, batch)
                batch, size = [], 0
            batch.append({"timestamp": e.timestamp, "message": e.message})
            size += length
        send(logs, group, stream, batch)
    order = {s: i for i, s in enumerate(streams)}
    return sorted((e for e in events if START <= e.timestamp < END),
                  key=lambda e: (e.timestamp, order[e.stream]))


def send(logs, group, stream, batch):
    reply = logs.put_log_events(logGroupName=group, logStreamName=stream,
                                logEvents=batch)
    score.check("moto took all events", not reply.get(
        "rejectedLogEventsInfo"), reply)


# --- what is there -----------------------------------------------------------

def index_holds(name, receipt, data, raw):
    """Each entry's bytes, alone, are its lines, and its numbers are theirs."""
    entries, how = receipt["index"], receipt["compression"]
    ends = [e[0] for e in entries[1:]] + [len(data)]
    raw_ends = [e[1] for e in entries[1:]] + [len(raw)]
    for entry, end, raw_end in zip(entries, ends, raw_ends):
        piece = slice_of(data, how, entry[0], end)
        if piece != raw[entry[1]:raw_end]:
            score.check(name + ": an index entry's bytes", False, entry)
            return
    score.check(name + ": an index entry's bytes", True)
    score.equal(name + ": the index's events", sum(e[4] for e in entries),
                receipt["events"])
    score.check(name + ": the index begins at 0",
                not entries or entries[0][:2] == [
                    10 if how == "gzip" else 0, 0], entries[:1])
    score.check(name + ": times in the index", all(
        START <= e[2] <= e[3] < END for e in entries), entries)


def receipt_holds(name, receipt, head, group, events):
    first = events[0].timestamp if events else None
    last = events[-1].timestamp if events else None
    score.equal(name + ": the receipt's members", list(receipt), RECEIPT)
    score.equal(name + ": the receipt's source", receipt["source"], {
        "account": ACCOUNT, "region": "us-east-1", "group": group,
        "stream_prefix": None, "via": "read", "masked": False})
    score.equal(name + ": the receipt's window", receipt["window"], {
        "from": DAY + "T00:00:00.000Z", "until": time.strftime(
            "%Y-%m-%dT00:00:00.000Z", time.gmtime(END // 1000)),
        "timezone": "UTC"})
    for member, want in (
            ("version", 1), ("state", "provisional"),
            ("etag", head["ETag"]), ("events", len(events)),
            ("first_event", stamp_or_none(first)),
            ("last_event", stamp_or_none(last)),
            ("bytes_stored", head["ContentLength"]),
            ("crc64nvme_confirmed", False), ("verified_at", None)):
        score.equal("%s: the receipt's %s" % (name, member),
                    receipt[member], want)
    score.equal(name + ": settled", (list(receipt["settled"]),
                                     receipt["settled"]["events"]),
                (["until", "events", "digest"], len(events)))
    score.check(name + ": digest", receipt["digest"] is not None and
                receipt["digest"] == receipt["settled"]["digest"])
    score.check(name + ": archived_at", re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", receipt["archived_at"]),
        receipt["archived_at"])


def stamp_or_none(ms):
    return None if ms is None else stamp(ms)


def object_holds(s3, firn, group, events, form):
    """Archives once, reads it back in every way, archives again."""
    ext, content_type = FORMS[form]
    key = "t%s/%s.%s" % (group, "-".join(form), ext)
    name = "%s %s" % (group, ext)
    done = firn.archive(group, "s3://%s/%s" % (BUCKET, key), "--day", DAY,
                        "--format", form[0], "--compress", form[1])
    score.equal(name + ": exit", (done.code, done.err[-300:]
                                  if done.code else ""), (0, ""))
    if done.code:
        return
    result = json.loads(done.out)
    got = s3.get_object(Bucket=BUCKET, Key=key)
    data = got["Body"].read()
    raw = unpack(data, form[1])
    want = ndjson(events) if form[0] == "ndjson" else text(events)
    score.equal(name + ": bytes", raw, want)
    if form[1] == "gzip":
        score.check(name + ": one member of gzip", one_member(data))
    score.equal(name + ": content type", got["ContentType"], content_type)
    score.check(name + ": no content encoding",
                not got.get("ContentEncoding"), got.get("ContentEncoding"))
    receipt = json.loads(s3.get_object(
        Bucket=BUCKET, Key=receipt_key(key))["Body"].read())
    receipt_holds(name, receipt, got, group, events)
    score.equal(name + ": forms", (
        receipt["key"], receipt["format"], receipt["compression"],
        receipt["fields"], receipt["bytes_raw"]), (
            key, form[0], form[1],
            ["timestamp"] + ["stream"] * (form[0] == "ndjson") + ["message"],
            len(want)))
    if len(data) < 1000000 or form == ("ndjson", "gzip"):
        score.equal(name + ": CRC64NVME", receipt["crc64nvme"],
                    crc64nvme(data))
    index_holds(name, receipt, data, raw)
    score.equal(name + ": the result", (
        result["group"], result["day"], result["key"], result["state"],
        result["action"], result["events"], result["bytes_raw"],
        result["bytes_stored"]), (
            group, DAY, key, "provisional", "archived", len(events),
            len(want), len(data)))
    score.check(name + ": one JSON line on stdout",
                done.out.count(b"\n") == 1)
    cat_holds(firn, name, key, events, form, raw)


def cat_holds(firn, name, key, events, form, raw):
    url = "s3://%s/%s" % (BUCKET, key)
    back = firn.run("cat", "--give-up", "5", url)
    score.equal(name + ": cat's exit", (back.code, back.err if back.code
                                        else ""), (0, ""))
    score.equal(name + ": cat", back.out, text(events))
    if form[0] == "ndjson":
        back = firn.run("cat", "--output", "json", url)
        score.equal(name + ": cat --output json", back.out, raw)


# --- what else is promised ---------------------------------------------------

def parts_hold(s3, group):
    """A multipart upload: its ETag says of how many parts."""
    head = s3.head_object(Bucket=BUCKET,
                          Key="t%s/ndjson-gzip.ndjson.gz" % group)
    score.check("noise went up in parts",
                re.search(r'-[2-9]"$', head["ETag"]), head["ETag"])
    left = s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    score.equal("no upload is left open", left, [])


def action(done):
    return json.loads(done.out)["action"] if done.out else None


def existing_holds(s3, firn):
    url = "s3://%s/t/ordinary/ndjson-gzip.ndjson.gz" % BUCKET
    at = {"Bucket": BUCKET, "Key": "t/ordinary/ndjson-gzip.ndjson.gz"}
    before = s3.head_object(**at)

    def again(*words):
        return firn.archive("/ordinary", url, "--day", DAY, *words)

    done = again()
    score.equal("the second run skips", (done.code, action(done)),
                (0, "skipped"))
    after = s3.head_object(**at)
    score.equal("a skip writes nothing", after["LastModified"],
                before["LastModified"])
    done = again("--if-exists", "fail")
    score.check("--if-exists fail", done.code == 78 and
                "exists" in done.err, done)
    done = again("--if-exists", "replace")
    score.equal("--if-exists replace", (done.code, action(done)),
                (0, "archived"))
    score.equal("replaced by the same bytes", s3.head_object(**at)["ETag"],
                before["ETag"])
    done = firn.archive("/empty", url, "--day", DAY)
    score.check("another group's archive stays", done.code == 78 and
                "another group" in done.err and
                s3.head_object(**at)["ETag"] == before["ETag"], done)
    s3.put_object(Bucket=BUCKET, Key="mine.ndjson.gz", Body=b"x" * 1200)
    done = firn.archive("/ordinary", "s3://%s/mine.ndjson.gz" % BUCKET,
                        "--day", DAY)
    score.check("an object without a receipt stays", done.code == 78 and
                "without a receipt (1.2 kB" in done.err and s3.get_object(
                    Bucket=BUCKET, Key="mine.ndjson.gz")["Body"].read() ==
                b"x" * 1200, done)
    # Not the default key: Debian 13's moto refuses boto3 a "=" in a key too.
    done = firn.archive("/ordinary", "s3://%s/{account}/{region}/{group}/"
                        "{yyyy}-{mm}-{dd}.{ext}" % BUCKET, "--age", "1",
                        "--dry-run")
    score.equal("--dry-run and a template", (
        done.code, action(done), json.loads(done.out)["key"]), (
            0, "would archive",
            "%s/us-east-1/ordinary/%s.ndjson.gz" % (ACCOUNT, DAY)))
    score.check("--dry-run writes nothing", "Contents" not in
                s3.list_objects_v2(Bucket=BUCKET, Prefix=ACCOUNT))


def fields_hold(logs, s3, firn, events):
    """+ingested and +id, which only moto can know."""
    key = "t/fields.ndjson.gz"
    done = firn.archive("/hostile", "s3://%s/%s" % (BUCKET, key), "--day",
                        DAY, "--fields", "+ingested,+id")
    known = {}
    for e in read_all(logs, "/hostile", START, END):
        known.setdefault((e.timestamp, e.stream, e.message), []).append(e)
    want = []
    for e in events:
        want.append(known[e[:3]].pop(0))
    got = unpack(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read(), "gzip")
    score.equal("--fields: exit", done.code, 0)
    score.equal("--fields: bytes", got, ndjson(want, "+ingested,+id"))


def range_holds(s3, firn, events):
    """Half open: from the first instant, until before the last."""
    key = "t/range.log"
    noon = START + DAY_MS // 2
    done = firn.archive(
        "/hostile", "s3://%s/%s" % (BUCKET, key), "--compress", "none",
        "--format", "text", "--from", DAY + "T00:00:00Z", "--until",
        DAY + "T12:00:00Z")
    got = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    score.equal("--until is not part of it", (done.code, got), (
        0, text(e for e in events if e.timestamp < noon)))


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def errors_hold(url, keys, reader):
    """Exit code, a name, AWS's word, a cure; never a secret."""
    to = "s3://%s/e.ndjson.gz" % BUCKET
    day = ("--day", DAY)
    nowhere = "http://127.0.0.1:%d" % closed_port()
    wrong = (keys[0], "x" * 40)
    rows = [
        ("no such group", keys, url, 78,
         ["/ordinari", 'nearest: "/ordinary"'],
         ["archive", "--group", "/ordinari", "--to", to, *day]),
        ("no such bucket", keys, url, 78, ["acme-lags"],
         ["archive", "--group", "/ordinary", "--to", "s3://acme-lags/e.gz",
          *day]),
        ("no permission", reader, url, 77,
         ["AccessDenied", "s3:", "Grant"],
         ["archive", "--group", "/ordinary", "--to", to, *day]),
        ("a wrong secret", wrong, url, 77, ["/ordinary"],
         ["archive", "--group", "/ordinary", "--to", to, *day]),
        ("an unknown key", ("AKIANOBODYNOBODY0000", "y" * 40), url, 77,
         ["/ordinary"],
         ["archive", "--group", "/ordinary", "--to", to, *day]),
        ("nobody listens", keys, nowhere, 69, ["refused", "Run again"],
         ["archive", "--group", "/ordinary", "--to", to, *day]),
        ("cat of what is not there", keys, url, 78, ["s3://", "none.gz"],
         ["cat", "s3://%s/none.gz" % BUCKET]),
        ("no command", keys, url, 64, ["firn --help"], []),
        ("no such command", keys, url, 64, ["archive"], ["archiv"]),
        ("no such flag", keys, url, 64, ["--group"], ["archive", "--grup",
                                                      "x"]),
        ("no group", keys, url, 64, ["--group"], ["archive", "--to", to]),
        ("a window in the future", keys, url, 64, ["from now"],
         ["archive", "--group", "/ordinary", "--to", to, "--day",
          "2999-01-01"]),
        ("no day of the calendar", keys, url, 64, ["2026-02-30"],
         ["archive", "--group", "/ordinary", "--to", to, "--day",
          "2026-02-30"]),
        ("a format there is not", keys, url, 64, ["ndjson"],
         ["archive", "--group", "/ordinary", "--to", to, "--format", "xml",
          *day]),
        ("a zone there is not", keys, url, 78, ["Asia/Seoul"],
         ["archive", "--group", "/ordinary", "--to", to, "--timezone",
          "Asia/Soul", *day]),
    ]
    for name, who, where, code, words, command in rows:
        firn = Firn(score.program, where, who)
        if command[:1] in (["archive"], ["cat"]):
            command = command + ["--give-up", "3"]
        done = firn.run(*command)
        score.equal(name + ": exit", (done.code, done.code != code and
                                      done.err), (code, False))
        last = [line for line in done.err.splitlines()
                if not line.startswith("{")]
        score.check(name + ": a line or two", 1 <= len(last) <= 2 and
                    last[0].startswith("%d " % code), done.err)
        score.check(name + ": what it says",
                    all(w in "\n".join(last) for w in words), last)
        score.check(name + ": no secret", who[1] not in done.err)
        score.check(name + ": within 15 s", done.seconds < 15, done.seconds)


def last_line_holds(firn):
    done = firn.archive("/empty", "s3://%s/last.gz" % BUCKET, "--day", DAY)
    last = json.loads(done.err.splitlines()[-1])
    score.equal("the last line", (last["phase"], last["exit"]), ("done", 0))
    for name in ("seconds cpu_seconds rss_peak_bytes pool_peak_bytes "
                 "requests throttled").split():
        score.check("the last line has " + name,
                    isinstance(last.get(name), (int, float)), last)
    limit = 8 if "small" in score.program else 16
    score.check("resident peak within the profile",
                last["rss_peak_bytes"] <= limit << 20 or
                "/aarch64/" in score.program, last)  # it is the emulator's


def main():
    score.program = os.path.abspath(
        sys.argv[1] if len(sys.argv) > 1 else
        os.path.join(ROOT, "build/firn"))
    url, keys, reader = start_moto()
    logs, s3 = client("logs", url, keys), client("s3", url, keys)
    firn = Firn(score.program, url, keys)
    s3.create_bucket(Bucket=BUCKET)
    groups = {"/ordinary": ordinary(), "/hostile": hostile(),
              "/noise": noise(), "/huge": huge(), "/empty": []}
    groups = {g: put(logs, g, events) for g, events in groups.items()}
    for group, events in groups.items():
        forms = FORMS if group in ("/hostile", "/empty") else \
            [("ndjson", "gzip"), ("text", "zstd")]
        for form in forms:
            object_holds(s3, firn, group, events, form)
    parts_hold(s3, "/noise")
    existing_holds(s3, firn)
    fields_hold(logs, s3, firn, groups["/hostile"])
    range_holds(s3, firn, groups["/hostile"])
    last_line_holds(firn)
    errors_hold(url, keys, reader)
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
