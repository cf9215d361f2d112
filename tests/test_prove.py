"""test_prove.py - whole runs watched by strace (tests/prove): no memory, no
process and no file to write after the lock, whatever the run does.

  test_prove.py [firn]

An archive, a merge that copies and one that sorts, and a daemon with two runs,
over TLS, with some trouble on the way."""
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings

import rig

score = rig.Score()
NOW = int(time.time() * 1000)
YESTERDAY = time.strftime("%Y-%m-%d", time.gmtime(NOW / 1000 - 86400))
FAULTS = "* %30 error=ServiceUnavailable status=503\n* %20 reset\n"
TO = "s3://test-bucket/"


def configured(where):
    path = os.path.join(where, "firn.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"region": rig.REGION, "to": TO + "all/", "groups": ["/g"],
                   "backfill_days": 1, "schedule": "at(%s)" % time.strftime(
                       "%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 3))}, f)
    return path


def proved(name, firn, *words):
    done = subprocess.run(
        [os.path.join(rig.ROOT, "tests/prove"), firn.program, *words,
         "--give-up", "30"], stdout=subprocess.PIPE, env=firn.environment,
        stderr=subprocess.PIPE, timeout=120, check=False)
    said = done.stdout.decode()
    score.check(name + ": nothing is given after the lock",
                done.returncode == 0, said + done.stderr.decode()[-400:])
    score.check(name + ": the run is a whole one",
                "ended with exit code 0" in said, done.stderr.decode()[-600:])
    print(name + ":" + next((line for line in said.splitlines()
                             if line.startswith("  before the lock")), ""))


def main():
    warnings.simplefilter("ignore")
    program = sys.argv[1] if len(sys.argv) > 1 else "build/firn"
    with tempfile.TemporaryDirectory() as where:
        tls = rig.certificate(where)
        with rig.Model("--group", "/g:web:20000000:" + YESTERDAY,
                       tls=tls) as model:
            firn = rig.Firn(program, model.url)
            firn.environment["AWS_CA_BUNDLE"] = tls[0]
            s3 = rig.client("s3", model.url, verify=False)
            for i in range(3):
                s3.put_object(Bucket="test-bucket", Key="in/%d" % i, Body=(
                    b"2026-11-09T00:00:0%d.000Z a line\n" % i) * 200000)
            model.control("fault", FAULTS.encode())
            proved("archive", firn, "archive", "--group", "/g", "--day",
                   YESTERDAY, "--to", TO + "a.gz", "--rate", "1000")
            proved("merge", firn, "merge", TO + "in/", "--to", TO + "b.log")
            proved("merge in order of time", firn, "merge", TO + "in/", "--to",
                   TO + "c.log.gz", "--order", "time")
            proved("daemon", firn, "daemon", configured(where), "--rate",
                   "1000")
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
