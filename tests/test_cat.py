#!/usr/bin/env python3
"""test_cat.py - the incident three months later: of archives in S3, the lines
of an interval, and no more bytes than they need.

    PYTHONPATH=build/moto/python tests/test_cat.py [firn]

Whatever is asked for must be what is in the interval when all is read, for
every format and compression and any interval; what is fetched is counted."""
import datetime
import json
import os
import random
import re
import subprocess
import sys
import time
import zlib

import rig

score = rig.Score()
chance = random.Random(9)
BUCKET = "test-bucket"
TODAY = int(time.time() * 1000) // rig.DAY_MS * rig.DAY_MS
START = TODAY - 90 * rig.DAY_MS
DAY = time.strftime("%Y-%m-%d", time.gmtime(START / 1000))
FORMS = {("ndjson", "gzip"): "ndjson.gz", ("ndjson", "zstd"): "ndjson.zst",
         ("ndjson", "none"): "ndjson", ("text", "gzip"): "log.gz",
         ("text", "zstd"): "log.zst", ("text", "none"): "log"}
STAMP = re.compile(rb"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ", re.M)


def instant(stamp):
    return int(datetime.datetime.strptime(
        stamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(
            tzinfo=datetime.timezone.utc).timestamp() * 1000 + 0.5)


def day_of(days):
    return time.strftime("%Y-%m-%d",
                         time.gmtime((START + days * rig.DAY_MS) / 1000))


def url(key):
    return "s3://%s/%s" % (BUCKET, key)


def told(run):
    """Without the lines for machines that go to stderr as well."""
    return run._replace(err="".join(
        line for line in run.err.splitlines(keepends=True)
        if not line.startswith('{"phase":')))


class World:
    """The model, a client of its S3, and firn."""

    def __init__(self, program, model):
        self.model, self.s3 = model, rig.client("s3", model.url)
        self.firn = rig.Firn(program, model.url)

    def fill(self, group, day=DAY, profile="web", size=3000000, streams=3):
        self.model.control("group?group=%s&retention=365&created=%d" % (
            group, START - 9 * rig.DAY_MS))
        self.model.control("fill?group=%s&from=%s&bytes=%d&profile=%s"
                           "&streams=%d" % (group, day, size, profile,
                                            streams))

    def put(self, group, at, message, stream="long"):
        self.model.control("event?group=%s&stream=%s&timestamp=%d"
                           "&ingestion=%d" % (group, stream, at, at + 1000),
                           message.encode())

    def archive(self, group, key, *words):
        done = self.firn.archive(group, url(key), *words)
        score.equal("archive %s" % key, (done.code, done.err[-300:] if
                                         done.code else ""), (0, ""))

    def cat(self, keys, *words):
        return told(self.firn.run("cat", *map(url, keys), "--give-up", "5",
                                  *words))

    def receipt(self, key):
        return json.loads(self.s3.get_object(
            Bucket=BUCKET, Key=rig.receipt_key(key))["Body"].read())

    def put_receipt(self, key, receipt):
        self.s3.put_object(Bucket=BUCKET, Key=rig.receipt_key(key),
                           Body=json.dumps(receipt).encode())

    def stats(self):
        return json.loads(self.model.get("stats"))


def flags(begin, end):
    words = []
    if begin is not None:
        words += ["--from", rig.stamp(begin)]
    if end is not None:
        words += ["--until", rig.stamp(end)]
    return words


def inside(begin, end, at):
    return (begin is None or begin <= at) and (end is None or at < end)


def records_of(text):
    """(instant, bytes) of what full cat printed from text."""
    starts = [m.start() for m in STAMP.finditer(text)] + [len(text)]
    return [(instant(text[a:a + 24].decode()), text[a:b])
            for a, b in zip(starts, starts[1:])]


def lines_of(ndjson):
    return [(instant(line[14:38].decode()), line)
            for line in ndjson.splitlines(keepends=True)]


def as_text(line):
    record = json.loads(line)
    return (record["timestamp"] + " " + rig.SURROGATE.sub(
        "\ufffd", record["message"]) + "\n").encode()


def intervals(records, count):
    """Edges on events, beside them and anywhere; narrow and wide; open. The
    longest events, which cross blocks, are among them."""
    some = chance.sample(records, 12) + sorted(
        records, key=lambda r: len(r[1]))[-6:]
    edges = [at + d for at, _ in some for d in (-1, 0, 1)]
    edges += [START, START + rig.DAY_MS, START + 1]
    out = [(None, edges[0]), (edges[3], None), (START, START + rig.DAY_MS),
           (records[0][0], records[0][0] + 1),
           (records[-1][0], records[-1][0] + 1)]
    while len(out) < count:
        begin = chance.choice(edges)
        end = chance.choice(edges + [begin + 60000] * len(edges))
        if begin < end:
            out.append((begin, end))
    return out


def chosen(index, begin, end, stored):
    """What the index makes necessary, in bytes, and in entries: all, and
    those that lie wholly inside."""
    size, count, whole = 0, 0, 0
    for i, (offset, _, least, greatest, _) in enumerate(index):
        if not (inside(None, end, least) and
                inside(begin, None, greatest)):
            continue
        after = index[i + 1][0] if i + 1 < len(index) else stored
        size, count = size + after - offset, count + 1
        whole += inside(begin, end, least) and inside(begin, end, greatest)
    return size, count, whole


def any_interval(world, group, name, form, count):
    """The property, with the bytes that each answer cost."""
    key = "%s.%s" % (name, FORMS[form])
    world.archive(group, key, "--day", DAY, "--format", form[0],
                  "--compress", form[1])
    everything = world.cat([key], *(("--output", "json")
                                    if form[0] == "ndjson" else ())).out
    records = (lines_of if form[0] == "ndjson" else records_of)(everything)
    receipt = world.receipt(key)
    score.equal("%s: all of it" % key, len(records), receipt["events"])
    for at, (begin, end) in enumerate(intervals(records, count)):
        what = "%s %s" % (key, " ".join(flags(begin, end)))
        before = world.stats()["bytes_out"]
        if form[0] == "ndjson" and at % 2:
            got = world.cat([key], *flags(begin, end), "--output", "json")
            want = [line for t, line in records if inside(begin, end, t)]
        elif form[0] == "ndjson":
            got = world.cat([key], *flags(begin, end))
            want = [as_text(line) for t, line in records
                    if inside(begin, end, t)]
        else:
            got = world.cat([key], *flags(begin, end))
            want = [record for t, record in records if inside(begin, end, t)]
        cost = world.stats()["bytes_out"] - before
        need, entries, whole = chosen(receipt["index"], begin, end,
                                      receipt["bytes_stored"])
        score.equal(what, got.out, b"".join(want))
        lacks = begin is not None and begin < START or \
            end is not None and end > START + rig.DAY_MS
        score.equal(what + ": exit", (got.code, lacks or got.err),
                    (65 if lacks else 0, lacks or ""))
        score.check(what + ": cost", need <= cost < need + 140000,
                    "%d, needed %d" % (cost, need))
        if end is not None and begin is not None and end - begin <= 60000:
            score.check(what + ": two blocks more than its own",
                        entries <= whole + 2, "%d, %d" % (entries, whole))


def coarse(world, group):
    """An index whose entries stand for several blocks."""
    key = "coarse.ndjson.gz"
    world.archive(group, key, "--day", DAY)
    receipt = world.receipt(key)
    old = receipt["index"]
    receipt["index"] = [[piece[0][0], piece[0][1], min(e[2] for e in piece),
                         max(e[3] for e in piece), sum(e[4] for e in piece)]
                        for piece in (old[i:i + 7]
                                      for i in range(0, len(old), 7))]
    world.put_receipt(key, receipt)
    records = lines_of(world.cat([key], "--output", "json").out)
    for begin, end in intervals(records, 12):
        got = world.cat([key], *flags(begin, end), "--output", "json")
        score.equal("coarse %s" % flags(begin, end), got.out, b"".join(
            line for t, line in records if inside(begin, end, t)))


def scattered(world):
    """Blocks whose times go to and fro, as of an object made by others: a
    GET for each run of them."""
    source, key = "coarse.ndjson.gz", "scattered.ndjson.gz"
    lines = lines_of(world.cat([source], "--output", "json").out)[:4000]
    blocks = [lines[i:i + 100] for i in range(0, 4000, 100)]
    chance.shuffle(blocks)
    packer, data, raw, index = zlib.compressobj(6, zlib.DEFLATED, 31), b"", \
        0, []
    for block in blocks:
        if index:
            data += packer.flush(zlib.Z_FULL_FLUSH)
        else:
            data += packer.flush(zlib.Z_SYNC_FLUSH)
        index.append([len(data), raw, min(t for t, _ in block),
                      max(t for t, _ in block), len(block)])
        body = b"".join(line for _, line in block)
        data, raw = data + packer.compress(body), raw + len(body)
    data += packer.flush()
    etag = world.s3.put_object(Bucket=BUCKET, Key=key, Body=data)["ETag"]
    world.put_receipt(key, dict(
        world.receipt(source), etag=etag, bytes_stored=len(data),
        crc64nvme=None, events=4000, index=index))
    blocks = [record for block in blocks for record in block]
    for begin, end in intervals(lines, 16):
        before = world.stats()["operations"]["GetObject"]["requests"]
        got = world.cat([key], *flags(begin, end), "--output", "json")
        score.equal("scattered %s" % flags(begin, end), got.out, b"".join(
            line for t, line in blocks if inside(begin, end, t)))
        runs = sum(1 for i, e in enumerate(index) if chosen(
            [e], begin, end, 0)[1] and not (i and chosen(
                [index[i - 1]], begin, end, 0)[1]))
        score.equal("scattered %s: GETs" % flags(begin, end), world.stats()[
            "operations"]["GetObject"]["requests"] - before, 1 + runs)


def streams(world, group):
    key = "streams.ndjson.gz"
    world.archive(group, key, "--day", DAY)
    records = lines_of(world.cat([key], "--output", "json").out)
    names = sorted({json.loads(line)["stream"] for _, line in records})
    for prefix in names + [names[0][:3], "no such"]:
        for begin, end in ((None, None), (START + 3600000, START + 9000000)):
            if not prefix or any(ord(c) < 32 for c in prefix):
                continue
            got = world.cat([key], *flags(begin, end), "--output", "json",
                            "--stream", prefix)
            score.equal("stream %r %s" % (prefix, flags(begin, end)),
                        (got.code, got.out), (0, b"".join(
                            line for t, line in records
                            if inside(begin, end, t) and json.loads(
                                line)["stream"].startswith(prefix))))
    text = "streams.log.gz"
    world.archive(group, text, "--day", DAY, "--format", "text",
                  "--if-exists", "replace")
    for more in ((), flags(START, START + 60000)):
        got = world.cat([text], "--stream", "a", *more)
        score.check("text has no streams", got.code == 64 and
                    "--stream needs ndjson" in got.err and not got.out, got)


def across(world):
    """Several days and groups: what is in none of them is named."""
    a, b = "/across/a", "/across/b"
    keys = {}
    for group, days in ((a, (0, 1, 3)), (b, (1,))):
        for day in days:
            world.fill(group, day_of(day), size=100000)
            key = "%s-%d.ndjson.gz" % (group[-1], day)
            world.archive(group, key, "--day", day_of(day))
            keys[group[-1], day] = key
    full = {k: lines_of(world.cat([v], "--output", "json").out)
            for k, v in keys.items()}

    def runs(name, which, begin, end, code, *said):
        got = world.cat([keys[k] for k in which], *flags(begin, end),
                        "--output", "json")
        want = b"".join(line for k in which for t, line in full[k]
                        if inside(begin, end, t))
        score.equal(name, (got.code, got.out), (code, want))
        for word in said:
            score.check(name + ": says", word in got.err, got.err)
        if not said:
            score.equal(name + ": says nothing", got.err, "")

    def at(day, ms=0):
        return START + day * rig.DAY_MS + ms

    runs("across midnight", [("a", 0), ("a", 1)], at(1, -600000),
         at(1, 600000), 0)
    runs("a key that does not concern it", [("a", 0), ("a", 1), ("a", 3)],
         at(1, 1), at(1, 60000), 0)
    runs("a day is missing", [("a", 0), ("a", 1), ("a", 3)], at(1), at(4), 65,
         "65 %s to %s is not in these archives of /across/a" % (
             rig.stamp(at(2)), rig.stamp(at(3))))
    runs("before and after", [("a", 1)], at(0), at(2, 1), 65,
         "%s to %s is not" % (rig.stamp(at(0)), rig.stamp(at(1))),
         "%s to %s is not" % (rig.stamp(at(2)), rig.stamp(at(2, 1))))
    runs("open ends are not judged", [("a", 1)], at(1, 5), None, 0)
    runs("open, but none of it is there", [("a", 0)], at(1), None, 65,
         "what is from %s on is not" % rig.stamp(at(1)))
    runs("nothing before", [("a", 1)], None, at(0), 65,
         "what is before %s is not" % rig.stamp(at(0)))
    runs("out of order", [("a", 1), ("a", 0)], at(0, 5), at(1, 5), 0,
         "begins before that of the object before it ends")
    runs("each group by itself", [("a", 0), ("a", 1), ("b", 1)], at(0),
         at(2), 65, "is not in these archives of /across/b")
    got = world.cat([keys["a", 1]], "--timezone", "Asia/Seoul", "--from",
                    day_of(1) + "T10:00", "--until", day_of(1) + "T10:30",
                    "--output", "json")
    score.equal("local times", (got.code, got.out), (0, b"".join(
        line for t, line in full["a", 1]
        if at(1, 3600000) <= t < at(1, 5400000))))
    got = world.cat([keys["a", 1]], "--from", day_of(2), "--until", day_of(1))
    score.check("backwards", got.code == 64 and "not before" in got.err, got)
    return keys["a", 1], full["a", 1], at


def doubtful(world, key, records, at):
    """Receipts that are not there, damaged, or of something else."""
    begin, end = at(1, 3600000), at(1, 7200000)
    want = b"".join(line for t, line in records if inside(begin, end, t))
    receipt = world.receipt(key)
    name = rig.receipt_key(key)

    def runs(what, word, code=0, out=want):
        got = world.cat([key], *flags(begin, end), "--output", "json")
        score.equal(what, (got.code, got.out), (code, out))
        score.check(what + ": says", word in got.err, got.err)

    world.s3.delete_object(Bucket=BUCKET, Key=name)
    runs("no receipt", "it has no receipt: all of it is read: what it lacks "
         "of the interval is not known")
    world.s3.put_object(Bucket=BUCKET, Key=name, Body=b"{}")
    runs("a damaged receipt", "its receipt is damaged")
    world.put_receipt(key, dict(receipt, etag='"%s"' % ("0" * 32)))
    runs("another version", "its receipt is of another object")
    world.put_receipt(key, dict(receipt, index=[]))
    runs("no index", "")
    world.put_receipt(key, dict(receipt, index=[
        [10, 0, at(1), at(2), 1], [receipt["bytes_stored"] + 1, 1, at(1),
                                   at(2), 1]]))
    runs("an index that points behind the object", "")
    world.put_receipt(key, dict(receipt, index=[
        [10, 0, at(1), at(2), 1], [10, 0, at(1), at(2), 1]]))
    runs("entries of nothing", "")
    world.put_receipt(key, dict(receipt, index=[
        [1000, 0, at(1), at(2), receipt["events"]]]))
    got = world.cat([key], *flags(begin, end))
    score.equal("an index that is wrong is damage", got.code, 65)
    world.put_receipt(key, receipt)
    runs("the receipt is good again", "")
    got = world.cat(["nothing.gz", key], *flags(begin, end), "--output",
                    "json")
    score.check("a key that is not there", got.code == 78 and
                "NoSuchKey" in got.err and got.out == want, got)


def offline(world):
    """In a Glacier class: the command that brings it back."""
    group, key = "/glacier", "cold.ndjson.gz"
    world.fill(group, size=3000000)
    world.archive(group, key, "--day", DAY, "--storage-class", "GLACIER")
    got = world.cat([key], *flags(START, START + 60000))
    score.check("37: offline, and how to get it back",
                got.code == 78 and not got.out and
                "firn restore " + url(key) in got.err, got)


def closed_pipe(world, group):
    key = "pipe.ndjson.gz"
    world.archive(group, key, "--day", DAY)
    done = subprocess.run(
        ["sh", "-c", '"$0" "$@" | head -1', world.firn.program, "cat",
         url(key), "--quiet", *flags(START, None)], env=world.firn.environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    score.check("a closed pipe ends quietly", done.stdout.count(b"\n") == 1
                and not done.stderr, done)


def with_moto(program):
    """The same requests against an S3 that we did not write."""
    server, keys, _ = rig.start_moto()
    logs, s3 = (rig.client(s, server, keys) for s in ("logs", "s3"))
    firn = rig.Firn(program, server, keys)
    day = TODAY - rig.DAY_MS
    s3.create_bucket(Bucket=BUCKET)
    logs.create_log_group(logGroupName="/m")
    logs.create_log_stream(logGroupName="/m", logStreamName="s")
    for batch in range(4):
        logs.put_log_events(
            logGroupName="/m", logStreamName="s", logEvents=[
                {"timestamp": day + (batch * 5000 + i) * 4000,
                 "message": "%d %s" % (i, "%x" % chance.getrandbits(200))}
                for i in range(5000)])
    done = firn.archive("/m", url("m.ndjson.gz"), "--day", time.strftime(
        "%Y-%m-%d", time.gmtime(day / 1000)))
    score.equal("moto: archive", done.code, 0)
    everything = lines_of(firn.run("cat", url("m.ndjson.gz"), "--output",
                                   "json").out)
    for begin, end in ((day + 7200000, day + 7260000),
                       (day + 1, day + 40000000), (day + 4000, day + 4001)):
        got = told(firn.run("cat", url("m.ndjson.gz"), "--output", "json",
                            *flags(begin, end)))
        score.equal("moto %s" % flags(begin, end),
                    (got.code, got.err, got.out), (0, "", b"".join(
                        line for t, line in everything
                        if inside(begin, end, t))))


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        rig.ROOT, "build/firn")
    with rig.Model() as model:
        world = World(program, model)
        world.fill("/plain")
        for hour in (1, 2, 12, 23):
            for size in (100000, 140000, 700000):
                world.put("/plain", START + hour * 3600000 + size,
                          "long\n" + "".join("%030x\n" % chance.getrandbits(
                              120) for _ in range(size // 31)))
        world.fill("/hostile", profile="hostile")
        for form in FORMS:
            any_interval(world, "/plain", "plain-%s-%s" % form, form, 16)
        for form in FORMS:
            if form[0] == "ndjson":
                any_interval(world, "/hostile", "hostile-%s-%s" % form, form,
                             16)
        coarse(world, "/plain")
        scattered(world)
        streams(world, "/hostile")
        doubtful(world, *across(world))
        offline(world)
        closed_pipe(world, "/plain")
    with_moto(program)
    sys.exit(score.close())


main()
