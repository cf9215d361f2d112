#!/usr/bin/env python3
"""test_setup.py - setting firn up: init, doctor, plan, as the README has them.

    PYTHONPATH=build/moto/python tests/test_setup.py [FIRN]

Against the tests' AWS and against moto: what init prints is looked at by the
doctor, planned and run as it is. Under exactly the policy that firn prints the
doctor finds nothing amiss, and without each action in turn it names it.
"""
import json
import os
import sys
import tempfile
import time

import rig
from rig import REGION, ROOT, Score
from test_moto import ACCOUNT
from test_policy import Account, actions, without

score = Score()
GIVE_UP = ("--give-up", "5")
LIFECYCLE = {"Rules": [{
    "ID": "uploads", "Status": "Enabled", "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}]}


def lines_of(done):
    return [json.loads(x) for x in done.out.splitlines()]


def write(where, name, value):
    path = os.path.join(where, name)
    with open(path, "wb") as f:
        f.write(value if isinstance(value, bytes)
                else json.dumps(value).encode())
    return path


# --- the tests' AWS -----------------------------------------------------------

def set_up_and_run(firn, where):
    """init, doctor, plan and run, with what is due made earlier."""
    done = firn.run("init", "--to", "s3://test-bucket/x/", *GIVE_UP)
    score.equal("init: exit", (done.code, done.out[:1]), (0, b"{"))
    made = json.loads(done.out)
    score.equal("init: groups", made["groups"], ["/s/a", "/s/b"])
    score.equal("init: where", (made["region"], made["to"]),
                (REGION, "s3://test-bucket/x/"))
    config = write(where, "made.json", done.out)
    done = firn.run("run", config, *GIVE_UP)
    score.equal("init: run as it is", done.code, 0)
    score.check("init: nothing before today", b" 0 days archived" in done.out,
                done.out)
    made["since"] = "2020-01-01"
    made["backfill_days"] = 3
    config = write(where, "made.json", made)
    done = firn.run("doctor", config, "--write", *GIVE_UP)
    score.equal("doctor: exit", done.code, 0)
    score.check("doctor: conditions", b"keeps to conditions" in done.out,
                done.out)
    return config


def plan_and_run(model, firn, config):
    done = firn.run("plan", config, "--output", "json", *GIVE_UP)
    *days, total = lines_of(done)
    score.equal("plan: exit", done.code, 0)
    score.equal("plan: the sum has no day", (total.get("day"),
                                            total["archives"]), (None, 6))
    score.equal("plan: an item a group and day", (
        sorted({d["group"] for d in days}), len({(d["group"], d["day"])
                                                 for d in days}),
        {d["action"] for d in days}), (["/s/a", "/s/b"], 6, {"archive"}))
    score.check("plan: what it was taken from", "us-east-1" in
                total["prices"] and "storedBytes" in total["basis"], total)
    text = firn.run("plan", config, *GIVE_UP).out.decode()
    score.check("plan: for people", "2 groups: 6 days to archive" in text and
                " USD for requests" in text, text)
    none = {"requests": 0}
    before = json.loads(model.get("stats"))["operations"]
    done = firn.run("run", config, "--output", "json", "--rate", "1000",
                    *GIVE_UP)
    score.equal("run: exit", done.code, 0)
    score.equal("run: the keys that were planned",
                sorted(x["key"] for x in lines_of(done)),
                sorted(d["key"] for d in days))
    after = json.loads(model.get("stats"))["operations"]
    for name in ("GetObject", "HeadObject", "PutObject", "ListObjectsV2",
                 "DeleteObject"):
        made = after[name]["requests"] - before.get(name, none)["requests"]
        score.equal("plan: " + name, total["requests"][name], made)
    done = firn.run("plan", config, "--output", "json", *GIVE_UP)
    score.equal("plan: nothing is due any more", [
        x["archives"] for x in lines_of(done)], [0])


def usage(firn):
    for words, code in ((("init",), 64), (("init", "--to", "x"), 64),
                        (("init", "--to", "s3://b/x.gz"), 64),
                        (("plan",), 64), (("doctor",), 64),
                        (("doctor", "/nonexistent.json"), 78)):
        score.equal("firn " + " ".join(words), firn.run(*words).code, code)


def nobody_answers(program, config):
    firn = rig.Firn(program, "http://127.0.0.1:9")
    done = firn.run("doctor", config, "--give-up", "2")
    score.equal("doctor: nobody answers", (done.code, done.seconds < 30),
                (69, True))


# --- moto, with its policies --------------------------------------------------

def make_place(account, name):
    from moto.logs.models import logs_backends
    group, bucket = "/%s/app" % name, "setup-" + name
    account.aws("s3").create_bucket(Bucket=bucket)
    account.aws("s3").put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration=LIFECYCLE)
    account.aws("logs").create_log_group(logGroupName=group)
    logs_backends[ACCOUNT][REGION].groups[group].creation_time -= \
        3 * rig.DAY_MS
    return {"region": REGION, "groups": [group], "to": "s3://%s/a/{group}/"
            "{date}/events.{ext}" % bucket}


def under_its_policy(account, where):
    config = write(where, "moto.json", make_place(account, "all"))
    admin = rig.Firn(account.program, account.url, account.keys)
    done = admin.run("init", "--to", "s3://setup-all/", *GIVE_UP)
    score.equal("moto: init", (done.code, json.loads(done.out)["groups"]),
                (0, ["/all/app"]))
    done = admin.run("doctor", config, "--write", *GIVE_UP)
    score.equal("moto: doctor", done.code, 0)
    for words in (b"user/admin", b"uploads that nobody ends are ended",
                  b"what a run leaves may be deleted"):
        score.check("moto: doctor says %s" % words.decode(),
                    words in done.out, done.out)
    policy = json.loads(admin.run("policy", config).out)
    done = account.user(policy).run("doctor", config, "--write", *GIVE_UP)
    score.equal("moto: doctor, under the policy alone", done.code, 0)
    score.check("moto: no failure", b"fail" not in done.out, done.out)
    done = account.user(policy).run("plan", config, "--output", "json",
                                    *GIVE_UP)
    score.equal("moto: plan, under the policy alone", (
        done.code, lines_of(done)[-1]["archives"]), (0, 3))
    tried = actions(policy) - {"s3:AbortMultipartUpload",
                               "s3:ListMultipartUploadParts"}
    for action in sorted(tried):
        done = account.user(without(policy, action)).run(
            "doctor", config, "--write", *GIVE_UP)
        score.check("moto: doctor, without " + action, done.code == 77 and
                    ("Grant: " + action).encode() in done.out,
                    (done.code, done.out[-400:]))
    left = account.aws("s3").list_objects_v2(Bucket="setup-all")
    score.equal("moto: nothing is left", left.get("KeyCount"), 0)


def main(program):
    import logging
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as where:
        with rig.Model() as model:
            for group in ("/s/a", "/s/b"):
                model.control("group?group=%s&created=%d" % (
                    group, time.time() * 1000 - 40 * rig.DAY_MS))
            firn = rig.Firn(program, model.url)
            config = set_up_and_run(firn, where)
            plan_and_run(model, firn, config)
            usage(firn)
            nobody_answers(program, config)
        under_its_policy(Account(program), where)
    return score.close()


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(
        sys.argv[1] if len(sys.argv) > 1 else os.path.join(
            ROOT, "build/firn"))))
