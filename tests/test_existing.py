"""test_existing.py - what is stored already is never made poorer: skipped if
it is this very window, refused if it is not, replaced on demand alone, and
not even then once CloudWatch Logs has begun to delete the window.

  test_existing.py [firn]"""
import json
import os
import sys
import time

import rig

score = rig.Score()
NOW = int(time.time() * 1000)
BUCKET = "test-bucket"


def day_before(days):
    return time.strftime("%Y-%m-%d", time.gmtime(NOW / 1000 - days * 86400))


def at(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms // 1000))


class Case:
    """A group of its own, filled for one day, and firn to archive it."""

    def __init__(self, model, firn, name, day):
        self.model, self.firn = model, firn
        self.group, self.window = "/" + name, ("--day", day)
        self.key = name + ".ndjson.gz"
        self.s3 = rig.client("s3", model.url)
        self.keep(365)
        self.fill(day)

    def fill(self, begin):  # a day from there on: a date, or milliseconds
        self.model.control("fill?group=%s&from=%s&events=1000&profile=web" % (
            self.group, begin))

    def keep(self, days):
        self.model.control("group?group=%s&retention=%d&created=%d" % (
            self.group, days, NOW - 200 * rig.DAY_MS))

    def stored(self):
        return self.s3.get_object(Bucket=BUCKET, Key=self.key)["Body"].read()

    def receipt(self):
        return json.loads(self.s3.get_object(
            Bucket=BUCKET, Key=rig.receipt_key(self.key))["Body"].read())

    def runs(self, name, code, action, *words):
        done = self.firn.archive(self.group, "s3://%s/%s" % (
            BUCKET, self.key), *self.window, *words)
        said = json.loads(done.out or "{}")
        score.equal(name, (done.code, said.get("action")), (code, action))
        return said


def expired_is_not_replaced(case):
    case.runs("archived while all of it is there", 0, "archived")
    good = case.stored()
    case.keep(3)
    case.runs("expired, but archived: skipped", 0, "skipped")
    for more in ((), ("--partial",)):
        case.runs("expired: not replaced %s" % (more,), 65, "failed",
                  "--if-exists", "replace", *more)
    score.check("the good archive is still there", case.stored() == good)


def expired_is_not_empty(case):
    case.keep(3)
    for more in ((), ("--partial",), ("--dry-run",)):
        case.runs("wholly expired %s" % (more,), 65, "failed", *more)


def the_rest_is_provisional(case):
    """A window of 24 hours of which 30 days keep the later half, whatever
    the hour is now."""
    middle = NOW - 30 * rig.DAY_MS
    case.group += "_half"
    case.keep(365)
    case.fill(middle - rig.DAY_MS // 2)
    case.window = ("--from", at(middle - rig.DAY_MS // 2),
                   "--until", at(middle + rig.DAY_MS // 2))
    case.keep(30)
    case.runs("partly expired: refused", 65, "failed")
    said = case.runs("partly expired: the rest", 0, "archived", "--partial")
    receipt = case.receipt()
    score.equal("the rest is provisional", receipt["state"], "provisional")
    score.check("the receipt says why", "expired" in receipt["reason"],
                receipt["reason"])
    score.equal("so does the result", said["reason"], receipt["reason"])
    score.check("the rest is less", 0 < receipt["events"] < 1000,
                receipt["events"])


def a_damaged_receipt_can_be_replaced(case):
    case.runs("archived", 0, "archived")
    name = rig.receipt_key(case.key)
    for body in (b"", b"{", b'{"version":99}', b"{" + b" " * 1000000 + b"}"):
        case.s3.put_object(Bucket=BUCKET, Key=name, Body=body)
        said = case.runs("a damaged receipt", 65, "failed")
        score.check("it is named", name in said["reason"], said["reason"])
        case.runs("and replaced", 0, "archived", "--if-exists", "replace")
        score.equal("by a good one", case.receipt()["events"], 1000)


def what_is_there_decides(case):
    case.runs("archived", 0, "archived")
    case.runs("again", 0, "skipped")
    case.runs("fail", 78, "failed", "--if-exists", "fail")
    case.window = ("--day", day_before(6))
    case.runs("another day", 78, "failed")
    case.window = ("--day", day_before(5))
    case.s3.put_object(Bucket=BUCKET, Key=case.key, Body=b"not ours")
    case.runs("another object", 65, "failed")
    case.s3.delete_object(Bucket=BUCKET, Key=rig.receipt_key(case.key))
    case.runs("without a receipt", 78, "failed")
    case.runs("replaced", 0, "archived", "--if-exists", "replace")


CASES = [
    (expired_is_not_replaced, 20), (expired_is_not_empty, 20),
    (the_rest_is_provisional, 30), (a_damaged_receipt_can_be_replaced, 5),
    (what_is_there_decides, 5),
]


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else \
        os.path.join(rig.ROOT, "build/firn")
    with rig.Model() as model:
        firn = rig.Firn(program, model.url)
        for holds, days in CASES:
            holds(Case(model, firn, holds.__name__, day_before(days)))
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
