#!/usr/bin/env python3
"""check_boto3.py SERVER - does the tests' AWS treat boto3 as AWS would?

An independent client: its signatures must hold, its reads must be what was
written, and what AWS refuses must be refused, with AWS's code. Starts the
server itself; exit 0 when all holds.
"""
import base64
import calendar
import hashlib
import io
import json
import os
import subprocess
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

DAY = calendar.timegm((2026, 11, 9, 0, 0, 0)) * 1000
MIB5 = 5 << 20
failures = []
extra = {}  # headers that this boto3 may not know by name


def check(name, good):
    if not good:
        failures.append(name)
        print("FAIL", name)


def refused(name, code, call, **args):
    try:
        call(**args)
        check(name + ": accepted", False)
    except ClientError as e:
        got = e.response["Error"]["Code"]
        check("%s: %s, not %s" % (name, got, code), got == code)


def client(service, port, secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"):
    c = boto3.client(
        service, endpoint_url="http://127.0.0.1:%d" % port,
        region_name="us-east-1", aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 0},
                      s3={"addressing_style": "path"}))
    if service == "s3":
        c.meta.events.register(
            "before-sign.s3", lambda request, **_: [
                request.headers.add_header(k, v) for k, v in extra.items()])
    return c


def crc64nvme(data, crc=0):
    """Bit by bit, for short inputs."""
    crc ^= 0xFFFFFFFFFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x9A6C9329AC4BC9B5 if crc & 1 else 0)
    return base64.b64encode(
        (crc ^ 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big")).decode()


def read_all(logs, **args):
    events = []
    while True:
        page = logs.filter_log_events(**args)
        events += page["events"]
        if "nextToken" not in page:
            return events
        args["nextToken"] = page["nextToken"]


def check_logs(port):
    logs = client("logs", port)
    events = read_all(logs, logGroupName="/web", startTime=DAY,
                      endTime=DAY + 86400000)
    times = [e["timestamp"] for e in events]
    check("pages in order", times == sorted(times) and len(times) > 10000)
    check("ids differ", len({e["eventId"] for e in events}) == len(events))
    logs.create_log_group(logGroupName="/t")
    logs.create_log_stream(logGroupName="/t", logStreamName='s/"\u00e9')
    now = int(time.time() * 1000)
    wanted = ["snow \u2603 \U0001f600\n", 'quote " \\', "\x00\x01", "x"]
    put = {"logGroupName": "/t", "logStreamName": 's/"\u00e9'}
    logs.put_log_events(logEvents=[
        {"timestamp": now - 10 + i, "message": m}
        for i, m in enumerate(wanted)], **put)
    time.sleep(0.05)
    got = read_all(logs, logGroupName="/t", limit=3)
    check("put is read", [e["message"] for e in got] == wanted)
    refused("disorder", "InvalidParameterException", logs.put_log_events,
            logEvents=[{"timestamp": now, "message": "b"},
                       {"timestamp": now - 1, "message": "a"}], **put)
    old = logs.put_log_events(logEvents=[
        {"timestamp": now - 15 * 86400000 // 1, "message": "a"}], **put)
    check("15 days is too old", old["rejectedLogEventsInfo"]
          ["tooOldLogEventEndIndex"] == 1)
    refused("again", "ResourceAlreadyExistsException", logs.create_log_group,
            logGroupName="/t")
    logs.put_retention_policy(logGroupName="/t", retentionInDays=1)
    groups = logs.describe_log_groups(logGroupNamePrefix="/t")["logGroups"]
    check("retention shows", groups[0]["retentionInDays"] == 1)
    refused("wrong secret", "InvalidSignatureException",
            client("logs", port, "x").describe_log_groups)


def check_objects(s3):
    key, at = "a b/\u00fc+&=~'.txt", {"Bucket": "test-bucket"}
    s3.put_object(Key=key, Body=b"hello", Metadata={"k": "v"},
                  StorageClass="GLACIER_IR", **at)
    got = s3.get_object(Key=key, **at)
    check("object", got["Body"].read() == b"hello" and
          got["Metadata"] == {"k": "v"} and
          got["StorageClass"] == "GLACIER_IR")
    listed = s3.list_objects_v2(Prefix="a b/", **at)["Contents"]
    check("listed", [o["Key"] for o in listed] == [key])
    extra["If-None-Match"] = "*"
    refused("exists", "PreconditionFailed", s3.put_object, Key=key,
            Body=b"", **at)
    extra.clear()
    extra["x-amz-checksum-crc64nvme"] = crc64nvme(b"other")
    refused("digest", "BadDigest", s3.put_object, Key="k", Body=b"x", **at)
    extra.clear()
    refused("none", "NoSuchKey", s3.get_object, Key="none", **at)
    for i in range(5):
        s3.put_object(Key="p/%d" % i, Body=b"", **at)
    first = s3.list_objects_v2(Prefix="p/", MaxKeys=3, **at)
    rest = s3.list_objects_v2(
        Prefix="p/", ContinuationToken=first["NextContinuationToken"], **at)
    check("two pages", first["KeyCount"] == 3 and rest["KeyCount"] == 2)


def check_restore(s3):
    at = {"Bucket": "test-bucket", "Key": "cold"}
    asked = {"Days": 2, "GlacierJobParameters": {"Tier": "Bulk"}}
    s3.put_object(Body=b"x", StorageClass="GLACIER", **at)
    refused("cold", "InvalidObjectState", s3.get_object, **at)
    said = s3.restore_object(RestoreRequest=asked, **at)
    check("restore: 202", said["ResponseMetadata"]["HTTPStatusCode"] == 202)
    head = s3.head_object(**at)
    check("restore: under way", head["StorageClass"] == "GLACIER" and
          head["Restore"] == 'ongoing-request="true"')
    refused("restore", "RestoreAlreadyInProgress", s3.restore_object,
            RestoreRequest=asked, **at)


def begin(s3, key, sizes):
    at = {"Bucket": "test-bucket", "Key": key}
    at["UploadId"] = s3.create_multipart_upload(**at)["UploadId"]
    parts = []
    for i, size in enumerate(sizes):
        body = bytes([65 + i]) * size
        tag = s3.upload_part(PartNumber=i + 1, Body=body, **at)["ETag"]
        check("ETag is the MD5",
              tag.strip('"') == hashlib.md5(body).hexdigest())
        parts.append({"PartNumber": i + 1, "ETag": tag})
    return at, parts


def check_uploads(s3):
    at, parts = begin(s3, "small", [MIB5 - 1, 1])
    complete = s3.complete_multipart_upload
    refused("small part", "EntityTooSmall", complete,
            MultipartUpload={"Parts": parts}, **at)
    s3.abort_multipart_upload(**at)
    refused("aborted", "NoSuchUpload", s3.list_parts, **at)

    at, parts = begin(s3, "u", [MIB5, 3])
    refused("order", "InvalidPartOrder", complete,
            MultipartUpload={"Parts": parts[::-1]}, **at)
    wrong = [parts[0], {"PartNumber": 2, "ETag": parts[0]["ETag"]}]
    refused("ETag", "InvalidPart", complete,
            MultipartUpload={"Parts": wrong}, **at)
    extra["x-amz-mp-object-size"] = str(MIB5 + 4)
    refused("size", "InvalidRequest", complete,
            MultipartUpload={"Parts": parts}, **at)
    extra.clear()
    other, other_parts = begin(s3, "u", [4])
    complete(MultipartUpload={"Parts": other_parts}, **other)
    extra["If-None-Match"] = "*"
    refused("taken", "PreconditionFailed", complete,
            MultipartUpload={"Parts": parts}, **at)
    s3.delete_object(Bucket="test-bucket", Key="u")
    refused("made and deleted", "ConditionalRequestConflict", complete,
            MultipartUpload={"Parts": parts}, **at)
    extra.clear()
    complete(MultipartUpload={"Parts": parts}, **at)
    refused("twice", "NoSuchUpload", complete,
            MultipartUpload={"Parts": parts}, **at)
    data = os.urandom(2 * MIB5 + 7)
    s3.upload_fileobj(io.BytesIO(data), "test-bucket", "whole")
    back = io.BytesIO()
    s3.download_fileobj("test-bucket", "whole", back)
    check("by the transfer manager", back.getvalue() == data)


POLICY = {"Statement": [
    {"Effect": "Allow", "Action": action, "Resource": resource,
     "Principal": {"Service": "logs.us-east-1.amazonaws.com"}}
    for action, resource in (("s3:GetBucketAcl", "arn:aws:s3:::test-bucket"),
                             ("s3:PutObject", "arn:aws:s3:::test-bucket/*"))]}


def check_exports(port, s3):
    """One at a time, and only where the bucket's policy lets AWS in."""
    logs = client("logs", port)
    at = {"Bucket": "test-bucket"}
    task = {"logGroupName": "/web", "fromTime": DAY, "to": DAY + 86399999,
            "destination": "test-bucket", "destinationPrefix": "x"}
    refused("no policy", "NoSuchBucketPolicy", s3.get_bucket_policy, **at)
    refused("export without one", "InvalidParameterException",
            logs.create_export_task, **task)
    s3.put_bucket_policy(Policy=json.dumps(POLICY), **at)
    check("the policy is kept", json.loads(
        s3.get_bucket_policy(**at)["Policy"]) == POLICY)
    refused("no bucket", "InvalidParameterException", logs.create_export_task,
            **dict(task, destination="nothing"))
    one = logs.create_export_task(taskName="one", **task)["taskId"]
    refused("the slot is taken", "LimitExceededException",
            logs.create_export_task, **task)
    refused("both", "InvalidParameterException", logs.describe_export_tasks,
            taskId=one, statusCode="PENDING")
    tasks = logs.describe_export_tasks(taskId=one)["exportTasks"]
    check("is told", (tasks[0]["taskName"], tasks[0]["to"]) == (
        "one", DAY + 86399999))
    check("nobody knows it", not logs.describe_export_tasks(
        taskId="none")["exportTasks"])
    logs.cancel_export_task(taskId=one)
    check("is being cancelled", logs.describe_export_tasks(
        statusCode="PENDING_CANCEL")["exportTasks"][0]["taskId"] == one)
    refused("twice", "InvalidOperationException", logs.cancel_export_task,
            taskId=one)
    check("the probe", s3.get_object(Key="x/aws-logs-write-test", **at)[
        "Body"].read() == b"Permission Check Successful")


def check_deletes(s3):
    """Of many at once, each under its own condition."""
    at = {"Bucket": "test-bucket"}
    tags = {k: s3.put_object(Key=k, Body=k.encode(), **at)["ETag"]
            for k in ("d/1", "d/2", "d/3")}
    refused("1,001 keys", "MalformedXML", s3.delete_objects, Delete={
        "Objects": [{"Key": "d/%d" % i} for i in range(1001)]}, **at)
    refused("no keys", "MalformedXML", s3.delete_objects,
            Delete={"Objects": []}, **at)
    said = s3.delete_objects(Delete={"Quiet": True, "Objects": [
        {"Key": "d/1"}, {"Key": "d/none"}]}, **at)
    check("quiet", "Deleted" not in said and "Errors" not in said)
    there = s3.list_objects_v2(Prefix="d/", **at)["Contents"]
    check("the others stay", {o["Key"]: o["ETag"] for o in there} == {
        k: tags[k] for k in ("d/2", "d/3")})


def main():
    server = subprocess.Popen([sys.argv[1], "--group",
                               "/web:web:3000000:2026-11-09"],
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    try:
        port = int(server.stdout.readline().split()[1])
        check_logs(port)
        s3 = client("s3", port)
        check_objects(s3)
        check_uploads(s3)
        check_restore(s3)
        check_exports(port, s3)
        check_deletes(s3)
        refused("wrong secret", "SignatureDoesNotMatch",
                client("s3", port, "x").list_objects_v2,
                Bucket="test-bucket")
        who = client("sts", port).get_caller_identity()
        check("account", who["Account"] == "111122223333")
    finally:
        server.terminate()
        server.wait()
    print("boto3 %s: %s" % (boto3.__version__,
                            "%d failed" % len(failures) if failures
                            else "all as AWS"))
    return len(failures) > 0


sys.exit(main())
