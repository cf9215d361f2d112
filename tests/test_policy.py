#!/usr/bin/env python3
"""test_policy.py - what `firn policy` prints is enough, and no more.

    PYTHONPATH=build/moto/python tests/test_policy.py [FIRN]

moto checks signatures and policies. Under exactly what is printed a day is
archived that is interrupted, with an upload of a dead run beside it, and
retention is set; then without each action in turn, and something must be
amiss. The same with --read-only, for status and cat.

The same for exports. moto knows no resources of CloudWatch Logs, nor asks for
keys when many are deleted. Both are told to it here: the former as AWS names
them in its refusals. Not shown so: KMS, which moto's S3 does not ask; roles
of other accounts are test_roles.py's.
"""
import base64
import copy
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

from rig import Firn, REGION, ROOT, Score, add_user, client
from test_moto import ACCOUNT, DAY, DAY_MS, Event, START, put

score = Score()
NEEDED = {"logs:DescribeLogGroups", "logs:FilterLogEvents",
          "logs:PutRetentionPolicy", "s3:ListBucket",
          "s3:ListBucketMultipartUploads", "s3:GetObject", "s3:PutObject",
          "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts",
          "s3:DeleteObject"}
EXPORTS = {"logs:CreateExportTask", "logs:DescribeExportTasks",
           "s3:GetBucketPolicy"}
READ_ONLY = {"logs:DescribeLogGroups", "s3:ListBucket", "s3:GetObject"}


def noise():
    """20 MB that hardly compress, on more pages than one second gives."""
    chance = random.Random(4)
    return [Event(START + i * DAY_MS // 34000, "noise", base64.b64encode(
        chance.randbytes(450)).decode()) for i in range(34000)]


# --- moto, with resources -----------------------------------------------------

def start():
    """Its URL, and the keys of one who may do all."""
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "3"
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    from moto.logs.responses import LogsResponse
    from moto.s3.responses import S3Response
    from moto.server import ThreadedMotoServer

    def resource(self):
        group = self._get_param("logGroupName") or ""
        return "arn:aws:logs:%s:%s:log-group:%s:log-stream:" % (
            REGION, ACCOUNT, group)

    LogsResponse._determine_resource = resource
    keys_are_asked_for(S3Response)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://127.0.0.1:%d" % server.get_host_and_port()[1]
    return url, add_user(client("iam", url), "admin", ["*"])


def keys_are_asked_for(responses):
    """DeleteObjects needs s3:DeleteObject of each key; moto asks for it of the
    bucket."""
    plain = responses._bucket_response_delete_keys

    def delete(self, bucket_name, authenticated=True):
        try:
            for key in re.findall("<Key>(.*?)</Key>", self.body.decode()):
                self._authenticate_and_authorize_s3_action(bucket_name, key)
            authenticated = True
        except Exception:  # pylint: disable=broad-except
            authenticated = False
        return plain(self, bucket_name, authenticated)

    responses._bucket_response_delete_keys = delete


class Account:
    """One who may do all, and groups and buckets made for others."""

    def __init__(self, program):
        self.url, self.keys = start()
        self.program, self.count = program, 0
        self.iam = self.aws("iam")

    def aws(self, service):
        return client(service, self.url, self.keys)

    def user(self, document):
        """firn with the keys of a new user of that policy."""
        self.count += 1
        name = "user-%d" % self.count
        self.iam.create_user(UserName=name)
        self.iam.put_user_policy(UserName=name, PolicyName="p",
                                 PolicyDocument=json.dumps(document))
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return Firn(self.program, self.url, (key["AccessKeyId"],
                                             key["SecretAccessKey"]))


class Place:
    """A group with a day, a bucket with what a dead run left, a
    configuration of both."""

    def __init__(self, account, where, name, events):
        self.account = account
        self.group, self.bucket = "/%s/app" % name, "logs-" + name
        self.s3 = account.aws("s3")
        self.s3.create_bucket(Bucket=self.bucket)
        put(account.aws("logs"), self.group, events)
        from moto.logs.models import logs_backends
        logs_backends[ACCOUNT][REGION].groups[
            self.group].creation_time = START - DAY_MS  # else nothing is due
        self.folder = "a/%s/%s/%s/app/%s/" % (ACCOUNT, REGION, name, DAY)
        self.key = self.folder + "events.ndjson.gz"
        self.s3.create_multipart_upload(Bucket=self.bucket, Key=self.key)
        self.config = os.path.join(where, name + ".json")
        with open(self.config, "w") as f:
            json.dump({
                "region": REGION, "groups": ["/%s/*" % name],
                "to": "s3://%s/a/{account}/{region}/{group}/{date}/"
                "events.{ext}" % self.bucket, "backfill_days": 1,
                "retention_days": 14, "accept_provisional": True}, f)

    def policy(self, *words, config=None):
        done = Firn(self.account.program, self.account.url).run(
            "policy", config or self.config, *words)
        score.equal("firn policy: exit", (done.code, done.err if done.code
                                          else ""), (0, ""))
        return json.loads(done.out)

    def parts(self):
        return [len(self.s3.list_parts(
            Bucket=self.bucket, Key=self.key,
            UploadId=u["UploadId"]).get("Parts", [])) for u in
            self.s3.list_multipart_uploads(Bucket=self.bucket).get(
                "Uploads", [])]

    def interrupted(self, firn):
        """A run that is stopped once a part is there; its exit code."""
        run = subprocess.Popen(
            [firn.program, "run", self.config, "--rate", "1", "--give-up",
             "5"], env=firn.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while run.poll() is None and time.monotonic() < until:
            if any(self.parts()):
                run.send_signal(signal.SIGTERM)
                break
            time.sleep(0.05)
        return run.wait()

    def amiss(self, firn):
        """What is not as it should be, after two runs; "" if all is."""
        code = self.interrupted(firn)
        if code != 75:
            return "the first run ended with %d" % code
        open_before = sum(n > 0 for n in self.parts())
        done = firn.run("run", self.config, "--rate", "1000", "--give-up",
                        "5")
        if done.code:
            return "the second run: %d, %s" % (done.code, done.err[-300:])
        there = sorted(o["Key"] for o in self.s3.list_objects_v2(
            Bucket=self.bucket).get("Contents", []))
        if there != [self.folder + "_events.receipt.json", self.key]:
            return "there is %r" % there
        kept = self.account.aws("logs").describe_log_groups(
            logGroupNamePrefix=self.group)["logGroups"][0]
        if kept.get("retentionInDays") != 14:
            return "retention is %r" % kept.get("retentionInDays")
        left = self.parts()
        return "uploads are left: %r" % left if left else "" \
            if open_before == 1 else "no part was left to go on with"


# --- policies -----------------------------------------------------------------

def actions(document):
    return {a for s in document["Statement"] for a in s["Action"]}


def without(document, action):
    less = copy.deepcopy(document)
    for statement in less["Statement"]:
        statement["Action"] = [a for a in statement["Action"] if a != action]
    less["Statement"] = [s for s in less["Statement"] if s["Action"]]
    return less


def run_holds(account, where, events):
    place = Place(account, where, "all", events)
    document = place.policy()
    score.equal("the policy's actions", actions(document), NEEDED)
    firn = account.user(document)
    score.equal("enough", place.amiss(firn), "")
    for action in sorted(NEEDED):
        name = action.split(":")[1].lower()
        place = Place(account, where, name, events)
        user = account.user(without(place.policy(), action))
        amiss = place.amiss(user)
        score.check("not enough without " + action, amiss)
        print("without %s: %s" % (action, amiss[:200].replace("\n", " ")))
    return firn


# --- exports ------------------------------------------------------------------

class Exported(Place):
    """The same by way of an export, of the day before, and another bucket
    that lets nobody in."""

    def __init__(self, account, where, name, events):
        super().__init__(account, where, name, events)
        self.s3.create_bucket(Bucket=self.bucket + "-shut")
        self.day = time.strftime("%Y-%m-%d", time.gmtime(
            (START - DAY_MS) // 1000))
        self.folder = self.folder.replace(DAY, self.day)
        with open(self.config) as f:
            config = json.load(f)
        config.update(groups=[{"name": self.group, "via": "export"}],
                      age_days=2, backfill_days=2, bucket_owner=ACCOUNT)
        del config["retention_days"], config["accept_provisional"]
        self.shut = dict(config, to=config["to"].replace(
            self.bucket, self.bucket + "-shut"))
        with open(self.config, "w") as f:
            json.dump(config, f)

    def policy(self, *words, config=None):
        document = super().policy(*words, config=config)
        if not words:  # both buckets'
            more = super().policy(config=json.dumps(self.shut))["Statement"]
            document["Statement"] += [dict(s, Sid=s["Sid"] + "Too")
                                      for s in more]
        return document

    def amiss(self, firn):
        shut = firn.run("run", json.dumps(self.shut), "--give-up", "5")
        if shut.code != 78 or "firn policy --bucket" not in shut.err:
            return "a bucket that is shut: %d, %s" % (
                shut.code, shut.err[-200:])
        self.s3.put_bucket_policy(
            Bucket=self.bucket, Policy=json.dumps(self.policy("--bucket")))
        done = firn.run("run", self.config, "--give-up", "5")
        if done.code:
            return "the run: %d, %s" % (done.code, done.err[-300:])
        there = sorted(o["Key"] for o in self.s3.list_objects_v2(
            Bucket=self.bucket).get("Contents", [])
            if o["Key"] != "aws-logs-write-test")  # moto's is at the root
        return "" if there == [
            self.folder + "_events.receipt.json",
            self.folder + "events.ndjson.gz"] else "there is %r" % there


def exports_hold(account, where):
    events = [Event(START - DAY_MS + i, "web", "event %d" % i)
              for i in range(100)]
    place = Exported(account, where, "exported", events)
    document = place.policy()
    score.equal("exports: the policy's actions", actions(document),
                NEEDED - {"logs:PutRetentionPolicy"} | EXPORTS)
    score.equal("exports: enough", place.amiss(account.user(document)), "")
    for action in sorted(EXPORTS):
        place = Exported(account, where, "exported-" + action.split(
            ":")[1].lower(), events)
        amiss = place.amiss(account.user(without(place.policy(), action)))
        score.check("exports: not enough without " + action, amiss)
        print("without %s: %s" % (action, amiss[:200].replace("\n", " ")))
    place = Exported(account, where, "exported-files", events)
    document = place.policy()
    document["Statement"] = [s for s in document["Statement"]
                             if not s["Sid"].startswith("DropExports")]
    score.check("exports: not enough without DropExports",
                place.amiss(account.user(document)))


def no_more(account, firn):
    """Neither other groups nor what lies beside the archives."""
    keys = (firn.environment["AWS_ACCESS_KEY_ID"],
            firn.environment["AWS_SECRET_ACCESS_KEY"])
    s3, logs = (client(n, account.url, keys) for n in ("s3", "logs"))
    receipt = "a/%s/%s/all/app/%s/_events.receipt.json" % (
        ACCOUNT, REGION, DAY)
    for name, call in (
            ("another group", lambda: logs.filter_log_events(
                logGroupName="/getobject/app")),
            ("a group's deletion", lambda: logs.delete_log_group(
                logGroupName="/all/app")),
            ("another prefix", lambda: s3.put_object(
                Bucket="logs-all", Key="b/x", Body=b"")),
            ("another bucket", lambda: s3.list_objects_v2(
                Bucket="logs-getobject")),
            ("a receipt's deletion", lambda: s3.delete_object(
                Bucket="logs-all", Key=receipt))):
        try:
            call()
            score.check("no more: " + name, False, "it is allowed")
        except Exception as e:  # pylint: disable=broad-except
            score.check("no more: " + name, "AccessDenied" in str(e), e)


def read_only_holds(account, where, events):
    place = Place(account, where, "seen", events)
    place.amiss(account.user(place.policy()))
    document = place.policy("--read-only")
    score.equal("--read-only: actions", actions(document), READ_ONLY)
    archive = "s3://%s/%s" % (place.bucket, place.key)

    def amiss(firn):
        status = firn.run("status", "s3://%s/a/" % place.bucket, "--give-up",
                          "5", "--output", "json")
        cat = firn.run("cat", archive, "--give-up", "5", "--output", "json")
        # One listing tells what there is, by its prefix too.
        return [done.code for done in (status, cat) if done.code] or (
            [] if cat.out.count(b"\n") == len(events) else ["lines"])

    score.equal("--read-only: enough", amiss(account.user(document)), [])
    for action in sorted(READ_ONLY):
        score.check("--read-only: not enough without " + action,
                    amiss(account.user(without(document, action))))
    keys = account.user(document).environment
    s3 = client("s3", account.url, (keys["AWS_ACCESS_KEY_ID"],
                                    keys["AWS_SECRET_ACCESS_KEY"]))
    try:
        s3.put_object(Bucket=place.bucket, Key=place.key, Body=b"")
        score.check("--read-only writes", False)
    except Exception as e:  # pylint: disable=broad-except
        score.check("--read-only writes nothing", "AccessDenied" in str(e), e)


def main(program):
    import logging
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    account = Account(program)
    with tempfile.TemporaryDirectory() as where:
        events = noise()
        firn = run_holds(account, where, events)
        no_more(account, firn)
        read_only_holds(account, where, events)
        exports_hold(account, where)
    return score.close()


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(
        sys.argv[1] if len(sys.argv) > 1 else os.path.join(
            ROOT, "build/firn"))))
