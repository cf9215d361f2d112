"""test_status.py - firn status: each day of each group, from what lies in S3
and what CloudWatch Logs still holds. A number in a name is the row's in the
table of failures.

  test_status.py [firn]

Days are put into the model of AWS as receipts and objects; each case is what
was put, and what must be told of it. The last cases archive for real, into
the model and into moto."""
import datetime
import json
import os
import sys
import time

import rig
from stored import ACCOUNT, DEFAULT, Store, key_of, midnight

score = rig.Score()
NOW = int(time.time() * 1000)
TODAY = datetime.datetime.fromtimestamp(NOW / 1000,
                                        datetime.timezone.utc).date()
GIVE_UP = ("--give-up", "5")


def ago(days):
    return TODAY - datetime.timedelta(days)


class Case:
    """A fresh prefix and group, and what status says of them."""

    def __init__(self, model, firn, name, retention=30):
        self.model, self.firn, self.name = model, firn, name
        self.group, self.store = "/" + name, Store(model)
        self.template = name + "/" + DEFAULT
        self.kept = set()
        self.keep(retention)

    def keep(self, days, created=400, group=None):
        group = group or self.group
        if group in self.kept:
            self.model.control("delete-group?group=" + group)
        self.kept.add(group)
        self.model.control("group?group=%s&retention=%d&created=%d" % (
            group, days, NOW - created * rig.DAY_MS))

    def put(self, first, last, **more):
        """The days from `first` to `last` days ago; gives the last key."""
        for n in range(first, last - 1, -1):
            key = self.store.day(more.get("group", self.group), ago(n), **{
                "template": self.template,
                **{k: v for k, v in more.items() if k != "group"}})
        return key

    def run(self, *words):
        return self.firn.run("status", "s3://test-bucket/%s/" % self.name,
                             *GIVE_UP, *words)

    def told(self, *words):
        """Exit code, days as (group, day, state), the groups' lines."""
        done = self.run("--output", "json", *words)
        lines = [json.loads(line) for line in done.out.splitlines()]
        self.lines = [x for x in lines if "days" not in x]
        self.groups = [x for x in lines if "days" in x]
        return done

    def says(self, what, code, states, margin=None):
        """`states`: "sealed 3, missing 1": the states, in order of days."""
        done = self.told()
        runs = []
        for line in self.lines:
            if runs and runs[-1][0] == line["state"]:
                runs[-1][1] += 1
            else:
                runs.append([line["state"], 1])
        score.equal("%s: %s" % (self.name, what),
                    (done.code, ", ".join("%s %d" % tuple(r) for r in runs)),
                    (code, states))
        if margin is not None:
            score.equal("%s: %s: margin" % (self.name, what),
                        [g["margin_days"] for g in self.groups], [margin])


def all_is_well(case):
    case.put(40, 15, verified_at=rig.stamp(NOW))
    case.put(14, 1, state="provisional", reason="late events may come")
    case.says("40 days", 0, "sealed 26, provisional 14", 29)
    line = case.lines[0]
    score.equal("a day's line", (
        line["group"], line["day"], line["key"], line["action"],
        line["reason"], line["events"], line["bytes_raw"],
        line["bytes_stored"], line["verified_at"]), (
        case.group, ago(40).isoformat(), key_of(case.template, case.group,
                                                ago(40)), None, None, 10,
        1000, 40, rig.stamp(NOW)))
    score.equal("a reason", case.lines[-1]["reason"], "late events may come")
    group = case.groups[0]
    score.equal("the group's line", (
        group["group"], group["events"], group["bytes_raw"],
        group["days"]["sealed"], group["retention_days"]),
        (case.group, 400, 40000, 26, 30))


def missing_and_expired(case):
    case.put(40, 36)
    case.put(33, 12)
    case.put(10, 3)
    case.says("gaps", 65, "sealed 5, expired 2, sealed 22, missing 1, "
                          "sealed 8, missing 2", 18)
    case.keep(0)
    case.says("kept for ever", 75, "sealed 5, missing 2, sealed 22, missing 1"
                                   ", sealed 8, missing 2")
    score.equal("no margin", case.groups[0]["margin_days"], None)
    case.keep(5)
    case.says("kept for 5 days", 65, "sealed 5, expired 2, sealed 22, "
              "expired 1, sealed 8, missing 2", 2)
    case.keep(30, created=2)
    case.says("created again", 65, "sealed 5, expired 2, sealed 22, "
              "expired 1, sealed 8, expired 1, missing 1")
    score.check("it says so", "older than the log group" in
                case.lines[5]["reason"], case.lines[5])
    done = case.told("--age", "3")
    score.equal("due 3 days ago", len(case.lines), 38)
    score.equal("--age 0", case.run("--age", "0").code, 64)
    case.model.control("delete-group?group=" + case.group)
    case.says("deleted", 65, "sealed 5, expired 2, sealed 22, expired 1, "
                             "sealed 8")
    score.equal("no margin of what is gone",
                case.groups[0]["margin_days"], None)


def damaged_39(case):
    case.put(9, 1)
    receipts = [rig.receipt_key(key_of(case.template, case.group, ago(n)))
                for n in range(10)]
    send, s3 = case.store.send, rig.client("s3", case.model.url)
    send("PUT", receipts[8], b"{")
    case.store.delete(key_of(case.template, case.group, ago(7)))
    send("PUT", key_of(case.template, case.group, ago(6)), b"longer " * 9)
    send("PUT", key_of(case.template, case.group, ago(5)), b"X" * 40)
    send("PUT", receipts[4], b"{" + b" " * 200000 + b"}")
    body = s3.get_object(Bucket="test-bucket", Key=receipts[1])["Body"].read()
    send("PUT", receipts[2], body)
    send("PUT", receipts[3], body.replace(b'"version": 1', b'"version": 2'))
    case.says("seven ways", 65, "sealed 1, damaged 7, sealed 1", 21)
    score.equal("their days", [x["day"] for x in case.lines],
                [ago(n).isoformat() for n in range(9, 0, -1)])
    reasons = [x["reason"] for x in case.lines if x["state"] == "damaged"]
    for reason, want in zip(reasons, (
            "JSON", "gone", "another size", "written over", "128 KiB",
            "its version", "another object's key")):
        score.check("the reason: " + want, want in reason, reason)


def windows_that_are_no_days(case):
    case.put(9, 5)
    hour = midnight(ago(4)) + 10 * 3600000
    case.put(4, 4, **{"from": rig.stamp(hour),
                      "until": rig.stamp(hour + 3600000)})
    case.put(3, 1)
    case.says("an hour is no day", 75, "sealed 6, missing 1, sealed 3")
    score.equal("it has no day", case.lines[5]["day"], None)
    case.put(4, 4)
    case.put(2, 2, stream_prefix="web-")
    case.says("a stream's day is not the group's", 75,
              "sealed 8, missing 1, sealed 1")


def no_window(case):
    key = case.put(3, 1)
    receipt = rig.receipt_key(key)
    s3 = rig.client("s3", case.model.url)
    body = json.loads(s3.get_object(Bucket="test-bucket",
                                    Key=receipt)["Body"].read())
    body["window"], body["source"]["group"] = None, None
    body["state"], body["events"] = "imported", None
    for name in ("first_event", "last_event", "bytes_raw", "digest"):
        body[name] = None
    case.store.send("PUT", receipt, json.dumps(body).encode())
    case.says("an import of no day", 75, "sealed 2, imported 1, missing 1")
    score.equal("nothing is known of it", [case.lines[2][k] for k in (
        "group", "day", "from", "events")], [None] * 4)


def elsewhere(case):
    case.put(3, 2, region="eu-west-1")
    case.says("another region", 75, "sealed 2, missing 1")
    score.check("it is said", "another region" in case.groups[0]["reason"])
    case.store.delete(rig.receipt_key(key_of(case.template, case.group,
                                             ago(3))))
    case.put(2, 2, account="999999999999")
    case.says("another account", 75, "sealed 1, missing 1")
    score.check("that, too", "or account" in case.groups[0]["reason"])


def names_that_sort_oddly_26(case):
    names = ["/o/a", "/o/a-b", "/o/a.b", "/o/a/b", "/o/a/dt", "/o/a#", "o/a",
             "/o/a/dz", "/O/a", "/o/a_b", "/o/aa"]
    for name in names[:-5] + names[-4:]:
        case.keep(30, group=name.replace("#", "%23"))
        case.put(5, 1, group=name)
    case.says("groups apart", 0, "sealed 50")
    score.equal("each once", sorted(g["group"] for g in case.groups),
                sorted(names[:-5] + names[-4:]))


def dates_first(case):
    """Groups stand side by side."""
    template = case.name + "/{yyyy}/{mm}/{dd}/{group}.{ext}"
    groups = ["/d/%03d" % i for i in range(40)]
    for name in groups:
        case.keep(30, group=name)
        for n in range(6, 1, -1):
            if (name, n) != ("/d/007", 4):
                case.store.day(name, ago(n), template=template)
    done = case.told()
    score.equal("dates first", (done.code, len(case.groups)), (75, 40))
    score.equal("each has a missing day", [
        (g["days"]["sealed"], g["days"]["missing"]) for g in case.groups
        if g["group"] != "/d/007"], [(5, 1)] * 39)
    score.equal("one has two", [
        x["day"] for x in case.lines if x["group"] == "/d/007" and
        x["state"] == "missing"], [ago(4).isoformat(), ago(1).isoformat()])


def too_many_side_by_side(case):
    most = 256 if "small" in case.firn.program else 1024
    case.model.control("set?check-signature=0")
    for i in range(most + 1):
        case.store.raw_day("/m/%04d" % i, ago(1),
                           template=case.name + "/{date}/{group}.{ext}")
    case.model.control("set?check-signature=1")
    done = case.run()
    score.check("too many groups", done.code == 78 and
                "CFG_STATUS_GROUPS=" in done.err, (done.code, done.err[-300:]))


def zones(case):
    for zone in ("Asia/Seoul", "America/New_York", "Australia/Lord_Howe"):
        group = "/z/" + zone.replace("/", "-")
        case.keep(0, group=group)
        today = datetime.datetime.fromtimestamp(
            NOW / 1000, __import__("zoneinfo").ZoneInfo(zone)).date()
        case.model.control("set?check-signature=0")
        for n in range(300, 0, -1):
            if n != 100:
                case.store.raw_day(group, today - datetime.timedelta(n),
                                   zone=zone, template=case.template)
        case.model.control("set?check-signature=1")
    done = case.told()
    score.equal("zones", (done.code, [
        (g["days"]["sealed"], g["days"]["missing"]) for g in case.groups]),
        (75, [(299, 1)] * 3))
    score.check("whole days all", all(x["day"] for x in case.lines))


def a_change_of_zone_59(case):
    """The first window in Seoul begins where the last one in UTC ends."""
    case.put(9, 6)
    case.store.day(case.group, ago(5), zone="Asia/Seoul",
                   template=case.template,
                   **{"from": rig.stamp(midnight(ago(5)))})
    today = datetime.datetime.fromtimestamp(
        NOW / 1000 + 9 * 3600, datetime.timezone.utc).date()
    n = 4
    while ago(n) < today:
        case.store.day(case.group, ago(n), zone="Asia/Seoul",
                       template=case.template)
        n -= 1
    done = case.told()
    score.equal("a change of zone leaves no gap", (done.code, {
        x["state"] for x in case.lines}), (0, {"sealed"}))


def odd_keys(case):
    case.name = case.name + "/a b+c&d%20'\u00fc/x=1"
    case.template = case.name + "/" + DEFAULT
    case.put(3, 1)
    case.says("a key that must be encoded", 0, "sealed 3")
    case.store.send("PUT", case.name + "/_x.checkpoint.json", b"{}")
    case.store.send("PUT", case.name + "/x.receipt.json", b"not one")
    case.store.send("PUT", case.name + "/_y.receipt.json.gz", b"not one")
    case.says("others beside", 0, "sealed 3")
    case.store.send("PUT", case.name + "/_receipt.json", b"not one")
    case.store.send("PUT", case.name + "/_.receipt.json", b"not one")
    case.says("a receipt of nothing", 65, "sealed 3, damaged 1")


def pages_and_faults(case):
    """1,400 keys are two pages; what is cut is read again."""
    case.model.control("set?check-signature=0")
    for n in range(700, 0, -1):
        case.store.raw_day(case.group, ago(n), template=case.template)
    case.model.control("set?check-signature=1")
    case.keep(0)
    for fault in ("", "ListObjectsV2 #1 cut=100000", "ListObjectsV2 #2 lost",
                  "ListObjectsV2 #1-2 cut=?", "GetObject %50 lost",
                  "HeadObject %50 reset", "GetObject %100 error=SlowDown "
                  "status=503 times=9", "DescribeLogGroups #1 "
                  "error=ThrottlingException status=400",
                  "* %50 error=InternalError status=500 times=30",
                  "GetObject %50 cut=500"):
        if fault:
            case.model.control("fault", fault.encode())
        case.says(fault or "two pages", 0, "sealed 700")
        case.model.control("clear-faults")
    case.model.control("set?return-sums=0&opaque-etags=0")
    case.says("a store without checksums", 0, "sealed 700")
    case.model.control("set?return-sums=1")
    for fault, code in (
            ("ListObjectsV2 error=AccessDenied status=403", 77),
            ("GetObject #50- error=AccessDenied status=403", 77),
            ("DescribeLogGroups error=AccessDeniedException status=400", 77),
            ("ListObjectsV2 reset", 69)):
        case.model.control("fault", fault.encode())
        done = case.run()
        score.equal(fault, done.code, code)
        score.check("it names it", fault.split()[0].replace(
            "ListObjectsV2", "s3:ListBucket") in done.err or code == 69,
            done.err[-300:])
        case.model.control("clear-faults")


def drawn(case):
    first = datetime.date(2026, 1, 30)
    last = first + datetime.timedelta(40)
    days = (TODAY - first).days
    case.keep(0)
    case.model.control("set?check-signature=0")
    for n in range(days, 0, -1):
        state = "provisional" if n <= 14 else "sealed"
        more = {"verified_at": rig.stamp(NOW)} if n > 100 else {}
        if ago(n) != last:
            case.store.raw_day(case.group, ago(n), state=state,
                               template=case.template, **more)
    case.model.control("set?check-signature=1")
    done = case.run("--output", "text")
    lines = done.out.decode().splitlines()
    score.equal("drawn", lines[:4], [
        "/drawn  us-east-1  retention never ends",
        "  2026-01  " + " " * 29 + "SS", "  2026-02  " + "S" * 28,
        "  2026-03  " + "S" * 10 + "-" + "S" * 20])
    score.check("the sum", "1 missing; " in done.out.decode(), lines[-4:])
    score.check("the legend", lines[-1].startswith("s sealed"), lines[-1])
    score.equal("its exit", done.code, 75)
    score.equal("elsewhere it is JSON", case.run().out[:1], b"{")


def usage(case):
    for url, code in (("s3://test-bucket/no/", 0), ("s3://test-bucket/no", 64),
                      ("s3://no-such-bucket-here/", 78), ("firn.json", 78),
                      ("/x", 78)):
        done = case.firn.run("status", url, *GIVE_UP)
        score.equal("status " + url, (done.code, done.out), (code, b""))
    done = case.firn.run("status")
    score.equal("status of nothing", done.code, 64)


def archived_for_real(case):
    """As firn archives it: below the default template, at the root."""
    case.model.control("bucket?name=other-bucket")
    for n in (3, 2, 1):
        case.model.control("fill?group=%s&from=%s&events=500" % (
            case.group, ago(n)))
        done = case.firn.archive(case.group, "s3://other-bucket", "--day",
                                 ago(n).isoformat())
        score.equal("archived", done.code, 0)
    done = case.firn.run("status", "s3://other-bucket", *GIVE_UP)
    lines = [json.loads(x) for x in done.out.splitlines()]
    score.equal("what firn archived", (done.code, [
        (x["state"], x["events"]) for x in lines[:3]], lines[3]["events"]),
        (0, [("provisional", 500)] * 3, 1500))


def with_moto(program):
    url, keys, reader = rig.start_moto()
    firn, s3 = rig.Firn(program, url, keys), rig.client("s3", url, keys)
    logs = rig.client("logs", url, keys)
    s3.create_bucket(Bucket="acme-logs")
    for group in ("/m/one", "/m/two"):
        logs.create_log_group(logGroupName=group)
        logs.put_retention_policy(logGroupName=group, retentionInDays=30)
        for n in (2, 1):
            # Debian 13's moto refuses, of boto3 too, a "=" in a
            # key, and a "/" in a query.
            done = firn.archive(group, "s3://acme-logs/{group}/{date}."
                                "{ext}", "--day", ago(n).isoformat())
            score.check("moto: archived", done.code == 0, done.err[-400:])
    done = firn.run("status", "s3://acme-logs/", *GIVE_UP)
    lines = [json.loads(x) for x in done.out.splitlines()]
    score.equal("moto: status", (done.code, [x["state"] for x in lines]),
                (0, ["provisional", "provisional", None] * 2))
    score.equal("moto: margin", [x["margin_days"] for x in lines[2::3]],
                [29, 29])
    s3.delete_object(Bucket="acme-logs", Key=lines[0]["key"])
    done = firn.run("status", "s3://acme-logs/", *GIVE_UP)
    score.equal("moto: an object is gone", (
        done.code, json.loads(done.out.splitlines()[0])["state"]),
        (65, "damaged"))
    done = rig.Firn(program, url, reader).run("status", "s3://acme-logs/",
                                              *GIVE_UP)
    score.check("moto: no right to read receipts", done.code == 77 and
                "s3:GetObject" in done.err, (done.code, done.err[-300:]))


CASES = [
    all_is_well, missing_and_expired, damaged_39, windows_that_are_no_days,
    no_window, elsewhere, names_that_sort_oddly_26, dates_first,
    too_many_side_by_side, zones, a_change_of_zone_59, odd_keys,
    pages_and_faults, drawn, usage, archived_for_real,
]


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else \
        os.path.join(rig.ROOT, "build/firn")
    with rig.Model() as model:
        firn = rig.Firn(program, model.url)
        for holds in CASES:
            holds(Case(model, firn, holds.__name__))
    with_moto(program)
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
