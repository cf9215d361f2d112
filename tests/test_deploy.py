#!/usr/bin/env python3
"""test_deploy.py - what docs/deploy/ offers, as far as one can without AWS.

    build/pypi/bin/python tests/test_deploy.py    (tests/from-pypi build/pypi)
    tests/test_deploy.py units                   systemd's opinion alone

The templates: cfn-lint, then their stacks in moto; what moto's CloudFormation
passes over is made by its other services, from the same properties. The fleet
runs there, with answers that are made up, and with firn's. The units:
systemd's own score. The job: Kubernetes' schemas, and what must be in it.
"""
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile

import yaml

from rig import Firn, Model, ROOT, Score
from test_lambda import Environment

DEPLOY = os.path.join(ROOT, "docs/deploy")
ACCOUNT = "123456789012"
EXPOSURE_MOST = 2.0
GROUPS = ["/ecs/api", "/aws/lambda/*"]
score = Score()


def text(name):
    with open(os.path.join(DEPLOY, name)) as f:
        return f.read()


# --- systemd ------------------------------------------------------------------

def units_hold():
    """As they are, but for the program, which need not be installed here."""
    with tempfile.TemporaryDirectory() as where:
        for name in ("firn.service", "firn.timer"):
            with open(os.path.join(where, name), "w") as f:
                f.write(text(name).replace("/usr/bin/firn", "/bin/true"))
        service = os.path.join(where, "firn.service")
        said = analyze("verify", service, os.path.join(where, "firn.timer"))
        score.check("systemd-analyze verify", said.returncode == 0 and
                    "firn." not in said.stderr, said.stderr)
        exposed(service, "the service")
        os.mkdir(service + ".d")
        with open(os.path.join(service + ".d", "daemon.conf"), "w") as f:
            f.write(text("daemon.conf").replace("/usr/bin/firn",
                                                "/bin/true"))
        exposed(service, "the daemon")


def exposed(service, name):
    said = analyze("security", "--no-pager", "--offline=true", service)
    found = re.search(r"exposure level for firn.service: ([0-9.]+)",
                      said.stdout)
    score.check("systemd-analyze security of " + name, found and
                float(found[1]) <= EXPOSURE_MOST, said.stdout[-300:] +
                said.stderr)


def allowed():
    """The system calls that the service's lines allow, one after another."""
    calls = group("@default")
    for line in re.findall("^SystemCallFilter=(.*)", text("firn.service"),
                           re.M):
        for name in line.lstrip("~").split():
            some = group(name) if name[0] == "@" else {name}
            calls = calls - some if line[0] == "~" else calls | some
    return calls


def group(name):
    calls = set()
    for line in analyze("syscall-filter", name).stdout.splitlines()[1:]:
        word = line.strip()
        if word[:1] == "@":
            calls |= group(word)
        elif word and word[0] != "#":
            calls.add(word)
    return calls


def calls_hold():
    """An archive needs nothing that the service's filter refuses, but what
    firn tries in order to see it refused."""
    with Model("--group", "/g:web:1000000:2026-10-05") as model, \
            tempfile.TemporaryDirectory() as where:
        trace = os.path.join(where, "trace")
        firn = Firn(os.path.join(ROOT, "build/firn"), model.url)
        done = subprocess.run(
            ["strace", "-f", "-o", trace, firn.program, "archive", "--group",
             "/g", "--day", "2026-10-05", "--to", "s3://test-bucket/a.gz"],
            env=firn.environment, check=False, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        score.equal("an archive, traced", done.returncode, 0)
        with open(trace) as f:
            lines = re.findall(r"^\d+ +(\w+)\((.*)", f.read(), re.M)
    calls = allowed()
    score.equal("the service allows what firn calls", [
        line for line in lines if line[0] not in calls and
        "= -1 EPERM" not in line[1]], [])


def analyze(*words):
    return subprocess.run(["systemd-analyze", *words], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


# --- containers ---------------------------------------------------------------

def containers_hold():
    lines = [line for line in text("Containerfile").splitlines()
             if line and line[0] != "#"]
    score.equal("the image holds one file", lines, [
        "FROM scratch", "COPY firn /firn", "USER 65532:65532",
        'ENTRYPOINT ["/firn"]'])
    kinds = {d["kind"]: d for d in yaml.safe_load_all(text("cronjob.yaml"))}
    job = kinds["CronJob"]["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    box = pod["containers"][0]
    score.equal("one job at a time", kinds["CronJob"]["spec"][
        "concurrencyPolicy"], "Forbid")
    score.equal("a read-only root", box["securityContext"], {
        "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]}})
    score.check("nobody's user", pod["securityContext"]["runAsNonRoot"])
    volume = pod["volumes"][0]["configMap"]["name"]
    score.check("its configuration is mounted where it is looked for",
                volume == kinds["ConfigMap"]["metadata"]["name"] and
                box["args"][1] == box["volumeMounts"][0]["mountPath"] +
                "/" + next(iter(kinds["ConfigMap"]["data"])))
    return json.loads(kinds["ConfigMap"]["data"]["firn.json"])


# --- CloudFormation -----------------------------------------------------------

def job_holds():
    import kubernetes_validate
    for document in yaml.safe_load_all(text("cronjob.yaml")):
        try:
            kubernetes_validate.validate(document, "1.30", strict=True)
            why = ""
        except kubernetes_validate.ValidationError as e:
            why = e.message
        score.equal("Kubernetes takes the " + document["kind"], why, "")


def lint():
    tool = os.path.join(os.path.dirname(sys.executable), "cfn-lint")
    for name in ("firn.yaml", "fleet.yaml"):
        done = subprocess.run([tool, os.path.join(DEPLOY, name)], check=False,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        score.equal("cfn-lint " + name, (done.returncode, done.stdout),
                    (0, ""))


class Stack:
    """One in moto: its outputs, and any resource's properties, resolved."""

    def __init__(self, aws, name, template, **parameters):
        from moto.cloudformation import cloudformation_backends
        cloud = aws("cloudformation")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cloud.create_stack(
                StackName=name, TemplateBody=text(template),
                Capabilities=["CAPABILITY_IAM"], Parameters=[
                    {"ParameterKey": k, "ParameterValue": v}
                    for k, v in parameters.items()])
            made = cloud.describe_stacks(StackName=name)["Stacks"][0]
        score.equal(template + ": the stack", made["StackStatus"],
                    "CREATE_COMPLETE")
        self.out = {o["OutputKey"]: o["OutputValue"]
                    for o in made.get("Outputs", [])}
        self.stack = next(s for s in cloudformation_backends[ACCOUNT][
            "us-east-1"].stacks.values() if s.name == name)

    def __getitem__(self, name):
        from moto.cloudformation.parsing import clean_json
        resources = self.stack.resource_map
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return clean_json(resources._resource_json_map[name],
                              resources)["Properties"]


def make_stack(aws):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("bootstrap", "x")
    aws("s3").create_bucket(Bucket="code")
    aws("s3").put_object(Bucket="code", Key="firn-lambda-arm64.zip",
                         Body=packed.getvalue())
    return Stack(aws, "logs", "firn.yaml", CodeBucket="code",
                 Groups=",".join(GROUPS), TimeZone="Asia/Seoul",
                 Exclude="/aws/lambda/firn-*",  # moto splits no default
                 AlarmEmail="nobody@example.com")


def bucket_holds(aws, stack):
    s3, at = aws("s3"), {"Bucket": stack.out["Bucket"]}
    rule = s3.get_bucket_encryption(**at)[
        "ServerSideEncryptionConfiguration"]["Rules"][0]
    score.equal("the bucket encrypts", rule[
        "ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256")
    blocked = stack["Bucket"]["PublicAccessBlockConfiguration"]
    s3.put_public_access_block(**at, PublicAccessBlockConfiguration={
        k: v in (True, "true") for k, v in blocked.items()})
    blocked = s3.get_public_access_block(**at)[
        "PublicAccessBlockConfiguration"]
    score.equal("nothing in it is public", list(blocked.values()), [True] * 4)
    rules = stack["Bucket"]["LifecycleConfiguration"]["Rules"]
    s3.put_bucket_lifecycle_configuration(**at, LifecycleConfiguration={
        "Rules": [lifecycle(r) for r in rules]})
    score.equal("uploads are aborted after a week", [
        r["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
        for r in rules if "AbortIncompleteMultipartUpload" in r], [7])
    score.equal("archives go to Glacier classes, receipts do not", [
        (r["ObjectSizeGreaterThan"], [t["StorageClass"]
                                      for t in r["Transitions"]])
        for r in rules if "Transitions" in r],
        [("131072", ["GLACIER_IR", "DEEP_ARCHIVE"])])
    s3.put_bucket_policy(**at, Policy=json.dumps(
        stack["BucketPolicy"]["PolicyDocument"]))
    s3.delete_bucket_policy(**at)  # moto heeds it without its condition


def lifecycle(rule):
    """CloudFormation's names of a rule to S3's."""
    out = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {
        "Prefix": ""}}
    if "ObjectSizeGreaterThan" in rule:
        out["Filter"] = {"ObjectSizeGreaterThan": int(
            rule["ObjectSizeGreaterThan"])}
    if "AbortIncompleteMultipartUpload" in rule:
        out["AbortIncompleteMultipartUpload"] = rule[
            "AbortIncompleteMultipartUpload"]
    if "Transitions" in rule:
        out["Transitions"] = [
            {"Days": int(t["TransitionInDays"]),
             "StorageClass": t["StorageClass"]} for t in rule["Transitions"]]
    return out


def function_holds(aws, stack):
    made = aws("lambda").get_function_configuration(
        FunctionName=stack.out["Function"])
    score.equal("the function", (
        made["Runtime"], stack["Function"]["Architectures"],
        made["MemorySize"], made["Timeout"], made["Handler"]), (
            "provided.al2023", ["arm64"], 128, 900, "bootstrap"))
    config = json.loads(made["Environment"]["Variables"]["FIRN_CONFIG"])
    score.equal("its configuration", sorted(config.items()), sorted({
        "region": "us-east-1", "to": "s3://%s/" % stack.out["Bucket"],
        "groups": GROUPS, "exclude": ["/aws/lambda/firn-*"],
        "timezone": "Asia/Seoul", "backfill_days": 30, "rate": 5,
        "bucket_owner": ACCOUNT}.items()))
    return config


def role_of(stack):
    """Its statements, as pairs of action and resource."""
    document = stack["Role"]["Policies"][0]["PolicyDocument"]
    return {(action, resource) for s in document["Statement"]
            if s["Sid"] != "OwnLog"
            for action in as_list(s["Action"])
            for resource in as_list(s["Resource"])}


def as_list(value):
    return value if isinstance(value, list) else [value]


def role_holds(stack, config):
    """It may do what `firn policy` prints of its configuration, no less and no
    more; but for the Region, which a join cannot put in."""
    done = Firn(os.path.join(ROOT, "build/firn"), "").run(
        "policy", json.dumps(config))
    score.equal("firn takes the configuration", (
        done.code, done.err if done.code else ""), (0, ""))
    want = {(action, resource.replace(":us-east-1:", ":*:"))
            for s in json.loads(done.out)["Statement"]
            for action in s["Action"] for resource in s["Resource"]}
    score.equal("the function's role", sorted(role_of(stack)), sorted(want))


def rest_holds(aws, stack):
    """What moto's CloudFormation passes over, by the services themselves."""
    aws("scheduler").create_schedule(**stack["Schedule"])
    made = aws("scheduler").get_schedule(Name="firn-logs")
    score.equal("the schedule", (made["ScheduleExpression"], made["Target"][
        "Arn"]), ("rate(15 minutes)", stack.out["FunctionArn"]))
    watch, told = aws("cloudwatch"), set()
    for name in ("FailureAlarm", "CrashAlarm", "MarginAlarm"):
        properties = stack[name]
        watch.put_metric_alarm(AlarmName=name, **properties)
        told |= set(properties["AlarmActions"])
    score.equal("alarms", sorted(
        (a["MetricName"], a["Threshold"], a["TreatMissingData"])
        for a in watch.describe_alarms()["MetricAlarms"]), [
            ("Errors", 1.0, "notBreaching"),
            ("FirnFailures-logs", 1.0, "notBreaching"),
            ("FirnMarginDays", 3.0, "breaching")])
    score.equal("somebody is told", [t.rpartition(":")[0] for t in told],
                ["arn:aws:sns:us-east-1:" + ACCOUNT])
    properties = stack["Failures"]
    aws("logs").put_metric_filter(
        logGroupName=properties["LogGroupName"], filterName="failures",
        filterPattern=properties["FilterPattern"], metricTransformations=[
            {k[0].lower() + k[1:]: v for k, v in t.items()}
            for t in properties["MetricTransformations"]])
    score.equal("the filter and its alarm are of one metric", properties[
        "MetricTransformations"][0]["MetricName"],
        stack["FailureAlarm"]["MetricName"])


def deletion_holds(aws, stack):
    aws("s3").put_object(Bucket=stack.out["Bucket"], Key="a", Body=b"a")
    aws("cloudformation").delete_stack(StackName="logs")
    score.equal("the bucket outlives its stack", aws("s3").get_object(
        Bucket=stack.out["Bucket"], Key="a")["Body"].read(), b"a")


# --- Step Functions -----------------------------------------------------------

def fleet_holds(aws, stack):
    """Three days: at the second try, at once, and never. Then two with firn
    as the function, whose time is up at the first try."""
    fleet = Stack(aws, "fleet", "fleet.yaml", MaxConcurrency="1",
                  FunctionArn=stack.out["FunctionArn"],
                  Bucket=stack.out["Bucket"])["Fleet"]
    days = [{"group": "/ecs/api", "day": "2026-11-0%d" % d, "requests": 9}
            for d in (1, 2, 3)]
    asked = answer([{"exit": 75}, {"exit": 0}, {"exit": 0}, {"exit": 78}])
    run_fleet(aws, stack, fleet, days)
    score.equal("each day was asked for, one a second time", asked, [
        {"group": "/ecs/api", "day": "2026-11-0%d" % d}
        for d in (1, 1, 2, 3)])
    with Model("--group", "/g:web:1000000:2026-10-05",
               "--latency-ms", "300") as model:
        function = Environment(model, os.path.join(ROOT, "build/firn"))
        answers = answer_by(function)
        run_fleet(aws, stack, fleet, [{"group": "/g", "day": "2026-10-0%d" % d}
                                      for d in (5, 6)])
        function.kill()
    score.equal("firn's answers", [
        (a["day"], a["exit"], a["action"]) for a in answers], [
            ("2026-10-05", 75, "stopped"), ("2026-10-05", 0, "archived"),
            ("2026-10-06", 0, "archived")])


def run_fleet(aws, stack, fleet, days):
    """The half of moto that runs machines is not the half that makes stacks,
    and reads a percentage only with a point."""
    aws("s3").put_object(Bucket=stack.out["Bucket"], Key="_fleet/list.json",
                         Body=json.dumps(days).encode())
    steps = aws("stepfunctions")
    definition = fleet["DefinitionString"]
    json.loads(definition)
    machine = steps.create_state_machine(
        name="fleet-of-%d" % len(days), definition=definition.replace(
            ": 100,", ": 100.0,").replace('"Seconds": 30', '"Seconds": 1'),
        roleArn=fleet["RoleArn"])["stateMachineArn"]
    run = steps.start_execution(
        stateMachineArn=machine,
        input=json.dumps({"list": "_fleet/list.json"}))["executionArn"]
    until = time.monotonic() + 120
    while True:
        state = steps.describe_execution(executionArn=run)
        if state["status"] != "RUNNING" or time.monotonic() > until:
            break
        time.sleep(0.2)
    score.equal("the fleet's run", (state["status"], state.get("cause")),
                ("SUCCEEDED", None))


def answer_by(function):
    """firn answers; at first it has less time than it wants to begin."""
    from moto.awslambda.models import LambdaBackend
    answers = []

    def invoke(self, function_name, qualifier, body, *_, **__):
        told = function.invoke(json.loads(body), 60 if answers else 4)
        answers.append(told.body)
        return json.dumps(told.body).encode()

    LambdaBackend.invoke = invoke
    return answers


def answer(answers):
    """The function answers these, one after another; gives what it got."""
    from moto.awslambda.models import LambdaBackend
    asked = []

    def invoke(self, function_name, qualifier, body, *_, **__):
        asked.append(json.loads(body))
        return json.dumps(answers[len(asked) - 1]).encode()

    LambdaBackend.invoke = invoke
    return asked


# --- all ----------------------------------------------------------------------

def templates_hold():
    import boto3
    from moto import mock_aws
    os.environ.update(AWS_ACCESS_KEY_ID="testing",
                      AWS_SECRET_ACCESS_KEY="testing",
                      AWS_DEFAULT_REGION="us-east-1")
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        def aws(service):
            return boto3.client(service, region_name="us-east-1")
        stack = make_stack(aws)
        bucket_holds(aws, stack)
        role_holds(stack, function_holds(aws, stack))
        rest_holds(aws, stack)
        fleet_holds(aws, stack)
        deletion_holds(aws, stack)


def main(words):
    containers_hold()
    if shutil.which("systemd-analyze"):
        units_hold()
        if shutil.which("strace") and not subprocess.run(
                ["strace", "-o", "/dev/null", "true"], check=False,
                stderr=subprocess.DEVNULL).returncode:
            calls_hold()
    else:
        print("skipped units: no systemd-analyze")
    if "units" not in words:
        lint()
        job_holds()
        templates_hold()
    return score.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
