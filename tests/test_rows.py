#!/usr/bin/env python3
"""test_rows.py - failures from outside, by their number in the table of
docs/durability.md; those that no other test shows.

    tests/test_rows.py FIRN QUICK [NUMBER]

FIRN is as users have it, QUICK the one with short times (`make torture`).
Each is a function row_N_...; what it needs of a server is in `served`.
"""
import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from rig import (KEY, Firn, Model, Score, certificate, client, ndjson,
                 receipt_key, unpack)
from test_hostile import DAY, expected

BUCKET = "test-bucket"
OBJECT = "d/x.ndjson.gz"
CANARY = "cAnArYcAnArYcAnArY0123456789aBcDeFgH"
score = Score()


class Case:
    """A server with one small day, and firn to archive it."""

    def __init__(self, model, program):
        self.model, self.firn = model, Firn(program, model.url)
        self.s3 = client("s3", model.url, **(
            {"verify": model.tls[0]} if model.tls else {}))

    def run(self, *words, url=None, **environment):
        firn = Firn(self.firn.program, url or self.model.url)
        firn.environment.update(environment)
        return firn.archive("/g", "s3://%s/%s" % (BUCKET, OBJECT), "--day",
                            DAY, *words)

    def read(self, key):
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def stored(self):
        stats = json.loads(self.model.get("stats"))
        return stats["objects"], stats["open_uploads"]

    def holds(self, name, done):
        """Archived, and every record there once."""
        score.equal(name + ": exit", (done.code, done.code and
                                      done.err[-400:]), (0, 0))
        if done.code == 0:
            self.model.control("clear-faults")
            self.model.control("set?skew=0")
            score.equal(name + ": records", unpack(self.read(OBJECT), "gzip"),
                        ndjson(expected(self.model)))

    def fails(self, name, done, code, *words):
        """An exit code, one sentence with these words, nothing stored."""
        said = [l for l in done.err.splitlines() if l[:1] != "{"]
        score.equal(name + ": exit", (done.code, done.code != code and
                                      done.err), (code, False))
        score.check(name + ": what is said", len(said) in (1, 2) and
                    all(w in said[0] for w in words), said)
        score.equal(name + ": nothing is stored", self.stored(), (0, 0))


@contextlib.contextmanager
def served(program, faults="", settings="", tls=(), group="web 300000"):
    profile, size = group.split()
    with Model("--set", "part-bytes-min=60000", tls=tls) as model:
        model.control("fill?" + urllib.parse.urlencode({
            "group": "/g", "from": DAY, "profile": profile, "bytes": size}))
        if settings:
            model.control("set?" + settings)
        if faults:
            model.control("fault", faults.encode())
        yield Case(model, program)


@contextlib.contextmanager
def listening(family=socket.AF_INET, host="127.0.0.1"):
    with socket.socket(family) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((host, 0))
        yield s


# --- 2.1 the network ----------------------------------------------------------

def row_1_a_name_that_does_not_resolve(firn, quick):
    with served(firn) as c:
        done = c.run(url="http://nothing.invalid", *("--allow-http",
                     "--give-up", "3"))
        c.fails("1: a name that does not resolve", done, 69,
                "nothing.invalid")
        score.check("1: within 20 s", done.seconds < 20, done.seconds)


def row_2_a_reset_within_any_request(firn, quick):
    for at in (0, 1, 1000, 100000, 4000000):
        with served(firn, "UploadPart #1 break=%d\nFilterLogEvents #1 "
                    "break=%d" % (at, at % 50), group="noise 6000000") as c:
            c.holds("2: reset after %d bytes" % at, c.run())


def row_3_nobody_takes_the_connection(firn, quick):
    """A listener whose queue is full lets packets vanish."""
    with served(quick) as c, listening() as s, contextlib.ExitStack() as held:
        s.listen(0)
        for _ in range(3):
            other = held.enter_context(socket.socket())
            other.setblocking(False)
            other.connect_ex(s.getsockname())
        done = c.run("--give-up", "2",
                     url="http://127.0.0.1:%d" % s.getsockname()[1])
        c.fails("3: a connection that nobody takes", done, 69, "127.0.0.1")
        score.check("3: within 10 s", done.seconds < 10, done.seconds)


def row_3_no_reply(firn, quick):
    with served(firn, "FilterLogEvents hang") as c:
        done = c.run("--give-up", "2")
        c.fails("3: no reply", done, 69, "no answer", "logs:FilterLogEvents")
        score.check("3: within 8 s", done.seconds < 8, done.seconds)


def row_4_silence_after_the_head(firn, quick):
    for where in ("FilterLogEvents", "CreateMultipartUpload", "UploadPart",
                  "ListParts", "CompleteMultipartUpload", "PutObject"):
        with served(quick, where + " #1 stall=0",
                    group="noise 6000000") as c:
            c.holds("4: silence in a reply to " + where, c.run())


def row_6_a_byte_a_second(firn, quick):
    with served(quick, "FilterLogEvents #1 drip=10") as c:
        c.holds("6: a slow drip", c.run())


def row_11_an_address_family_that_is_dead(firn, quick):
    with served(firn) as c:
        c.holds("11: IPv6 first, and dead", c.run(
            url="http://localhost:%d" % c.model.port))


def row_11_ipv6_alone(firn, quick):
    """To and from the server, by hand."""
    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def serve(s, port):
        with contextlib.suppress(OSError):
            while True:
                near = s.accept()[0]
                far = socket.create_connection(("127.0.0.1", port))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=pump, args=pair,
                                     daemon=True).start()
    try:
        with served(firn) as c, listening(socket.AF_INET6, "::1") as s:
            s.listen()
            threading.Thread(target=serve, args=(s, c.model.port),
                             daemon=True).start()
            c.holds("11: IPv6 alone", c.run(
                url="http://[::1]:%d" % s.getsockname()[1]))
    except OSError as e:
        print("skipped 11, IPv6 alone: " + str(e))


def row_12_no_descriptor_is_left(firn, quick):
    with served(firn) as c:
        done = subprocess.run(
            [firn, "archive", "--group", "/g", "--to", "s3://b-b/x", "--day",
             DAY], env=c.firn.environment, stderr=subprocess.PIPE,
            stdout=subprocess.PIPE, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                  (8, 8)))
        score.check("12: too few descriptors", done.returncode == 69 and
                    b"ulimit -n" in done.stderr, done)


# --- 2.2 what AWS answers -----------------------------------------------------

def row_13_throttled(firn, quick):
    for share in (300, 950):
        for what in ("FilterLogEvents %%%d error=ThrottlingException\n"
                     "UploadPart %%%d error=SlowDown status=503",
                     "FilterLogEvents %%%d error=x status=429\n"
                     "PutObject %%%d error=SlowDown status=503 "
                     "retry-after=0"):
            with served(quick, what % (share, share)) as c:
                done = c.run("--give-up", "2")
                c.holds("13: %d of 1,000 throttled" % share, done)
                if share == 950:
                    last = json.loads(done.err.splitlines()[-1])
                    score.check("13: and counted", last["throttled"] > 0,
                                last)


def row_19_pages_in_a_circle(firn, quick):
    with served(quick, "FilterLogEvents circle", "page-bytes=50000") as c:
        c.fails("19: pages in a circle", c.run("--give-up", "3"), 69, "/g")


def row_20_a_token_that_expired(firn, quick):
    with served(quick, "FilterLogEvents #3 delay=300",
                "page-bytes=30000&token-life=150") as c:
        c.holds("20: tokens that expire", c.run())


def row_21_events_out_of_order(firn, quick):
    with served(firn, "FilterLogEvents %300 repeat\n"
                "FilterLogEvents %300 times=5 cut=?",
                "page-bytes=30000&repeat-border=3") as c:
        c.holds("21: events that come again", c.run())


def row_22_the_group_goes_away(firn, quick):
    with served(firn, "FilterLogEvents #3- "
                "error=ResourceNotFoundException", "page-bytes=30000") as c:
        c.fails("22: the group goes away", c.run(), 78, "/g",
                "ResourceNotFoundException")


def row_25_a_class_without_reads(firn, quick):
    with served(firn) as c:
        c.model.control("group?group=/g&class=INFREQUENT_ACCESS")
        done = c.run()
        said = done.err.splitlines()[-2] if done.code else ""
        score.check("25: Infrequent Access", done.code == 78 and
                    "INFREQUENT" in done.err.upper(), done)
        score.equal("25: nothing is stored", c.stored(), (0, 0))
        del said


# --- 2.3 writing to S3 --------------------------------------------------------

def row_29_the_upload_is_gone(firn, quick):
    for where in ("UploadPart #1", "ListParts #1",
                  "CompleteMultipartUpload #1"):
        with served(quick, where + " error=NoSuchUpload status=404",
                    group="noise 6000000") as c:
            c.run()
            c.model.control("clear-faults")
            c.holds("29: NoSuchUpload at %s, run again" % where, c.run())


def row_30_a_part_is_not_what_was_sent(firn, quick):
    for fault in ("UploadPart #1 flip=5000", "UploadPart #1 drop=ETag"):
        with served(quick, fault, group="noise 6000000") as c:
            done = c.run()
            if done.code == 0:
                c.holds("30: " + fault, done)
            else:
                score.check("30: " + fault, done.code in (65, 69), done)
    with served(quick, "UploadPart flip=5000", group="noise 6000000") as c:
        done = c.run()
        score.check("30: every part is damaged", done.code in (65, 69) and
                    c.stored()[0] in (0, 1), done)


def row_35_versions_locks_keys(firn, quick):
    with served(firn, settings="opaque-etags=1", group="noise 6000000") as c:
        c.model.control("bucket?name=%s&versioned=1&locked=1" % BUCKET)
        c.holds("35: versioned, locked, ETags that are no digests", c.run())


def row_36_a_bucket_of_someone_else(firn, quick):
    with served(firn) as c:
        c.model.control("bucket?name=other-bucket&owner=999988887777")
        done = c.firn.archive("/g", "s3://other-bucket/x.gz", "--day", DAY,
                              "--expected-bucket-owner", "111122223333")
        c.fails("36: a bucket of someone else", done, 77, "AccessDenied")


# --- 2.5 to 2.8 ---------------------------------------------------------------

def row_54_a_clock_that_is_years_off(firn, quick):
    for skew in (20 * 60000, -3650 * 86400000):
        with served(firn, settings="skew=%d" % skew) as c:
            done = c.run()
            if skew < 0:  # then the day is still to come
                score.check("54: ten years off", done.code in (0, 64, 65, 75),
                            done)
            else:
                c.holds("54: 20 minutes off", done)


def row_69_a_secret_is_nowhere(firn, quick):
    with served(firn) as c:
        c.model.control("key?id=ASIACANARY&secret=%s&token=%s" % (
            CANARY, CANARY[::-1]))
        keys = {"AWS_ACCESS_KEY_ID": "ASIACANARY",
                "AWS_SECRET_ACCESS_KEY": CANARY,
                "AWS_SESSION_TOKEN": CANARY[::-1]}
        for words in ((), ("--if-exists", "replace", "--debug")):
            done = c.run(*words, **keys)
            everything = done.out + done.err.encode() + c.read(OBJECT) + \
                c.read(receipt_key(OBJECT))
            score.equal("69: exit", (done.code, done.code and done.err),
                        (0, 0))
            for secret in (CANARY, CANARY[::-1]):
                score.check("69: no secret in what came out %s" % (words,),
                            secret.encode() not in everything)
        done = c.run("--if-exists", "replace", **dict(
            keys, AWS_SECRET_ACCESS_KEY=CANARY + "x"))
        score.check("69: nor in an error", done.code == 77 and
                    CANARY not in done.err, done)


def row_72_a_redirect(firn, quick):
    with listening() as trap:
        trap.listen()
        trap.settimeout(0.2)
        for code in (301, 302, 307, 308):
            with served(firn, "HeadObject error=x status=%d "
                        "add=Location:_http://127.0.0.1:%d/\nFilterLogEvents "
                        "error=x status=%d add=Location:_http://127.0.0.1:%d/"
                        % (code, trap.getsockname()[1], code,
                           trap.getsockname()[1])) as c:
                done = c.run("--give-up", "2")
                score.check("72: %d is not followed" % code,
                            done.code in (69, 78), done)
        try:
            trap.accept()
            score.check("72: nobody came", False)
        except socket.timeout:
            score.check("72: nobody came", True)


def row_79_signals(firn, quick):
    for which in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with served(firn, "FilterLogEvents #3- delay=600000",
                    "page-bytes=30000") as c:
            child = subprocess.Popen(
                [firn, "archive", "--group", "/g", "--to",
                 "s3://%s/%s" % (BUCKET, OBJECT), "--day", DAY],
                env=c.firn.environment, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
            time.sleep(0.5)
            begun = time.monotonic()
            child.send_signal(which)
            _, err = child.communicate(timeout=10)
            seconds = time.monotonic() - begun
            score.check("79: %s" % which.name, child.returncode == 75 and
                        seconds < 2 and b"75 " in err,
                        (child.returncode, seconds, err))


def row_79_stdout(firn, quick):
    for name, target, code in (("a closed pipe", None, 0),
                               ("a full disk", "/dev/full", 78)):
        with served(firn) as c:
            with contextlib.ExitStack() as held:
                if target is None:
                    end, out = os.pipe()
                    os.close(end)
                    held.callback(os.close, out)
                else:
                    out = held.enter_context(open(target, "wb"))
                done = subprocess.run(
                    [firn, "archive", "--group", "/g", "--to",
                     "s3://%s/%s" % (BUCKET, OBJECT), "--day", DAY],
                    env=c.firn.environment, stdout=out,
                    stderr=subprocess.PIPE, check=False)
            score.equal("79: %s at stdout" % name, (
                done.returncode, done.returncode != code and done.stderr,
                c.stored()), (code, False, (2, 0)))


def row_81_too_little_memory(firn, quick):
    done = subprocess.run(
        [firn, "archive", "--group", "/g", "--to", "s3://b-b/x"],
        env={"AWS_REGION": "eu-west-1"}, stderr=subprocess.PIPE, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS,
                                              (7 << 20, 7 << 20)))
    score.check("81: an address space too small", done.returncode in (
        78, -signal.SIGSEGV, -signal.SIGKILL) and (
            done.returncode != 78 or b"firn needs" in done.stderr), done)


def a_zombie(quick, number, settings):
    """Frozen while it reads, past its lease; another does the work; then it
    wakes."""
    with served(quick, "FilterLogEvents #6 delay=700",
                "page-bytes=30000" + settings, group="noise 400000") as c:
        words = [quick, "archive", "--group", "/g", "--to", "s3://%s/%s" % (
            BUCKET, OBJECT), "--day", DAY, "--give-up", "5", "--rate", "1000"]
        zombie = subprocess.Popen(words, env=c.firn.environment,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        time.sleep(0.25)
        zombie.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        c.holds(number + ": beside a frozen one", c.run())
        good = c.read(OBJECT)
        zombie.send_signal(signal.SIGCONT)
        _, err = zombie.communicate(timeout=30)
        score.check(number + ": the zombie ends", zombie.returncode in (0, 75),
                    (zombie.returncode, err))
        score.check(number + ": and changes nothing", c.read(OBJECT) == good)
        score.equal(number + ": nothing is left", c.stored(), (2, 0))


def row_83_two_at_once(firn, quick):
    a_zombie(quick, "83", "")


def row_84_clocks_that_differ(firn, quick):
    a_zombie(quick, "84", "&skew=180000")


def row_86_odd_files(firn, quick):
    with served(firn) as c:
        where = tempfile.mkdtemp(dir=score.where)
        path = os.path.join(where, "credentials")

        def run(name, code, *words):
            done = c.run(AWS_SHARED_CREDENTIALS_FILE=path,
                         AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="",
                         AWS_EC2_METADATA_DISABLED="true")
            score.check("86: " + name, done.code == code and
                        all(w in done.err for w in words), done)
            score.check("86: %s, at once" % name, done.seconds < 5)
            return done
        os.mkfifo(path)
        run("a FIFO", 78, path)
        os.remove(path)
        os.symlink("/dev/zero", path)
        run("/dev/zero", 78, path)
        os.remove(path)
        os.mkdir(path)
        run("a directory", 78, path)
        os.rmdir(path)
        with open(path, "wb") as f:
            f.truncate(1 << 30)
        run("a gigabyte", 78, "too long")
        with open(path, "w") as f:
            f.write("[default]\naws_access_key_id = %s\n"
                    "aws_secret_access_key = %s\n" % KEY)
        os.chmod(path, 0o644)
        run("others can read it", 0, "warning: ", "others")
        os.chmod(path, 0o600)
        done = run("nobody else can", 0)
        score.check("86: no warning then", "warning" not in done.err, done)


def row_88_no_sandbox(firn, quick):
    with served(firn) as c:
        done = c.run("--no-sandbox")
        c.holds("88: without the filter", done)
        score.check("88: and it says so", "filter" in done.err, done.err)


def row_89_few_words(firn, quick):
    """A minute of failures, in a thousandth of its time."""
    with served(quick, "FilterLogEvents error=InternalFailure "
                "status=500") as c:
        done = c.run("--give-up", "3")
        c.fails("89: what fails again and again", done, 69)
        score.check("89: is said once", len(done.err.splitlines()) < 12,
                    done.err)


def main():
    firn, quick = (os.path.abspath(p) for p in sys.argv[1:3])
    only = sys.argv[3] if len(sys.argv) > 3 else ""
    rows = [(int(m[1]), f) for name, f in globals().items()
            if (m := re.match(r"row_(\d+)_", name))]
    with tempfile.TemporaryDirectory() as score.where:
        for number, row in rows:
            if only in ("", str(number)):
                row(firn, quick)
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
