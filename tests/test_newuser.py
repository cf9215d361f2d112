#!/usr/bin/env python3
"""test_newuser.py - the commands of README.md and docs/deploy/README.md, as a
new user copies them, in an empty directory.

    build/pypi/bin/python tests/test_newuser.py    (tests/from-pypi build/pypi)

They are taken out of the pages and run as they are, by a shell, with the AWS
CLI, against moto; only days and the account's number are made to fit, since
moto takes no old events. Two things moto cannot: build for another processor
(`make` makes the zip of this one under the page's name), and run a function
(the zip's bootstrap does, in the tests' model of Lambda's runtime)."""
import datetime
import gzip
import io
import json
import logging
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import types
import zipfile

import rig
from test_lambda import Environment

ACCOUNT, REGION = "123456789012", "ap-northeast-2"
TEN_MINUTES = 600
DAY = 86400
# Version 1 is what PyPI has: version 2's words to it.
AWS = '''export AWS_DEFAULT_REGION="$AWS_REGION"
for word; do
    shift
    case $word in
    --cli-binary-format|raw-in-base64-out) ;;
    *) set -- "$@" "$word" ;;
    esac
done
exec %s/aws "$@"'''
score = rig.Score()


def day(ago, form="%Y-%m-%d"):
    return time.strftime(form, time.gmtime(time.time() - ago * DAY))


def blocks(page, heading):
    """The fenced blocks of a page's section."""
    with open(os.path.join(rig.ROOT, page)) as f:
        section = re.split("^## ", f.read(), flags=re.M)
    section = next(s for s in section if s.startswith(heading))
    return re.findall("^```\n(.*?)^```", section, re.M | re.S)


def fitted(script):
    """The pages' days are 7, 8 and 9 November: 4, 3 and 2 days ago."""
    for ago, old in ((4, 7), (3, 8), (2, 9)):
        script = script.replace("2026-11-%02d" % old, day(ago))
        script = script.replace("2026/11/%02d" % old, day(ago, "%Y/%m/%d"))
    return script.replace("111122223333", ACCOUNT)


class Desk:
    """An empty directory, a shell, and what the pages say must be there."""

    def __init__(self, url):
        self.at = tempfile.mkdtemp()
        self.program("firn", 'exec %s/build/firn "$@"' % rig.ROOT)
        self.program("aws", AWS % os.path.dirname(sys.executable))
        self.program("make", 'exec >&2; machine=%s; cd %s && '
                     'env -u PATH PATH=/usr/bin:/bin make lambda '
                     'TARGET=$machine && cp build/firn-lambda-%s.zip '
                     '%s/build/firn-lambda-arm64.zip' % (
                         platform.machine(), rig.ROOT,
                         platform.machine().replace("aarch64", "arm64"),
                         self.at))
        os.mkdir(self.path("build"))
        os.symlink(os.path.join(rig.ROOT, "build/firn"),
                   self.path("build/firn"))
        shutil.copytree(os.path.join(rig.ROOT, "docs/deploy"),
                        self.path("docs/deploy"))
        os.mkdir(self.path(".aws"))
        with open(self.path(".aws/credentials"), "w") as f:
            os.chmod(f.name, stat.S_IRUSR | stat.S_IWUSR)
            f.write("[logs]\naws_access_key_id = %s\n"
                    "aws_secret_access_key = %s\n" % rig.KEY)
        self.environment = {
            "PATH": self.path("bin") + ":/usr/bin:/bin", "HOME": self.at,
            "AWS_ENDPOINT_URL": url, "AWS_PROFILE": "logs",
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}

    def path(self, name):
        return os.path.join(self.at, name)

    def program(self, name, line):
        os.makedirs(self.path("bin"), exist_ok=True)
        with open(self.path("bin/" + name), "w") as f:
            f.write("#!/bin/sh\n%s\n" % line)
        os.chmod(f.name, stat.S_IRWXU)

    def shell(self, script):
        """What it printed; the commands that did not end in 0, and how."""
        done = subprocess.run(
            ["/bin/bash", "-c", "trap 'echo \"$?:$BASH_COMMAND\" >> failed' "
             "ERR\n" + script], cwd=self.at, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        failed = []
        if os.path.exists(self.path("failed")):
            with open(self.path("failed")) as f:
                failed = f.read().splitlines()
            os.remove(self.path("failed"))
        words = [line for line in done.stderr.splitlines()
                 if not line.startswith("{")]
        return done.stdout, failed, "\n".join(words)[-500:]


# --- the account -------------------------------------------------------------

def account(url):
    """Logs of five days, in groups that are old; exports; buckets."""
    from moto.logs.models import logs_backends
    logs, s3 = (rig.client(name, url) for name in ("logs", "s3"))
    for name in ("acme-logs", "acme-exports", "acme-code"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={
            "LocationConstraint": REGION})
    for group in ("/ecs/api", "/aws/lambda/pay"):
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="web/1")
        now = int(time.time())
        logs.put_log_events(
            logGroupName=group, logStreamName="web/1", logEvents=[
                {"timestamp": at * 1000, "message": "ERROR at %d" % at}
                for at in range(now - 5 * DAY, now, 300)])
        logs_backends[ACCOUNT][REGION].groups[
            group].creation_time -= datetime.timedelta(5)
    for i in range(3):
        s3.put_object(Bucket="acme-exports", Key=day(4, "%Y/%m/%d") +
                      "/task/web-1/%06d.gz" % i, Body=export(4))
    s3.put_object(Bucket="acme-logs", Key="%s/%s/ecs/api/dt=%s/events.log.gz" %
                  (ACCOUNT, REGION, day(3)), Body=export(3))
    return s3


def export(ago):
    return gzip.compress(b"".join(
        b"%sT%02d:00:00.000Z hello\n" % (day(ago).encode(), hour)
        for hour in range(24)))


# --- README.md ---------------------------------------------------------------

def readme_holds(desk):
    script = fitted(blocks("README.md", "Use it")[0] +
                    blocks("README.md", "Leave it")[0])
    out, failed, words = desk.shell(script.replace(
        "build/firn daemon", "timeout --preserve-status 2 build/firn daemon"))
    score.equal("README: some day is missing, and the daemon was stopped", [
        " ".join(f.split()[:2]) for f in failed],
                ["75:build/firn status", "75:timeout --preserve-status"])
    score.check("README: what was said", all(word in out for word in (
        "would archive", "archived " + day(2), "set the retention",
        "ERROR at", "merged ", "adopted " + day(3), "verified " + day(2),
        "2 groups: ")), out + words)


# --- docs/deploy/README.md ---------------------------------------------------

def stacks_have_outputs():
    """moto forgets those of a stack that `deploy` made."""
    from moto.cloudformation.models import CloudFormationBackend as Backend
    execute = Backend.execute_change_set

    def and_outputs(self, *words, **more):
        execute(self, *words, **more)
        for made in self.change_sets.values():
            made.stack.template_dict = made.template_dict
            made.stack.output_map = made.stack._create_output_map()

    Backend.execute_change_set = and_outputs


def functions_run(url, s3, environments):
    """Makes moto run functions: by firn, from the zip that was uploaded."""
    from moto.awslambda.models import LambdaBackend

    def invoke(self, function_name, qualifier, body, *_, **__):
        function = self.get_function(function_name)
        config = json.loads(function.environment_vars["FIRN_CONFIG"])
        if config["exclude"] == list("/aws/lambda/firn-*"):
            config["exclude"] = ["/aws/lambda/firn-*"]  # it splits no default
        packed = s3.get_object(Bucket=function.code["S3Bucket"],
                               Key=function.code["S3Key"])["Body"].read()
        where = tempfile.mkdtemp()
        zipfile.ZipFile(io.BytesIO(packed)).extract("bootstrap", where)
        program = os.path.join(where, "bootstrap")
        os.chmod(program, stat.S_IRWXU)
        environments.append(Environment(types.SimpleNamespace(url=url),
                                        program, config=config,
                                        AWS_REGION=REGION))
        told = environments[-1].invoke(json.loads(body))
        environments[-1].kill()
        shutil.rmtree(where)
        return json.dumps(told.body).encode()

    LambdaBackend.invoke = invoke


def deploy_holds(desk, url, s3):
    environments = []
    functions_run(url, s3, environments)
    stacks_have_outputs()
    script = ""
    for block in blocks("docs/deploy/README.md", "Lambda"):
        script += block  # the first one's variables hold in all
    said, failed, words = desk.shell(fitted(script))
    score.equal("deploy: every command ended in 0", [
        f for f in failed if not f.startswith("75:firn status")], [])
    score.equal("deploy: the function was run once", len(environments), 1)
    answer = re.search(r'\{"group":.*?\}', said)
    score.equal("deploy: a day by hand is archived", answer and [
        json.loads(answer[0])[key] for key in ("action", "day", "exit")],
                ["archived", day(2), 0])
    score.check("deploy: status shows it", '"day":"%s"' % day(2) in said and
                '"state":"provisional"' in said, words + said)


def main():
    began = time.monotonic()
    rig.REGION = REGION
    from moto.server import ThreadedMotoServer
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://127.0.0.1:%d" % server.get_host_and_port()[1]
    desk, s3 = Desk(url), account(url)
    readme_holds(desk)
    deploy_holds(desk, url, s3)
    score.check("in under ten minutes",
                time.monotonic() - began < TEN_MINUTES)
    server.stop()
    shutil.rmtree(desk.at)
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
