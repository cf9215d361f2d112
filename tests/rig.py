"""rig.py - what the end-to-end tests share: firn as a command, the two
emulators of AWS, and readers of what was stored that are not firn's."""
import base64
import collections
import gzip
import http.client
import json
import logging
import os
import re
import ssl
import subprocess
import threading
import time
import zlib

import boto3
from botocore.config import Config

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REGION = "us-east-1"
KEY = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
DAY_MS = 86400000
PATIENCE_S = 60  # no run of a test needs as long
SURROGATE = re.compile("[\ud800-\udfff]")

Run = collections.namedtuple("Run", "code out err seconds")


class Score:
    """Counts what held and names what did not."""

    def __init__(self):
        self.passed, self.failed = 0, 0

    def check(self, name, good, why=""):
        if good:
            self.passed += 1
            return
        self.failed += 1
        print("FAILED  %s%s" % (name, ": " + str(why)[:600] if why else ""),
              flush=True)

    def equal(self, name, got, want):
        """Long values are shown where they begin to differ."""
        why = ""
        if got != want:
            at = next((i for i, (a, b) in enumerate(zip(got, want))
                       if a != b), min(len(got), len(want))) \
                if isinstance(got, (bytes, str, list)) else 0
            why = "%r, not %r" % (got, want) if not at and len(
                repr(want)) < 200 else "lengths %d, %d; at %d: %r, not %r" % (
                    len(got), len(want), at, got[max(at - 60, 0):at + 60],
                    want[max(at - 60, 0):at + 60])
        self.check(name, got == want, why)

    def close(self):
        print("%d passed, %d failed" % (self.passed, self.failed))
        return self.failed > 0 or self.passed == 0


class Firn:
    """The program under test, with an endpoint and keys."""

    def __init__(self, program, url, keys=KEY):
        self.program, self.url = os.path.abspath(program), url
        self.before = None  # called in the child, before the program is
        self.environment = {
            "AWS_ACCESS_KEY_ID": keys[0], "AWS_SECRET_ACCESS_KEY": keys[1],
            "AWS_REGION": REGION, "AWS_ENDPOINT_URL": url,
            "HOME": "/nonexistent", "PATH": os.environ["PATH"]}

    def run(self, *words, **environment):
        begun = time.monotonic()
        child = subprocess.Popen(
            [self.program, *words], stdin=subprocess.DEVNULL, cwd="/",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(self.environment, **environment),
            preexec_fn=self.before)
        try:
            out, err = child.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            out, err = child.communicate()
            err += b"\nstill running after %d s" % PATIENCE_S
        return Run(child.returncode, out, err.decode("utf-8", "replace"),
                   time.monotonic() - begun)

    def archive(self, group, key, *words):
        return self.run("archive", "--group", group, "--to", key,
                        "--rate", "1000", "--output", "json",
                        *(() if "--give-up" in words else ("--give-up", "5")),
                        *words)


def client(service, url, keys=KEY, **more):
    return boto3.client(
        service, endpoint_url=url, region_name=REGION,
        aws_access_key_id=keys[0], aws_secret_access_key=keys[1],
        config=Config(retries={"max_attempts": 0},
                      s3={"addressing_style": "path"}), **more)


# --- emulators ----------------------------------------------------------------

def start_moto():
    """moto in a thread of this process, which checks signatures and policies
    from its fourth call on. Gives its URL and the keys of a user who may use
    CloudWatch Logs and S3, and of one who may use CloudWatch Logs alone."""
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "6"
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    from moto.server import ThreadedMotoServer
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://127.0.0.1:%d" % server.get_host_and_port()[1]
    iam = client("iam", url)
    return (url, add_user(iam, "archiver", ["logs:*", "s3:*"]),
            add_user(iam, "reader", ["logs:*", "s3:ListBucket"]))


def add_user(iam, name, actions):
    iam.create_user(UserName=name)
    iam.put_user_policy(
        UserName=name, PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": actions,
                           "Resource": "*"}]}))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def certificate(where, address="127.0.0.1"):
    """A certificate of an address that signs itself, and its key."""
    cert, key = (os.path.join(where, n) for n in ("cert.pem", "key.pem"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
         cert, "-days", "2", "-subj", "/CN=" + address, "-addext",
         "subjectAltName=IP:" + address], check=True,
        stderr=subprocess.DEVNULL)
    return cert, key


class Model:
    """tests/aws/server.c: strict, generated groups, faults on a script."""

    def __init__(self, *words, program=None, tls=()):
        self.process = subprocess.Popen(
            [program or os.path.join(ROOT, "build/host/aws-server"),
             *(("--tls", *tls) if tls else ()), *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.port = int(self.process.stdout.readline().split()[1])
        self.url = "%s://127.0.0.1:%d" % ("https" if tls else "http",
                                          self.port)
        self.tls, self.report, self.tail = tls, {}, b""
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    def listen(self):
        for line in self.process.stderr:
            self.tail = line

    def control(self, path, body=b"", method="POST"):
        c = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=60,
            context=ssl._create_unverified_context()) if self.tls else \
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        c.request(method, "/_model/" + path, body)
        reply = c.getresponse()
        data = reply.read()
        if reply.status != 200:
            raise RuntimeError("%s: %d %r" % (path, reply.status, data))
        return data

    def get(self, path):
        return self.control(path, method="GET")

    def stop(self):
        """Ends it; its last line tells counts and CPU seconds."""
        self.process.terminate()
        code = self.process.wait()
        self.listener.join(10)  # it reads to the end
        try:
            self.report = json.loads(self.tail)
        except ValueError:
            raise RuntimeError("the model ended with %d: %r" % (
                code, self.tail[-300:])) from None
        return self.report

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


# --- what should be there -----------------------------------------------------

Event = collections.namedtuple("Event", "timestamp stream message ingested "
                               "id", defaults=(None, None))


def stamp(ms):
    return "%s.%03dZ" % (time.strftime("%Y-%m-%dT%H:%M:%S",
                                       time.gmtime(ms // 1000)), ms % 1000)


def quoted(text):
    """A JSON string: what must be escaped is, and halves of pairs."""
    return SURROGATE.sub(lambda m: "\\u%04x" % ord(m[0]),
                         json.dumps(text, ensure_ascii=False))


def ndjson(events, fields=""):
    lines = []
    for e in events:
        line = '{"timestamp":"%s","stream":%s,"message":%s' % (
            stamp(e.timestamp), quoted(e.stream), quoted(e.message))
        if "+ingested" in fields:
            line += ',"ingested":"%s"' % stamp(e.ingested)
        if "+id" in fields:
            line += ',"id":%s' % quoted(e.id)
        lines.append(line + "}\n")
    return "".join(lines).encode()


def text(events):
    return "".join("%s %s\n" % (stamp(e.timestamp),
                                SURROGATE.sub("\ufffd", e.message))
                   for e in events).encode()


def read_all(logs, group, start, end):
    """The events with start <= timestamp < end, by boto3, in the order of
    the pages, each once."""
    events, seen, more = [], set(), {}
    while True:
        page = logs.filter_log_events(logGroupName=group, startTime=start,
                                      endTime=end, **more)
        for e in page["events"]:
            if start <= e["timestamp"] < end and e["eventId"] not in seen:
                seen.add(e["eventId"])
                events.append(Event(e["timestamp"], e["logStreamName"],
                                    e["message"], e["ingestionTime"],
                                    e["eventId"]))
        if not page.get("nextToken"):
            return events
        more = {"nextToken": page["nextToken"]}


# --- what is there ------------------------------------------------------------

def by_command(words, data):
    done = subprocess.run(words, input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    return done.stdout if done.returncode == 0 and not done.stderr else \
        b"%r ended with %d: %r" % (words, done.returncode, done.stderr)


def unpack(data, compression):
    """What Debian's own tools make of the object."""
    if compression == "gzip":
        return by_command(["zcat"], data)
    return by_command(["zstd", "-dcq"], data) if compression == "zstd" \
        else data


def one_member(data):
    """One gzip member and nothing after it, by zlib."""
    d = zlib.decompressobj(31)
    d.decompress(data)
    return d.eof and not d.unused_data and gzip.decompress(data) is not None


def crc64nvme(data):
    """As the receipt and S3 write it; by a table, for megabytes."""
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x9A6C9329AC4BC9B5 if i & 1 else 0)
        table.append(i)
    crc = 0xFFFFFFFFFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    return base64.b64encode(
        (crc ^ 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big")).decode()


def receipt_key(key):
    """<dir>/_<stem>.receipt.json"""
    folder, _, name = key.rpartition("/")
    for ending in ("ndjson", "log"):
        for packed in ("", ".gz", ".zst"):
            if name.endswith("." + ending + packed):
                name = name[:-len("." + ending + packed)]
    return (folder + "/" if folder else "") + "_" + name + ".receipt.json"


def slice_of(data, compression, begin, end):
    """A run of blocks by itself."""
    piece = data[begin:end]
    if compression == "none":
        return piece
    if compression == "zstd":
        return unpack(piece, "zstd")
    if begin == 0:
        piece = piece[10:]  # the header of RFC 1952, without options
    return zlib.decompressobj(-15).decompress(piece)
