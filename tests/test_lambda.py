"""test_lambda.py - firn as a custom runtime of AWS Lambda, against the model
of the runtime API and, where it is installed, AWS's own emulator
(aws-lambda-rie). A number in a name is the row's in the table of failures.

  test_lambda.py [firn [firn with short leases and small parts [test]]]

`large` is done only if it is named: LAMBDA_BYTES through invocations of
LAMBDA_SECONDS."""
import contextlib
import glob
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile

import rig
from runtime import Runtime

score = rig.Score()
DAY = "2026-10-05"
BUCKET = "test-bucket"
ONE = {"group": "/g", "day": DAY}
CONFIG = {"region": rig.REGION, "to": "s3://%s/" % BUCKET, "groups": ["/g"],
          "since": DAY, "backfill_days": 3653}
KEY = "123456789012/us-east-1/g/dt=%s/events.ndjson.gz" % DAY


class Environment:
    """An execution environment: one process, its runtime API, its AWS."""

    def __init__(self, model, program, seconds=60, config=CONFIG, **more):
        self.model, self.runtime = model, Runtime(seconds)
        self.program, self.config, self.more = program, config, more
        self.log = tempfile.TemporaryFile()
        self.start()

    def start(self):
        environment = rig.Firn(self.program, self.model.url).environment
        environment["AWS_LAMBDA_RUNTIME_API"] = self.runtime.api
        environment.update(self.more)
        if self.config is not None:
            environment["FIRN_CONFIG"] = self.config if isinstance(
                self.config, str) else json.dumps(self.config)
        self.process = subprocess.Popen(
            [os.path.abspath(self.program)], env=environment, cwd="/",
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.runtime.cut()

    def invoke(self, event, seconds=None):
        return self.runtime.invoke(event, seconds)

    def lives(self):
        return self.process.poll() is None

    def ends(self, seconds=20):
        """Its exit code and what it said."""
        try:
            code = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            code = None
        self.log.seek(0)
        return code, self.log.read().decode()


@contextlib.contextmanager
def lambda_of(program, size=300000, faults="", model_words=(), **more):
    with rig.Model("--set", "part-bytes-min=60000", *model_words) as model:
        model.control("fill?group=/g&from=%s&profile=web&bytes=%d" % (
            DAY, size))
        if faults:
            model.control("fault", faults.encode())
        e = Environment(model, program, **more)
        e.s3 = rig.client("s3", model.url)
        try:
            yield e
        finally:
            e.kill()
            e.runtime.close()
            score.equal("nothing strange was asked of the runtime API",
                        e.runtime.strange, [])


def key_of(e):
    keys = [o["Key"] for o in e.s3.list_objects_v2(Bucket=BUCKET).get(
        "Contents", [])]
    return next((k for k in keys if k.endswith("dt=%s/events.ndjson.gz" %
                                               DAY)), None), keys


def holds(name, e):
    """The day is there once, and all of it; nothing else is left."""
    key, keys = key_of(e)
    if key is None:
        score.check(name + ": there is an archive", False, keys)
        return b""
    data = e.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    events = json.loads(e.model.get("stats"))
    start = int(time.mktime(time.strptime(DAY, "%Y-%m-%d"))) * 1000
    want = rig.ndjson(rig.read_all(rig.client("logs", e.model.url), "/g",
                                   start, start + rig.DAY_MS))
    score.check(name + ": every record is there once",
                rig.unpack(data, "gzip") == want, len(data))
    score.equal(name + ": no upload is open", events["open_uploads"], 0)
    score.equal(name + ": no checkpoint is left",
                [k for k in keys if "checkpoint" in k], [])
    return data


# --- an event ----------------------------------------------------------------

def one_day(firn, quick):
    with lambda_of(firn) as e:
        told = e.invoke(ONE)
        score.equal("one day: answered", (told.what, told.body["exit"],
                                          told.body["action"],
                                          told.body["day"]),
                    ("response", 0, "archived", DAY))
        score.equal("one day: its events", told.body["events"] > 0, True)
        holds("one day", e)
        told = e.invoke(ONE)
        score.equal("again: nothing is done", told.body["action"], "skipped")
        score.check("it goes on", e.lives())


def ticks(firn, quick):
    """Scheduled events of three forms; a tick with nothing due is cheap."""
    rule = {"version": "0", "id": "cdc73f9d", "detail-type":
            "Scheduled Event", "source": "aws.events", "account":
            "123456789012", "time": "2019-03-01T01:23:45Z", "region":
            "us-east-2", "resources": ["arn:aws:events:us-east-2:1:rule/x"],
            "detail": {}}
    with lambda_of(firn) as e:
        told = e.invoke(rule)
        score.equal("a rule's: answered", (told.what, told.body.get("exit"),
                                           told.body.get("groups")),
                    ("response", 0, 1))
        score.check("a rule's: the days are archived",
                    told.body.get("archived", 0) > 1, told)
        holds("a rule's", e)
        told = e.invoke(dict(rule, source="aws.scheduler", detail="{}"))
        score.equal("Scheduler's: nothing is due", (told.body["exit"],
                                                    told.body["archived"]),
                    (0, 0))
        told = e.invoke({})
        score.equal("an empty one: the same", told.body["archived"], 0)
        e.log.seek(0)
        told = [json.loads(line) for line in e.log.read().splitlines()
                if line.startswith(b'{"_aws":')]
        score.equal("each tick tells its metrics",
                    [m["FirnArchivedDays"] > 1 for m in told],
                    [True, False, False])
        score.check("in CloudWatch's embedded metric format", all(
            m["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "firn" and
            all(d["Name"] in m for d in
                m["_aws"]["CloudWatchMetrics"][0]["Metrics"]) for m in told),
            told)


def row_93_no_events_of_ours(firn, quick):
    with lambda_of(firn) as e:
        for name, event, words in (
                ("no JSON", b"hello", "not JSON"),
                ("empty", b"", "not JSON"),
                ("half of it", b'{"group":"/g","day"', "not JSON"),
                ("another source", {"source": "aws.s3"}, "aws.s3"),
                ("unknown keys", {"job": "daily"}, "job"),
                ("a day that never was", {"group": "/g", "day":
                                          "2026-02-30"}, "2026-02-30"),
                ("a day to come", {"group": "/g", "day": "2126-01-01"},
                 "only what has ended"),
                ("6 MB", {"x": "y" * 6000000}, "larger than")):
            told = e.invoke(event)
            score.check("93: %s is refused" % name, told.what != "nothing" and
                        told.what == "error" and words in
                        told.body["errorMessage"] and
                        told.body["errorType"].startswith("Function.") and
                        told.body["stackTrace"] == [] and
                        told.headers["lambda-runtime-function-error-type"] ==
                        told.body["errorType"], told)
        score.equal("93: and then it works", e.invoke(ONE).body["exit"], 0)


def row_93_the_runtime_api_fails(firn, quick):
    for method in ("GET", "POST"):
        for status in (400, 403, 413, 500, 503):
            with lambda_of(firn) as e:
                if method == "GET":
                    e.runtime.cut()
                    e.kill()
                    e.runtime.status["GET"] = status
                    e.start()
                else:
                    e.runtime.status["POST"] = status
                    e.runtime.send(ONE)
                if method == "GET" or status >= 500:
                    code, said = e.ends()
                    score.check("93: %s %d ends it" % (method, status),
                                code not in (0, None) and "runtime API" in
                                said, (code, said[-300:]))
                    continue
                e.runtime.until_held()
                for _ in range(200):
                    if json.loads(e.model.get("stats"))["objects"] == 2:
                        break
                    time.sleep(0.05)
                time.sleep(0.3)
                e.runtime.status["POST"] = 202
                told = e.invoke(ONE)
                score.equal("93: after %d the loop goes on" % status,
                            (told.what, told.body["action"]),
                            ("response", "skipped"))


def row_93_it_closes(firn, quick):
    with lambda_of(firn) as e:
        score.equal("93: an event before", e.invoke(ONE).body["exit"], 0)
        e.runtime.drop = 1
        e.runtime.send(ONE)
        told = e.runtime.hear(10)
        e.runtime.drop = 0
        score.check("93: closed once, answered or ended",
                    told.what in ("response", "nothing"), told)
    with lambda_of(firn) as e:
        e.kill()
        e.runtime.drop = 1000
        e.start()
        code, said = e.ends()
        score.check("93: closed for good ends it", code not in (0, None) and
                    "runtime API" in said, (code, said[-300:]))


# --- how it begins ------------------------------------------------------------

def init_errors(firn, quick):
    for name, config, words in (
            ("no configuration", None, "FIRN_CONFIG is not set"),
            ("a mistake in it", '{"region": "us-east-1", "grups": []}',
             "grups"),
            ("no such file", "/nonexistent/firn.json", "there is no file")):
        with lambda_of(firn, config=config) as e:
            told = e.runtime.hear(20)
            score.check("%s is told" % name, told.what != "nothing" and
                        told.what == "init" and
                        words in told.body["errorMessage"] and
                        told.body["errorType"] == "Function.Configuration",
                        told)
            code, said = e.ends()
            score.check("%s ends it" % name, code == 78, (code, said))
    with lambda_of(firn, AWS_LAMBDA_RUNTIME_API="10.1.2.3:80") as e:
        code, said = e.ends()
        score.check("elsewhere than here is refused", code == 78 and
                    "of this machine" in said, (code, said))


def row_94_no_writable_disk(firn, quick):
    """/tmp is not there: nothing is written anyway; begun within 10 s."""
    begun = time.monotonic()
    with lambda_of(firn, TMPDIR="/nonexistent") as e:
        e.invoke({})
        score.check("94: the first answer within 10 s",
                    time.monotonic() - begun < 10)


def row_95_outside_of_the_configuration(firn, quick):
    with lambda_of(firn, config=dict(CONFIG, groups=["/ecs/*"])) as e:
        told = e.invoke(ONE)
        score.check("95: another group", told.what == "error" and
                    "not one of the configuration's" in
                    told.body["errorMessage"], told)
        told = e.invoke(dict(ONE, to="s3://mine/"))
        score.check("95: another bucket", told.what == "error" and
                    "\"to\"" in told.body["errorMessage"], told)
        score.equal("95: nothing is stored", key_of(e)[1], [])


# --- time ---------------------------------------------------------------------

def row_90_a_day_over_many_invocations(firn, quick):
    """Parts are small and pages slow: the day takes some ten invocations of
    four seconds, and ends as the bytes of a single run."""
    words = ("--set", "page-bytes=60000", "--set", "latency=40")
    with lambda_of(quick, size=12000000, model_words=words, seconds=4) as e:
        answers = []
        while len(answers) < 40:
            begun = time.time()
            told = e.invoke(ONE)
            score.check("90: answered in time, %.2f s" % (told.at - begun),
                        told.at - begun < 4, told)
            answers.append(told.body)
            if told.what != "response" or told.body["exit"] != 75:
                break
        score.check("90: many invocations", len(answers) > 2, answers)
        score.equal("90: the last archives it", (answers[-1].get("exit"),
                                                 answers[-1].get("action")),
                    (0, "archived"))
        reached = [a["reached"] for a in answers]
        score.equal("90: each goes on", reached, sorted(reached))
        whole = holds("90", e)
        print("90: %d invocations" % len(answers))
    with lambda_of(quick, size=12000000, model_words=words[:2]) as e:
        score.equal("90: a single run", e.invoke(ONE).body["exit"], 0)
        score.check("90: the same bytes", holds("90: single", e) == whole)


def row_91_frozen_and_thawed(firn, quick):
    """Stopped while it waits for an event; every connection dies meanwhile."""
    with lambda_of(firn) as e:
        score.equal("91: before", e.invoke({}).body["exit"], 0)
        time.sleep(0.3)
        e.process.send_signal(signal.SIGSTOP)
        time.sleep(17)
        e.runtime.cut()
        e.process.send_signal(signal.SIGCONT)
        told = e.invoke(ONE)
        score.equal("91: after", (told.what, told.body["exit"]),
                    ("response", 0))
        score.check("91: no error was said", e.lives())


def row_92_killed_at_the_timeout(firn, quick):
    """The environment is killed in its work, and a new one gets the same
    event at once."""
    with lambda_of(quick, size=6000000, model_words=(
            "--set", "page-bytes=60000", "--set", "latency=30")) as e:
        e.runtime.send(ONE)
        e.runtime.until_held()
        time.sleep(2)
        e.kill()
        e.runtime.held = None
        e.start()
        told = e.invoke(ONE)
        score.equal("92: the retry ends it", (told.what, told.body["exit"],
                                              told.body["action"]),
                    ("response", 0, "archived"))
        holds("92", e)


def row_94_two_environments(firn, quick):
    with lambda_of(quick, size=6000000, model_words=(
            "--set", "page-bytes=60000", "--set", "latency=30")) as e:
        other = Environment(e.model, quick)
        e.runtime.send(ONE)
        e.runtime.until_held()
        time.sleep(1)
        second = other.invoke(ONE)
        first = e.runtime.hear()
        score.equal("94: the one that holds the day",
                    (first.what, first.body["exit"]), ("response", 0))
        score.equal("94: the other leaves it, without an error",
                    (second.what, second.body["exit"]), ("response", 75))
        holds("94", e)
        other.kill()
        other.runtime.close()


def failures_are_errors(firn, quick):
    with lambda_of(firn, faults="FilterLogEvents "
                   "error=AccessDeniedException status=400\n") as e:
        told = e.invoke(ONE)
        score.check("denied: an error of its own type", told.what == "error"
                    and told.body["errorType"] == "Function.Denied" and
                    "AccessDenied" in told.body["errorMessage"], told)
        told = e.invoke({})
        score.check("denied: in a run, too", told.what == "error" and
                    told.body["errorType"] == "Function.Denied", told)
        score.check("denied: it goes on", e.lives())


def memory_is_flat(firn, quick):
    with lambda_of(firn) as e:
        peaks = []
        for n in range(200):
            e.runtime.send(ONE if n % 2 else b"x" * 5000)
            e.runtime.hear()
            if n in (20, 199):
                with open("/proc/%d/status" % e.process.pid,
                          encoding="ascii") as f:
                    peaks.append([l for l in f if l.startswith("VmHWM")])
        score.equal("200 events: memory as at the start", peaks[1], peaks[0])


def no_patience_runs_out(firn, quick):
    """Any other exchange that is so long silent would have failed."""
    with lambda_of(quick) as e:
        time.sleep(2)
        score.equal("an event after a long silence", e.invoke(ONE).body["exit"],
                    0)


# --- the zip ------------------------------------------------------------------

def the_zip(firn, quick):
    made = []
    for old in range(2):
        if old:
            os.remove(os.path.join(rig.ROOT, path[0]))
        done = subprocess.run(["make", "lambda"], cwd=rig.ROOT,
                              stdout=subprocess.PIPE, text=True, check=False)
        path = glob.glob("build/firn-lambda-*.zip", root_dir=rig.ROOT)
        score.check("make lambda", done.returncode == 0 and path, done)
        if not path:
            return
        with open(os.path.join(rig.ROOT, path[0]), "rb") as f:
            made.append(f.read())
    score.check("the same bytes each time", made[0] == made[1])
    score.check("under 1 MB", len(made[0]) < 1000000, len(made[0]))
    with zipfile.ZipFile(io.BytesIO(made[0])) as z:
        score.equal("bootstrap at its root, and nothing else", z.namelist(),
                    ["bootstrap"])
        score.equal("which may be executed by all",
                    z.getinfo("bootstrap").external_attr >> 16, 0o100755)
        score.equal("it is the program", z.read("bootstrap")[:4], b"\x7fELF")


# --- AWS's own emulator -------------------------------------------------------

def emulator_program():
    where = os.path.join(rig.ROOT, "build/rie")
    found = shutil.which("aws-lambda-rie", path=where + ":" +
                         os.environ["PATH"])
    if found or not shutil.which("go"):
        return found
    subprocess.run(
        ["go", "install", "github.com/aws/aws-lambda-runtime-interface-"
         "emulator/cmd/aws-lambda-rie@latest"], check=False, timeout=300,
        env=dict(os.environ, GOBIN=where), stderr=subprocess.DEVNULL)
    return shutil.which("aws-lambda-rie", path=where)


class Emulated:
    """A function under the emulator."""

    def __init__(self, rie, firn, url, seconds):
        with socket.socket() as s, socket.socket() as t:
            s.bind(("127.0.0.1", 0))
            t.bind(("127.0.0.1", 0))
            self.port, api = s.getsockname()[1], t.getsockname()[1]
        self.process = subprocess.Popen(
            [rie, "--runtime-interface-emulator-address",
             "127.0.0.1:%d" % self.port, "--runtime-api-address",
             "127.0.0.1:%d" % api, os.path.abspath(firn)],
            env=dict(rig.Firn(firn, url).environment,
                     FIRN_CONFIG=json.dumps(CONFIG),
                     AWS_LAMBDA_FUNCTION_TIMEOUT=str(seconds),
                     AWS_LAMBDA_FUNCTION_MEMORY_SIZE="128"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)

    def invoke(self, event):
        request = urllib.request.Request(
            "http://127.0.0.1:%d/2015-03-31/functions/function/invocations" %
            self.port, json.dumps(event).encode())
        for _ in range(50):
            try:
                with urllib.request.urlopen(request, timeout=40) as r:
                    return json.loads(r.read())
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        return {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def emulator(firn, quick):
    rie = emulator_program()
    if rie is None:
        print("skipped AWS's runtime interface emulator: there is no "
              "aws-lambda-rie here, and go install does not bring it")
        return
    with rig.Model("--set", "part-bytes-min=60000") as model:
        model.control("fill?group=/g&from=%s&profile=web&bytes=300000" % DAY)
        with Emulated(rie, firn, model.url, 30) as e:
            told = e.invoke(ONE)
            score.equal("RIE: one day", (told.get("exit"),
                                         told.get("action")),
                        (0, "archived"))
            told = e.invoke({"group": "/other", "day": DAY})
            score.check("RIE: an error", told.get("errorType") ==
                        "Function.Configuration" and "/other" in
                        told.get("errorMessage", ""), told)
            score.equal("RIE: and on", e.invoke(ONE).get("action"), "skipped")
            score.equal("RIE: a tick", e.invoke({}).get("exit"), 0)
    with rig.Model("--set", "part-bytes-min=60000", "--set",
                   "page-bytes=60000", "--set", "latency=40") as model:
        model.control("fill?group=/g&from=%s&profile=web&bytes=6000000" % DAY)
        with Emulated(rie, quick, model.url, 4) as e:
            told = [e.invoke(ONE)]
            while told[-1].get("exit") == 75 and len(told) < 40:
                told.append(e.invoke(ONE))
            score.check("RIE: a day over many invocations", len(told) > 2 and
                        told[-1].get("action") == "archived", told)


# --- a large day, if it is asked for ------------------------------------------

def large(firn, size, seconds):
    """LAMBDA_BYTES of log through invocations of LAMBDA_SECONDS, and by one
    run: the receipts tell whether both are of the same bytes."""
    receipts = []
    for limit in (seconds, 100000):
        with lambda_of(firn, size=size, seconds=limit, config=dict(
                CONFIG, rate=1000)) as e:
            begun, told = time.monotonic(), []
            while not told or told[-1].body.get("exit") == 75:
                e.runtime.send(ONE)
                told.append(e.runtime.hear(limit + 60))
            score.equal("large: archived", told[-1].body.get("action"),
                        "archived")
            key, keys = key_of(e)
            r = json.loads(e.s3.get_object(Bucket=BUCKET, Key=key.replace(
                "/events.ndjson.gz", "/_events.receipt.json"))["Body"].read())
            receipts.append([r[k] for k in ("events", "bytes_raw", "crc64nvme",
                                            "bytes_stored", "digest")])
            with open("/proc/%d/status" % e.process.pid,
                      encoding="ascii") as f:
                peak = [l.split()[1] for l in f if l.startswith("VmHWM")][0]
            print("large: %d invocations of %d s, %.0f s, peak %s kB, %s" % (
                len(told), limit, time.monotonic() - begun, peak, receipts[-1]))
            score.equal("large: one object and its receipt", len(keys), 2)
    score.equal("large: the same bytes", receipts[0], receipts[1])


TESTS = [one_day, ticks, row_93_no_events_of_ours,
         row_93_the_runtime_api_fails, row_93_it_closes, init_errors,
         row_94_no_writable_disk, row_95_outside_of_the_configuration,
         row_90_a_day_over_many_invocations, row_91_frozen_and_thawed,
         row_92_killed_at_the_timeout, row_94_two_environments,
         failures_are_errors, memory_is_flat, no_patience_runs_out, the_zip,
         emulator]


def main():
    firn = sys.argv[1] if len(sys.argv) > 1 else "build/firn"
    quick = sys.argv[2] if len(sys.argv) > 2 else \
        "build/torture/torture"
    only = sys.argv[3] if len(sys.argv) > 3 else ""
    os.environ["TZ"] = "UTC"
    time.tzset()
    for test in TESTS:
        if only in test.__name__:
            test(firn, quick)
    if only == "large":
        large(firn, int(os.environ.get("LAMBDA_BYTES", "2000000000")),
              int(os.environ.get("LAMBDA_SECONDS", "10")))
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
