"""test_run.py - firn run does what is due for every group of a configuration,
once. A number in a name is the row's in the table of failures.

  test_run.py [firn]

Twenty groups in the model of AWS, whose clock is set forward; what is in S3
afterwards, and how often S3 was asked."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import rig

score = rig.Score()
NOW = int(time.time() * 1000)
TODAY = NOW // rig.DAY_MS * rig.DAY_MS
GROUPS = ["/app/%02d" % n for n in range(18)] + ["/ecs/api", "/ecs/web"]
CONFIG = {
    "// what": "the test's", "region": "us-east-1",
    "to": "s3://test-bucket/", "backfill_days": 4,
    "groups": ["/app/*", "/ecs/api", {"name": "/ecs/web", "format": "text"}],
    "exclude": ["/app/tmp-*"],
}


class World:
    def __init__(self, firn, model, where):
        self.model, self.where = model, where
        self.firn = rig.Firn(firn, model.url)
        self.s3 = rig.client("s3", model.url)
        self.logs = rig.client("logs", model.url)

    def write(self, name="firn.json", **changes):
        path = os.path.join(self.where, name)
        with open(path, "w", encoding="utf-8") as f:
            json.dump({**CONFIG, **changes}, f, indent=1)
        return path

    def run(self, path, *words, **environment):
        return self.firn.run("run", path, "--output", "json", "--rate",
                             "1000", "--give-up", "5", *words, **environment)

    def forward(self, days):
        self.model.control("set?clock=%d" % (days * rig.DAY_MS))

    def asked(self):
        operations = json.loads(self.model.get("stats"))["operations"]
        return {name: count["requests"] for name, count in
                operations.items() if name != "Control"}

    def keys(self):
        """boto3's clock is not set forward, so that its signature is old."""
        self.model.control("set?check-signature=0")
        keys = [o["Key"] for page in self.s3.get_paginator(
            "list_objects_v2").paginate(Bucket="test-bucket")
                for o in page.get("Contents", [])]
        self.model.control("set?check-signature=1")
        return keys

    def receipts(self):
        keys = [k for k in self.keys() if k.endswith(".receipt.json")]
        self.model.control("set?check-signature=0")
        found = {k: json.loads(self.s3.get_object(
            Bucket="test-bucket", Key=k)["Body"].read()) for k in keys}
        self.model.control("set?check-signature=1")
        return found


def results(done):
    return [json.loads(line) for line in done.out.splitlines()]


def fill(world):
    for group in GROUPS + ["/app/tmp-1"]:
        world.model.control("group?group=%s&created=%d" % (
            group, TODAY - 10 * rig.DAY_MS))
        for age in range(1, 6):
            world.model.control(
                "fill?group=%s&profile=web&from=%d&bytes=4000&streams=2" % (
                    group, TODAY - age * rig.DAY_MS))


def a_first_run(world, path):
    dry = world.run(path, "--dry-run")
    score.equal("a dry run", (dry.code, len(results(dry)), world.keys()),
                (0, 80, []))
    done = world.run(path)
    lines = results(done)
    score.equal("20 groups, 4 days back", (done.code, len(lines)), (0, 80))
    score.check("a line a day", all(
        r["action"] == "archived" and r["state"] == "provisional" and
        r["events"] > 0 and r["group"] in GROUPS for r in lines), lines[:2])
    score.equal("object and receipt of each", len(world.keys()), 160)
    score.check("text where it was asked for",
                any(k.endswith("ecs/web/dt=" + lines[0]["day"] +
                               "/events.log.gz") for k in world.keys()))
    for r in lines[::13]:
        start = int(time.mktime(time.strptime(
            r["day"] + " UTC", "%Y-%m-%d %Z"))) * 1000 - time.timezone * 1000
        events = rig.read_all(world.logs, r["group"], start,
                              start + rig.DAY_MS)
        data = world.s3.get_object(Bucket="test-bucket",
                                   Key=r["key"])["Body"].read()
        score.equal("%s of %s" % (r["day"], r["group"]), rig.unpack(
            data, "gzip"), rig.ndjson(events) if "ndjson" in r["key"]
            else rig.text(events))


def a_second_run(world, path):
    before = world.asked()
    done = world.run(path)
    after = {name: n - before.get(name, 0) for name, n in
             world.asked().items() if n != before.get(name, 0)}
    score.equal("nothing is due", (done.code, done.out), (0, b""))
    score.equal("which costs a LIST a group and nothing else of S3", after,
                {"ListObjectsV2": 20, "DescribeLogGroups": 4})
    text = world.firn.run("run", path, "--give-up", "5")
    score.equal("in words", text.out,
                b"20 groups: 0 days archived, 0 recounted\n")


def the_page(world):
    """The examples of docs/configuration.md are taken as they stand."""
    with open(os.path.join(rig.ROOT, "docs/configuration.md"),
              encoding="utf-8") as f:
        pieces = f.read().split("```json\n")[1:]
    score.equal("examples", len(pieces), 3)
    for n, piece in enumerate(pieces):
        path = os.path.join(world.where, "page%d.json" % n)
        with open(path, "w", encoding="utf-8") as f:
            f.write(piece.split("```")[0])
        done = world.firn.run("policy", path, "--quiet")
        score.equal("example %d of the page" % n,
                    (done.code, done.err), (0, ""))


def status(world, path, code, **days):
    """Of all groups: their days by state."""
    done = world.firn.run("status", path, "--output", "json", "--give-up",
                          "5")
    lines = [json.loads(x) for x in done.out.splitlines()]
    sums = [r["days"] for r in lines if r["day"] is None and "days" in r]
    got = {state: sum(s[state] for s in sums) for state in days}
    score.equal("status %s" % days, (done.code, len(sums), got),
                (code, 20, days))
    return lines


def status_of_what_is_not_there(world, path):
    status(world, path, 75, missing=80, provisional=0)
    lines = status(world, world.write("all.json", since="2020-01-01"), 75,
                   missing=200, expired=0)
    score.equal("from their creation on", len(lines), 220)


def ways_to_give_it(world):
    with open(world.write(), encoding="utf-8") as f:
        text = f.read()
    world.s3.put_object(Bucket="test-bucket", Key="conf/firn.json",
                        Body=text.encode())
    done = world.run("s3://test-bucket/conf/firn.json")
    score.equal("a configuration in S3", (done.code, done.out), (0, b""))
    done = world.run("s3://test-bucket/conf/other.json")
    score.equal("that is not there", done.code, 78)
    done = world.run(text)
    score.equal("the text itself", (done.code, done.out), (0, b""))
    child = subprocess.run(
        [world.firn.program, "run", "-", "--give-up", "5"],
        input=text.encode(), env=world.firn.environment, check=False,
        capture_output=True)
    score.equal("standard input", child.returncode, 0)
    done = world.run("/nonexistent.json")
    score.check("no file (78)", done.code == 78 and
                'there is no file "/nonexistent.json"' in done.err, done.err)
    done = world.run(world.write("odd.json", shedule="x"))
    score.check("a misspelt key (78)", done.code == 78 and
                'odd.json:17:3: no key "shedule"; nearest: "schedule"' in
                done.err, done.err)
    done = world.run("/dev/zero")
    score.check("a device (86)", done.code == 78 and done.seconds < 5,
                done.err)


def one_that_fails(world):
    world.forward(1)
    path = world.write(groups=["/app/00", "/app/nope", "/app/01"])
    world.model.control("fault", b"FilterLogEvents times=1 status=400 "
                        b"error=AccessDeniedException")
    done = world.run(path)
    lines = results(done)
    score.equal("one group fails (16): the worst is told", done.code, 78)
    score.equal("and the others go on", [
        (r["group"], r["action"]) for r in lines][1:],
        [("/app/nope", "failed"), ("/app/01", "archived")])
    score.check("by name", 'no log group "/app/nope"' in done.err, done.err)
    world.model.control("clear-faults")
    score.equal("it is made up for", world.run(world.write()).code, 0)


def sealing(world, path):
    world.forward(16)
    done = world.run(path)
    sealed = [r for r in results(done) if r["action"] == "sealed"]
    score.equal("past the horizon days are recounted (61)",
                (done.code, len(sealed)), (0, 20 * 5))
    states = [r["state"] for r in world.receipts().values()]
    score.equal("and sealed", states.count("sealed"), 100)
    before = world.asked()
    done = world.run(path)
    after = world.asked()
    score.equal("once", (done.code, done.out, after["ListObjectsV2"] -
                         before["ListObjectsV2"],
                         after["GetObject"] - before["GetObject"]),
                (0, b"", 20, 0))


def reading(world):
    """cat and verify know the archives by the configuration alone."""
    group = "/app/03"
    keys = sorted(k for k in world.keys() if k.endswith(".gz") and
                  group.strip("/") + "/" in k)
    path = world.write()
    want = world.firn.run("cat", *("s3://test-bucket/" + k for k in keys))
    done = world.firn.run("cat", path, "--group", group)
    score.equal("cat of a group", (done.code, done.out),
                (want.code, want.out))
    before = world.asked()
    day = time.strftime("%Y-%m-%d", time.gmtime(TODAY / 1000 - 2 * 86400))
    done = world.firn.run("cat", path, "--group", group, "--from",
                          day + "T00:00:00Z", "--until", day + "T23:59:59.999Z")
    lines = [x for x in want.out.split(b"\n") if x.startswith(day.encode())]
    score.equal("of a day of it", (done.code, done.out.split(b"\n")[:-1]),
                (0, lines))
    asked = world.asked()
    score.check("which looks at days nearby alone", asked["GetObject"] -
                before["GetObject"] <= 12, asked["GetObject"])
    done = world.firn.run("cat", path, "--group", "/nobody")
    score.check("a group it does not speak of", done.code == 78 and
                'does not speak of "/nobody"' in done.err, done.err)
    done = world.firn.run("cat", path)
    score.equal("without a group", done.code, 64)
    done = world.firn.run("verify", path, "--output", "json")
    score.equal("verify of all", (
        done.code, len(results(done)), {r["action"] for r in results(done)}),
        (0, len(world.receipts()), {"verified"}))


def zones(world):
    """59: the days of two zones adjoin."""
    group = "/ecs/api"
    world.forward(17)
    done = world.run(world.write(groups=[group], timezone="Asia/Seoul"))
    score.equal("another time zone", done.code, 0)
    windows = sorted((r["window"]["from"], r["window"]["until"])
                     for r in world.receipts().values()
                     if r["source"]["group"] == group)
    holes = [(a, b) for a, b in zip(windows, windows[1:]) if a[1] != b[0]]
    score.check("no gap and no overlap but where no run was (59)",
                len(holes) <= 1 and all(a[1] < b[0] for a, b in holes),
                holes)


def a_signal(world):
    """79: it ends within two seconds, and the next run goes on."""
    world.forward(18)
    world.model.control("set?latency:FilterLogEvents=3000")
    child = subprocess.Popen(
        [world.firn.program, "run", world.write(), "--give-up", "30"],
        env=world.firn.environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    time.sleep(1)
    child.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    child.communicate(timeout=30)
    score.check("SIGTERM (79)", child.returncode == 75 and
                time.monotonic() - begun < 2.2,
                (child.returncode, time.monotonic() - begun))
    done = world.run(world.write(), "--deadline", "2")
    score.check("a deadline ends it, too", done.code == 75 and
                done.seconds < 5, (done.code, done.seconds, done.err[-300:]))
    world.model.control("set?latency:FilterLogEvents=0")
    done = world.run(world.write())
    score.equal("the next run", done.code, 0)


def main():
    firn = sys.argv[1] if len(sys.argv) > 1 else "build/firn"
    with rig.Model() as model, tempfile.TemporaryDirectory() as where:
        world = World(firn, model, where)
        path = world.write()
        fill(world)
        the_page(world)
        status_of_what_is_not_there(world, path)
        a_first_run(world, path)
        status(world, path, 0, missing=0, provisional=80)
        a_second_run(world, path)
        ways_to_give_it(world)
        one_that_fails(world)
        sealing(world, path)
        reading(world)
        zones(world)
        a_signal(world)
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
