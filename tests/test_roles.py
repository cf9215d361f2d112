#!/usr/bin/env python3
"""test_roles.py - groups of two accounts in one configuration, on moto.

    PYTHONPATH=build/moto/python tests/test_roles.py [FIRN]

The far account's group is worked on as a role there ("role_arn"), under
exactly what `firn policy` prints for whoever runs firn and for that role, and
each action of the role removed in turn makes its day fail, and the near
account's day is archived all the same.
"""
import json
import os
import sys
import tempfile

from rig import Firn, REGION, ROOT, client
from test_moto import ACCOUNT, DAY, DAY_MS, Event, START, put
from test_policy import Account, actions, score, without

FAR = "444455556666"
ROLE = "arn:aws:iam::%s:role/firn" % FAR


class Far:
    """Another account of the same moto, with what is in it."""

    def __init__(self, near):
        from moto.iam.models import iam_backends
        self.near, self.roles = near, iam_backends[FAR]["aws"]
        for name in ("admin", "firn"):
            self.roles.create_role(
                role_name=name, assume_role_policy_document="{}", path="/",
                permissions_boundary=None, description="", tags=[],
                max_session_duration=3600)
        self.let("admin", {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["*"], "Resource": "*"}]})
        self.keys = near.aws("sts").assume_role(
            RoleArn=ROLE.replace("firn", "admin"),
            RoleSessionName="test")["Credentials"]

    def let(self, role, document):
        self.roles.put_role_policy(role, "p", json.dumps(document))

    def aws(self, service):
        return client(service, self.near.url, (
            self.keys["AccessKeyId"], self.keys["SecretAccessKey"]),
            aws_session_token=self.keys["SessionToken"])


def make(account, number, name, events):
    from moto.logs.models import logs_backends
    put(account.aws("logs"), "/%s/app" % name, events)
    logs_backends[number][REGION].groups[
        "/%s/app" % name].creation_time = START - DAY_MS
    account.aws("s3").create_bucket(Bucket="logs-" + name)


def there(account, name):
    """The objects of its bucket, which is emptied."""
    s3 = account.aws("s3")
    keys = [o["Key"] for o in s3.list_objects_v2(
        Bucket="logs-" + name).get("Contents", [])]
    for key in keys:
        s3.delete_object(Bucket="logs-" + name, Key=key)
    return sorted(keys)


def expected(number, name):
    where = "%s/%s/app/%s/" % (number, name, DAY)
    return [where + "_e.receipt.json", where + "e.ndjson.gz"]


def write(where):
    config = os.path.join(where, "firn.json")
    to = "s3://logs-%s/{account}/{group}/{date}/e.{ext}"
    with open(config, "w") as f:
        json.dump({"region": REGION, "to": to % "near", "backfill_days": 1,
                   "groups": [{"name": "/far/app", "role_arn": ROLE,
                               "to": to % "far"}, "/near/app"]}, f)
    return config


def main(program):
    import logging
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    near = Account(program)
    far = Far(near)
    events = [Event(START + i * 1000, "web", "event %d" % i)
              for i in range(100)]
    make(near, ACCOUNT, "near", events)
    make(far, FAR, "far", events)
    with tempfile.TemporaryDirectory() as where:
        config = write(where)
        admin = Firn(program, near.url)
        mine = json.loads(admin.run("policy", config).out)
        its = json.loads(admin.run("policy", config, ROLE).out)

        def run(own, role):
            far.let("firn", role)
            done = near.user(own).run("run", config, "--give-up", "5")
            return done, there(far, "far"), there(near, "near")

        done, there_far, there_near = run(mine, its)
        score.equal("both accounts: exit", done.code, 0)
        score.equal("the far one's day", there_far, expected(FAR, "far"))
        score.equal("the near one's", there_near, expected(ACCOUNT, "near"))
        score.check("the caller may do nothing with the far group",
                    "/far/" not in json.dumps(mine), mine)
        done, there_far, there_near = run(without(mine, "sts:AssumeRole"), its)
        score.equal("a role not to be assumed", (
            done.code, there_far, there_near),
            (77, [], expected(ACCOUNT, "near")))
        for action in sorted(actions(its) & {
                "logs:DescribeLogGroups", "logs:FilterLogEvents",
                "s3:PutObject", "s3:ListBucket"}):
            done, there_far, there_near = run(mine, without(its, action))
            score.equal("the role without " + action, (
                done.code, there_near), (77, expected(ACCOUNT, "near")))
    return score.close()


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(
        sys.argv[1] if len(sys.argv) > 1 else os.path.join(
            ROOT, "build/firn"))))
