"""test_retention.py - firn retention lowers what CloudWatch Logs keeps only if
nothing would be lost by it. A number in a name is the row's in the table of
failures.

  test_retention.py [firn]

Days are put into the model of AWS as receipts and objects; what CloudWatch
keeps afterwards is asked of it by boto3."""
import datetime
import json
import os
import sys
import time

import rig
from stored import DEFAULT, Store, key_of, midnight

score = rig.Score()
NOW = int(time.time() * 1000)
TODAY = datetime.datetime.fromtimestamp(NOW / 1000,
                                        datetime.timezone.utc).date()
SEEN = {"verified_at": rig.stamp(NOW)}


def ago(days):
    return TODAY - datetime.timedelta(days)


class Case:
    """A fresh group, 60 days old, all of them archived, sealed, verified."""

    def __init__(self, model, firn, name):
        self.model, self.firn, self.store = model, firn, Store(model)
        self.group, self.template = "/" + name, name + "/" + DEFAULT
        self.archive = "s3://test-bucket/%s/" % name
        self.logs = rig.client("logs", model.url)
        self.keep(0, 60)

    def keep(self, days, created):
        if self.kept() is not None:
            self.model.control("delete-group?group=" + self.group)
        self.model.control("group?group=%s&retention=%d&created=%d" % (
            self.group, days, NOW - created * rig.DAY_MS))

    def kept(self):
        """Days; 0: for ever; None: no such group."""
        groups = self.logs.describe_log_groups(
            logGroupNamePrefix=self.group)["logGroups"]
        return groups[0].get("retentionInDays", 0) if groups else None

    def put(self, first=60, last=1, **changes):
        self.model.control("set?check-signature=0")
        for n in range(first, last - 1, -1):
            key = self.store.raw_day(
                self.group, ago(n), template=self.template, **{
                    "state": "sealed" if n > 14 else "provisional", **SEEN,
                    **changes})
        self.model.control("set?check-signature=1")
        return key

    def key(self, days):
        return key_of(self.template, self.group, ago(days))

    def run(self, days, *words):
        return self.firn.run("retention", "--group", self.group, "--days",
                             str(days), "--archive", self.archive,
                             "--give-up", "5", *words)

    def sets(self, what, days, *words):
        done = self.run(days, *words)
        score.equal("%s: %s" % (self.group, what), (
            done.code, self.kept(), done.code and done.err), (0, days, 0))
        return done

    def refuses(self, what, code, days, *says, words=()):
        """Nothing has changed, and the sentence says why."""
        before = self.kept()
        done = self.run(days, *words)
        sentence = next((x for x in done.err.splitlines() if x[:1] != "{"),
                        "")
        score.equal("%s: %s" % (self.group, what),
                    (done.code, self.kept(), done.out), (code, before, b""))
        for words in says:
            score.check("%s: %s: says %s" % (self.group, what, words),
                        words in sentence, sentence)
        score.check("%s: one line" % what, len(sentence) < 330, sentence)


def all_is_safe(case):
    case.put()
    done = case.sets("lowered", 30)
    score.check("the result", b"set the retention of " + case.group.encode() +
                b" to 30 days, from never; 31 days may expire" in done.out,
                done.out)
    score.check("no warning", "warning" not in done.err, done.err)
    done = case.sets("again", 30)
    score.check("unchanged", done.out.startswith(b"unchanged"), done.out)
    case.sets("raised, without a guard", 365)
    case.sets("lowered to what it was", 30, "--output", "json")
    done = case.run(14, "--dry-run", "--accept-provisional", "--output",
                    "json")
    score.equal("a dry run", (done.code, case.kept(), json.loads(
        done.out)["action"]), (0, 30, "would set"))
    done = case.sets("14 days", 14, "--accept-provisional")
    score.check("14 days are warned of", "30 days would do" in done.err,
                done.err)


def missing(case):
    case.refuses("nothing is archived", 65, 30, "retention left at never: "
                 "31 days are not safe: %s to %s not archived" % (
                     ago(60), ago(30)), 'Set "backfill_days": 60')
    case.put()
    for days in (45, 30):
        case.store.delete(rig.receipt_key(case.key(days)))
    case.refuses("two are missing", 65, 30, "2 days are not safe: %s not "
                 "archived, %s not archived" % (ago(45), ago(30)),
                 'Set "backfill_days": 50')
    case.put(45, 45)
    case.refuses("one in reach of a run", 75, 30, "1 day is not safe: %s not "
                 "archived" % ago(30), "Run again when they are archived")
    case.sets("it would not expire", 60)
    case.put(30, 30)
    case.sets("all are there", 30)


def not_sealed_62(case):
    case.put()
    case.refuses("provisional", 75, 7, "%s to %s not sealed" % (
        ago(14), ago(7)), "recounted, from %s on" % (
            ago(7) + datetime.timedelta(15)))
    case.sets("accepted", 7, "--accept-provisional")
    case.keep(14, 60)
    case.refuses("never to be recounted", 65, 7, "not sealed",
                 "--accept-provisional")
    case.keep(30, 60)
    case.put(25, 20, state="imported")
    case.refuses("imported", 75, 14, "%s to %s not sealed" % (
        ago(25), ago(20)), words=("--accept-provisional",))


def not_verified(case):
    case.put(verified_at=None)
    case.refuses("not read back", 75, 30, "31 days are not safe: %s to %s "
                 "not verified" % (ago(60), ago(30)), "firn verify")
    case.put(59)
    case.refuses("but for one", 75, 30, "1 day is not safe")
    s3 = rig.client("s3", case.model.url)
    for class_name, code in (("STANDARD_IA", 75), ("GLACIER", 0)):
        case.put(verified_at=None)
        for n in range(60, 29, -1):
            s3.copy_object(Bucket="test-bucket", Key=case.key(n),
                           CopySource="test-bucket/" + case.key(n),
                           StorageClass=class_name)
        done = case.run(30)
        score.equal("in class " + class_name, done.code, code)
    score.equal("S3's checksum vouches", case.kept(), 30)


def damaged(case):
    case.put()
    case.store.send("PUT", rig.receipt_key(case.key(50)), b"{")
    case.refuses("a receipt", 65, 30, "%s damaged" % ago(50),
                 "--if-exists replace")
    case.put(50, 50)
    case.store.delete(case.key(40))
    case.refuses("an object", 65, 30, "%s damaged" % ago(40))
    case.put(40, 40)
    case.store.send("PUT", case.key(41), b"another")
    case.store.send("PUT", case.key(43), b"another")
    case.store.send("PUT", case.key(45), b"another")
    case.store.send("PUT", case.key(47), b"another")
    case.refuses("four objects", 65, 30, "4 days are not safe",
                 "%s damaged, and more" % ago(43))


def someone_elses(case):
    case.put()
    for changes in ({"region": "eu-west-1"}, {"account": "999999999999"},
                    {"group": "/other"}, {"stream_prefix": "web"}):
        name = list(changes)[0]
        case.put(44, 44)
        key = case.key(44)
        s3 = rig.client("s3", case.model.url)
        body = json.loads(s3.get_object(
            Bucket="test-bucket",
            Key=rig.receipt_key(key))["Body"].read())
        body["source"].update(changes)
        case.store.send("PUT", rig.receipt_key(key),
                        json.dumps(body).encode())
        case.refuses("another " + name, 65, 30,
                     "%s of something else" % ago(44))
    case.put(44, 44)
    case.sets("all ours", 30)


def young_and_renamed(case):
    case.keep(0, 20)
    case.sets("nothing is that old", 30)
    case.refuses("but for 14 days", 75, 14, "7 days are not safe")
    case.keep(0, 400)
    case.put(60, 1)
    case.refuses("a group older than its archive", 65, 30,
                 "not archived", 'Set "backfill_days": 400')
    case.keep(60, 400)
    case.put(61, 61)
    case.sets("what expired long ago does not count", 30)
    case.keep(0, 25)
    case.sets("created again after the archive", 30)


def older_than_their_group(case):
    """A collector brings old events on its first day."""
    case.keep(0, 25)
    at = NOW - 35 * rig.DAY_MS
    for after in (10, 0):
        case.model.control("event?group=%s&stream=s&timestamp=%d&ingestion="
                           "%d" % (case.group, at + after * rig.DAY_MS,
                                   NOW - 24 * rig.DAY_MS), b"x" * 200000)
    case.refuses("events older than the group", 65, 30, "days are not safe",
                 "%s to %s not archived" % (ago(39), ago(30)))
    case.keep(0, 25)
    case.model.control("event?group=%s&stream=s&timestamp=%d&ingestion=%d" % (
        case.group, at, NOW - 24 * rig.DAY_MS), b"old")
    case.refuses("their day is known", 65, 30, "6 days are not safe: %s to "
                 "%s not archived" % (ago(35), ago(30)))
    case.model.control("set?empty-pages=900")
    case.refuses("behind empty pages", 65, 30, "6 days are not safe")
    case.model.control("set?empty-pages=0")
    case.model.control("fault", b"FilterLogEvents error=AccessDeniedException"
                                b" status=400")
    case.refuses("no right to look", 77, 30, "logs:FilterLogEvents")
    case.model.control("clear-faults")
    case.put(35, 30)
    case.sets("archived", 30)


def the_whole_road(case):
    """Archived, verified, then let go; status says so."""
    case.keep(0, 33)
    days = [ago(n) for n in range(33, 29, -1)]
    for day in days:
        case.model.control("fill?group=%s&from=%s&events=200" % (
            case.group, day))
        done = case.firn.archive(case.group, case.archive, "--day",
                                 day.isoformat())
        score.equal("archived", (done.code, json.loads(done.out)["state"]),
                    (0, "sealed"))
    case.refuses("archived, not verified", 75, 30, "4 days are not safe",
                 "not verified", "firn verify")
    done = case.firn.run("verify", "--give-up", "5", *(
        "s3://test-bucket/" + key_of(case.template, case.group, day)
        for day in days))
    score.equal("verified", done.code, 0)
    case.sets("verified", 30)
    done = case.firn.run("status", case.archive, "--give-up", "5", "--age",
                         "30")
    lines = [json.loads(line) for line in done.out.splitlines()]
    score.check("status says so", done.code == 0 and len(lines) == 5 and all(
        x["state"] == "sealed" and x["verified_at"] for x in lines[:-1]),
        (done.code, lines))


def zones_59(case):
    """The first window in Seoul begins where the last one in UTC ends."""
    case.put(61, 40)
    seoul = datetime.datetime.fromtimestamp(NOW / 1000 + 9 * 3600,
                                            datetime.timezone.utc).date()
    case.model.control("set?check-signature=0")
    day = ago(39)
    case.store.raw_day(case.group, day, zone="Asia/Seoul",
                       template=case.template, **SEEN, **{
                           "from": rig.stamp(midnight(day))})
    while day < seoul - datetime.timedelta(1):
        day += datetime.timedelta(1)
        case.store.raw_day(case.group, day, zone="Asia/Seoul",
                           template=case.template, **SEEN)
    case.model.control("set?check-signature=1")
    case.sets("a change of zone", 30, "--timezone", "Asia/Seoul")
    case.keep(0, 60)
    case.store.delete(rig.receipt_key(case.key(39)))
    case.refuses("a hole where it changed", 65, 30, "not archived",
                 words=("--timezone", "Asia/Seoul"))
    case.refuses("no such zone", 78, 30, "nearest",
                 words=("--timezone", "Asia/Soul"))


def other_templates(case):
    case.archive = "s3://test-bucket/%s/{yyyy}/{mm}/x-{dd}.log.gz" % \
        case.group[1:]
    case.template = case.group[1:] + "/{yyyy}/{mm}/x-{dd}.{ext}"
    case.put()
    case.sets("another template, another format", 30)
    case.put(60, 50, format="text", fields=["timestamp", "message"])
    case.keep(0, 60)
    done = case.sets("text", 30)
    score.check("text is warned of", "names of their streams" in done.err,
                done.err)


def usage(case):
    case.refuses("days that are not allowed", 64, 29, "nearest: 30")
    case.refuses("days that are not allowed", 64, 1000, "nearest: 1096")
    case.refuses("no days", 64, 0)
    case.archive = "s3://test-bucket/x/all.gz"
    case.refuses("one key for all days", 64, 30, "{date}")
    case.archive = "s3://test-bucket/x/{group}-{dd}.gz"
    case.refuses("days of all months", 64, 30, "{date}")
    case.archive = "s3://no-such-bucket-at-all/"
    case.refuses("no such bucket", 78, 30, "no-such-bucket-at-all")
    case.archive, case.group = "s3://test-bucket/", "/usagi"
    done = case.run(30)
    score.check("no such group", done.code == 78 and
                'nearest: "/usage"' in done.err, done.err)


def faults(case):
    case.put()
    for fault in ("GetObject %100 lost", "* %100 error=InternalError "
                  "status=500 times=20", "PutRetentionPolicy #1 lost",
                  "PutRetentionPolicy #1 error=ThrottlingException "
                  "status=400"):
        case.keep(0, 60)
        case.model.control("fault", fault.encode())
        case.sets(fault, 30)
        case.model.control("clear-faults")
    case.keep(0, 60)
    for fault, code, say in (
            ("PutRetentionPolicy error=AccessDeniedException status=400", 77,
             "logs:PutRetentionPolicy"),
            ("GetObject #20- error=AccessDenied status=403", 77,
             "s3:GetObject"),
            ("GetObject #20- reset", 69, "s3:GetObject"),
            ("HeadObject #20- error=AccessDenied status=403", 77,
             "s3:GetObject")):
        case.model.control("fault", fault.encode())
        case.refuses(fault, code, 30, say)
        case.model.control("clear-faults")


def with_moto(program):
    url, keys, _ = rig.start_moto()
    firn, s3 = rig.Firn(program, url, keys), rig.client("s3", url, keys)
    logs = rig.client("logs", url, keys)
    s3.create_bucket(Bucket="acme-logs")
    logs.create_log_group(logGroupName="/m/one")
    done = firn.run("retention", "--group", "/m/one", "--days", "30",
                    "--archive", "s3://acme-logs/", "--give-up", "5")
    kept = logs.describe_log_groups()["logGroups"][0]["retentionInDays"]
    score.equal("moto: set", (done.code, kept), (0, 30))


CASES = [
    all_is_safe, missing, not_sealed_62, not_verified, damaged, someone_elses,
    young_and_renamed, older_than_their_group, the_whole_road,
    zones_59,
    other_templates, usage, faults,
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
