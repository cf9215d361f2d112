"""measure.py - how a run is measured, for all parts of bench/run alike.

Each run has a server of its own (tests/aws/server.c, the logs made from a
seed as they are read) on the same machine; its CPU seconds are its own. A
run's resident peak is the kernel's VmHWM, looked at every 20 ms from outside,
or what the program tells of it, if that is more. Its cgroup's peak is what
the kernel counted in a group made for it alone: anonymous memory, page cache
that it was the first to touch (its program, but not Python's), sockets.
"""
import json
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))
from test_cgroup import FILES, Cgroup  # noqa: E402

SERVER = os.path.join(ROOT, "build/host/aws-server")
FIRN = {"default": os.path.join(ROOT, "build/firn"),
        "small": os.path.join(ROOT, "build/small/firn")}
DAY, FROM_MS = "2026-10-05", 1791158400000
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true"}
UNITS = {"K": 10 ** 3, "M": 10 ** 6, "G": 10 ** 9}
NO_LIMIT = 1 << 40
PATIENCE_S = 3600  # no run takes as long


def size_of(word):
    return int(word[:-1]) * UNITS[word[-1]] if word[-1] in UNITS \
        else int(word)


def sizes_of(name, otherwise):
    return [size_of(w) for w in os.environ.get(name, otherwise).split()]


def named(size):
    for unit in "GMK":
        if size % UNITS[unit] == 0:
            return "%d %sB" % (size // UNITS[unit], unit)
    return "%d B" % size


def kib(size):
    return format(size // 1024, ",") if size else "-"


# --- the tests' AWS ----------------------------------------------------------

def certificate(where):
    """A certificate for 127.0.0.1, of its own making, and its key."""
    cert, key = (os.path.join(where, n) for n in ("cert.pem", "key.pem"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
         cert, "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1"], check=True,
        stderr=subprocess.DEVNULL)
    return cert, key


class Server:
    def __init__(self, *words, tls=None):
        self.process = subprocess.Popen(
            [SERVER, *words, *(("--tls", *tls) if tls else ())],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.host = "127.0.0.1:%d" % int(
            self.process.stdout.readline().split()[1])
        self.url = "%s://%s" % ("https" if tls else "http", self.host)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def get(self, path):
        return urllib.request.urlopen(
            "%s/_model/%s" % (self.url, path),
            context=ssl._create_unverified_context())

    def stats(self):
        with self.get("stats") as reply:
            return counted(json.load(reply))

    def stop(self):
        """Ends it. What it counted, and its CPU seconds."""
        self.process.terminate()
        last = self.process.stderr.read().splitlines()[-1]
        self.process.wait()
        report = json.loads(last)
        return dict(counted(report["stats"]),
                    cpu=report["cpu_user"] + report["cpu_system"])


def counted(stats):
    """Without what was asked of the model itself."""
    stats["requests"] = sum(o["requests"] for name, o in
                            stats["operations"].items() if name != "Control")
    return stats


# --- a run -------------------------------------------------------------------

class Group(Cgroup):
    """A cgroup for one run; nothing of it may be swapped out."""

    def __init__(self, limit_bytes):
        super().__init__(limit_bytes)
        for name, value in (("memory.swap.max", 0),
                            ("memory.swappiness", 0)):
            if self.version and os.path.exists(
                    os.path.join(self.root, name)):
                self.write(name, value)

    def close(self):
        for _ in range(100):  # what was killed may not be gone yet
            try:
                return super().close()
            except OSError:
                time.sleep(0.1)
        return None

    def name(self):
        return "cgroup v%d, %s" % (self.version, FILES[self.version][0])


class Failed(Exception):
    """A run that did not end in 0: its row says so."""


class Outcome:
    """What became of a run: code (negative: a signal's), out, err; seconds,
    cpu; resident and grouped, bytes; killed by its cgroup, stopped as was
    asked for, or late."""

    def __init__(self):
        self.code, self.out, self.err = None, "", ""
        self.seconds = self.cpu = self.resident = self.grouped = 0
        self.killed = self.stopped = self.late = False

    def said(self):
        """The last line of stderr that is not one of progress."""
        lines = [w for w in self.err.splitlines() if w and w[0] != "{"]
        return lines[-1].strip()[:200] if lines else ""

    def peak_told(self):
        """What the program itself says of its peak; 0: nothing."""
        return max([int(n) for n in re.findall(
            r'"rss_peak_bytes": *(\d+)', self.out + self.err)] or [0])

    def why(self):
        if self.late:
            return "not done after %.0f s" % self.seconds
        if self.killed:
            return "killed: out of memory"
        if self.code == 0 or self.stopped:
            return ""
        return "exit %d: %s" % (self.code, self.said())


def peak_of(pid):
    try:
        with open("/proc/%d/status" % pid) as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def evict(program):
    """Out of the page cache, so that its pages are counted where it runs. What
    another process has mapped stays: Python, for one."""
    with open(os.path.realpath(program), "rb") as f:
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def pour(pipe, feed):
    """In a thread: all of the feed, as long as there is who reads."""
    try:
        with pipe:
            for piece in feed:
                pipe.write(piece)
    except OSError:
        pass


def watch(words, environment, feed=None, limit=None, stop=None,
          patience_s=PATIENCE_S):
    """Runs it to its end, or until stop() says True: then it gets SIGKILL.
    `feed` is what it reads; `limit`, in bytes, its cgroup's."""
    done, group = Outcome(), Group(limit) if limit else None
    grouped = group is not None and group.version > 0
    if grouped:
        evict(words[0])
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begun = time.monotonic()
        child = subprocess.Popen(
            words, stdout=out, stderr=err, bufsize=0,
            stdin=subprocess.DEVNULL if feed is None else subprocess.PIPE,
            env=dict(environment, PATH=os.environ["PATH"]),
            preexec_fn=group.enter if grouped else None)
        if feed is not None:
            threading.Thread(target=pour, args=(child.stdin, feed),
                             daemon=True).start()
        while True:
            pid, status, used = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            done.resident = max(done.resident, peak_of(child.pid))
            done.stopped = done.stopped or (stop is not None and stop())
            done.late = time.monotonic() - begun > patience_s
            if done.stopped or done.late:
                child.kill()
            time.sleep(0.02)
        child.returncode = done.code = os.waitstatus_to_exitcode(status)
        done.seconds = time.monotonic() - begun
        done.cpu = used.ru_utime + used.ru_stime
        for file, name in ((out, "out"), (err, "err")):
            file.seek(0)
            setattr(done, name, file.read().decode("utf-8", "replace"))
    done.resident = max(done.resident, done.peak_told())
    if grouped:
        done.grouped = group.peak()
        done.killed = done.code == -9 and not (done.stopped or
                                               done.late)
    if group is not None:
        group.close()
    return done


def firn(size, tls, profile="default", server=(), rate="10000"):
    """One `firn archive` of a day of that size: what the process took, what
    its last line says, what the server counted."""
    with Server("--discard-bodies", "--group", "/bench:web:%d:%s" % (
            size, DAY), *server, tls=tls) as there:
        done = watch([FIRN[profile], "archive", "--group", "/bench", "--day",
                      DAY, "--to", "s3://test-bucket", "--endpoint-url",
                      there.url, "--rate", rate],
                     dict(KEYS, AWS_CA_BUNDLE=tls[0]))
        if done.code != 0:
            raise Failed(done.why())
        return dict(json.loads(done.err.splitlines()[-1]), cpu=done.cpu,
                    seconds=round(done.seconds, 1), resident=done.resident,
                    server=there.stop())


# --- what is kept ------------------------------------------------------------

RESULTS = os.path.join(ROOT, "build/bench.json")
PUBLISHED = os.path.join(ROOT, "docs/bench/results.json")


def results():
    for path in (RESULTS, PUBLISHED):
        try:
            with open(path) as old:
                return json.load(old)
        except (OSError, ValueError):
            pass
    return {}


def keep(part, rows):
    """The rows of a part, instead of those of an earlier run of it, with the
    machine and the time."""
    everything = results()
    everything[part] = {"machine": machine(), "rows": rows,
                        "ended": time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                               time.gmtime())}
    with open(RESULTS + ".new", "w") as out:
        json.dump(everything, out, indent=1, sort_keys=True)
        out.write("\n")
    os.replace(RESULTS + ".new", RESULTS)


def first_line(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return (done.stdout.decode("utf-8", "replace").splitlines() or [""])[0]


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":")[1].strip() for line in info
                      if line.startswith("model name")), platform.machine())
    with open("/etc/os-release") as release:
        name = next(line.split("=")[1].strip().strip('"')
                    for line in release if line.startswith("PRETTY_NAME"))
    with open("/proc/meminfo") as info:
        memory = int(info.readline().split()[1]) // 1024
    return "%s, %d processors, %s MiB; %s, kernel %s; load %.1f" % (
        model, os.cpu_count(), format(memory, ","), name,
        platform.release().split("-")[0], os.getloadavg()[0])


# --- what is said ------------------------------------------------------------

class Paper:
    """Says a line and keeps it for the document."""

    def __init__(self):
        self.lines = []

    def __call__(self, line=""):
        print(line, flush=True)
        self.lines.append(line)


def publish(lines):
    """A part is done: its figures, and its sections of docs/benchmarks.md,
    those that have the same headings; others stay, and what is new goes
    behind them."""
    shutil.copyfile(RESULTS, PUBLISHED)
    path = os.path.join(ROOT, "docs/benchmarks.md")
    kept = {}
    with open(path) as old:
        for text in (old.read(), "\n".join(lines)):
            for section in re.split(r"^(?=## )", text, flags=re.M):
                if section.strip():
                    kept[section.split("\n")[0]] = section.strip() + "\n"
    with open(path + ".new", "w") as out:
        out.write("\n".join(kept.values()))
    os.replace(path + ".new", path)
