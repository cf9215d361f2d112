#!/usr/bin/env python3
"""measure.py - firn beside the boto3 pipeline; see bench/run.

Each run has a server of its own (tests/aws/server.c, the logs made from a
seed as they are read, objects counted and dropped) on the same machine; its
CPU seconds are its own and are shown. A run's peak of memory is the kernel's
VmHWM, looked at every 20 ms from outside, for firn and for boto3 alike.
"""
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SERVER = os.path.join(ROOT, "build/host/aws-server")
FIRN = {"default": os.path.join(ROOT, "build/firn"),
        "small": os.path.join(ROOT, "build/small/firn")}
PIPELINE = os.path.join(ROOT, "bench/boto3_pipeline.py")
DAY, FROM_MS = "2026-10-05", 1791158400000
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
UNITS = {"K": 10 ** 3, "M": 10 ** 6, "G": 10 ** 9}


def size_of(word):
    return int(word[:-1]) * UNITS[word[-1]] if word[-1] in UNITS \
        else int(word)


class Server:
    def __init__(self, size, words=(), tls=None):
        self.process = subprocess.Popen(
            [SERVER, "--discard-bodies", "--group",
             "/bench:web:%d:%s" % (size, DAY), *words,
             *(("--tls", *tls) if tls else ())],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        port = int(self.process.stdout.readline().split()[1])
        self.url = "%s://127.0.0.1:%d" % ("https" if tls else "http", port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.process.terminate()
        last = self.process.stderr.read().splitlines()[-1]
        self.process.wait()
        report = json.loads(last)
        report["cpu"] = report["cpu_user"] + report["cpu_system"]
        return report


class Failed(Exception):
    """A run that did not end in 0: its row says so."""


def peak_of(pid):
    try:
        with open("/proc/%d/status" % pid) as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def watch(words, environment):
    """Runs it. Gives its output, CPU seconds, seconds, VmHWM."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(words, stdout=out, stderr=err,
                                 env=dict(environment,
                                          PATH=os.environ["PATH"]))
        peak = 0
        while True:
            pid, status, used = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            peak = max(peak, peak_of(child.pid))
            time.sleep(0.02)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begun
        out.seek(0)
        err.seek(0)
        said = err.read().decode()
        if child.returncode != 0:
            raise Failed("exit %d: %s" % (child.returncode, next(
                (line for line in said.splitlines()[::-1]
                 if not line.startswith("{")), said[-200:])))
        return out.read().decode(), said, {
            "seconds": seconds, "vmhwm": peak,
            "cpu": used.ru_utime + used.ru_stime}


def firn(size, tls=None, profile="default", server=(), words=()):
    with Server(size, server, tls) as where:
        command = [FIRN[profile], "archive", "--group", "/bench", "--day", DAY,
                   "--to", "s3://test-bucket", "--endpoint-url", where.url,
                   *(words or ("--rate", "10000"))]
        more = {"AWS_CA_BUNDLE": tls[0]} if tls else {}
        _, said, run = watch(command, dict(KEYS, **more))
        done = json.loads(said.splitlines()[-1])
        run.update({name: done[name] for name in (
            "events", "bytes_raw", "bytes_stored", "requests", "throttled",
            "pool_peak_bytes")})
        run["peak"] = max(run.pop("vmhwm"), done["rss_peak_bytes"])
        report = where.stop()
        run["server_cpu"] = report["cpu"]
        reads = report["stats"]["operations"]["FilterLogEvents"]
        run.update(reads=reads["requests"], refused=reads["throttled"])
        run.update(who="firn", profile=profile, size=size, tls=bool(tls))
    return run


def peer(size, tls, _):
    with Server(size, (), tls) as where:
        command = [sys.executable, PIPELINE, "/bench", str(FROM_MS),
                   str(FROM_MS + 86400000), "s3://test-bucket/peer.gz",
                   where.url]
        more = {"AWS_CA_BUNDLE": tls[0]} if tls else {}
        out, _, run = watch(command, dict(KEYS, **more))
        done = json.loads(out)
        run.update({name: done[name] for name in (
            "events", "bytes_raw", "bytes_stored")})
        run["peak"] = max(run.pop("vmhwm"), done["rss_peak_bytes"])
        report = where.stop()
        run["server_cpu"] = report["cpu"]
        run["requests"] = sum(o["requests"] for o in
                              report["stats"]["operations"].values())
        run.update(who="boto3", profile="", size=size, tls=bool(tls))
    return run


def certificate(where):
    """A certificate for 127.0.0.1, of its own making."""
    cert, key = (os.path.join(where, n) for n in ("cert.pem", "key.pem"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
         cert, "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1"], check=True,
        stderr=subprocess.DEVNULL)
    return cert, key


# --- what is said ------------------------------------------------------------

SIZES = ("| run | log | resident peak, KiB | CPU s | CPU s a GB | CPU s a "
         "GB stored as lines | seconds | requests | server's CPU s |\n"
         "|---|---:|---:|---:|---:|---:|---:|---:|---:|")
LATENCY = ("| run | profile | seconds | limit | reads | throttled | "
           "resident peak, KiB |\n|---|---|---:|---:|---:|---:|---:|")


def named(size):
    for unit in "GMK":
        if size % UNITS[unit] == 0:
            return "%d %sB" % (size // UNITS[unit], unit)
    return "%d B" % size


def size_row(r):
    name = r["who"] + (" " + r["profile"] if r["profile"] != "default"
                       and r["profile"] else "")
    return "| %s, %s | %s | %s | %.2f | %.2f | %.2f | %.1f | %d | %.2f |" % (
        name, "https" if r["tls"] else "http", named(r["size"]),
        format(r["peak"] // 1024, ","), r["cpu"],
        r["cpu"] / r["size"] * 1e9, r["cpu"] / r["bytes_raw"] * 1e9,
        r["seconds"], r["requests"], r["server_cpu"])


def latency_row(r):
    return "| %s | %s | %.1f | %d | %d | %d | %s |" % (
        r["name"], r["profile"], r["seconds"], r["limit"], r["reads"],
        r["refused"], format(r["peak"] // 1024, ","))


class Paper:
    """Says a line and keeps it for the document."""

    def __init__(self):
        self.lines = []

    def __call__(self, line=""):
        print(line, flush=True)
        self.lines.append(line)


def measure_sizes(paper, runs, tls):
    paper(SIZES)
    peers = [size_of(w) for w in os.environ.get(
        "BENCH_PEER_SIZES", "10M 100M 1G").split()]
    for word in os.environ.get("BENCH_SIZES", "10M 100M 1G 10G").split():
        size = size_of(word)
        for secure in (None, tls):
            todo = [(firn, "default"), (firn, "small")]
            if size in peers:
                todo.append((peer, ""))
            for one, profile in todo:
                try:
                    runs.append(one(size, secure, profile))
                    paper(size_row(runs[-1]))
                except Failed as why:
                    paper("| %s %s, %s | %s | %s |||||||" % (
                        one.__name__, profile, "https" if secure else "http",
                        named(size), why))
    paper()
    compare(paper, runs)


def pick(runs, **want):
    return [r for r in runs if all(r[k] == v for k, v in want.items())]


def compare(paper, runs):
    """Equal sizes of one run of this program."""
    for p in pick(runs, who="boto3"):
        for r in pick(runs, who="firn", size=p["size"], tls=p["tls"]):
            if r["events"] != p["events"]:
                sys.exit("firn read %d events, boto3 %d" % (r["events"],
                                                           p["events"]))
            paper("- %s, %s, firn %s: %.1f times less CPU than boto3, %.1f "
                  "times less memory" % (
                      named(r["size"]), "https" if r["tls"] else "http",
                      r["profile"], p["cpu"] / r["cpu"],
                      p["peak"] / r["peak"]))
    for profile in FIRN:
        for tls in (False, True):
            peaks = [r["peak"] for r in pick(runs, who="firn", tls=tls,
                                             profile=profile)]
            if len(peaks) > 1:
                paper("- firn %s, %s: resident peaks of all sizes within %d "
                      "KiB of one another" % (
                          profile, "https" if tls else "http",
                          (max(peaks) - min(peaks)) // 1024))
    slow = [r for r in pick(runs, who="firn")
            if r["server_cpu"] > 0.8 * r["seconds"] and r["seconds"] > 1]
    for r in slow:
        paper("- %s, %s, firn %s: the server was busy %d %% of the time: "
              "the seconds are rather its own" % (
                  named(r["size"]), "https" if r["tls"] else "http",
                  r["profile"], 100 * r["server_cpu"] / r["seconds"]))


def measure_latency(paper, runs):
    rows = [("300 ms a page, 10 reads a second", "default", 37, "10"),
            ("300 ms a page, 10 reads a second", "small", 65, "10"),
            ("300 ms a page, throttled at 5 a second", "default", 70, "5"),
            ("300 ms a page, throttled at 5 a second", "small", 70, "5")]
    paper(LATENCY)
    for name, profile, limit, rate in rows:
        try:
            r = firn(300000000, None, profile, (
                "--latency-ms", "300", "--rate", rate), ("--rate", "10"))
        except Failed as why:
            paper("| %s | %s | %s |||||" % (name, profile, why))
            continue
        r.update(name=name, limit=limit)
        runs.append(r)
        paper(latency_row(r))
    paper()


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":")[1].strip() for line in info
                      if line.startswith("model name")), platform.machine())
    with open("/etc/os-release") as release:
        name = next(line.split("=")[1].strip().strip('"')
                    for line in release if line.startswith("PRETTY_NAME"))
    import boto3
    openssl = subprocess.run(["openssl", "version"], stdout=subprocess.PIPE,
                             check=True).stdout.decode().strip()
    version = subprocess.run([FIRN["default"], "--version"], check=True,
                             stdout=subprocess.PIPE).stdout.decode().strip()
    return ["%s, %d processors; %s, kernel %s; Python %s, boto3 %s; %s" % (
        model, os.cpu_count(), name, platform.release(),
        platform.python_version(), boto3.__version__, openssl), "",
        "```", *version.splitlines(), "```"]


INTRODUCTION = """# Benchmarks

Made by `make bench` (bench/run): the figures of a section are of one run of
it, unless it says otherwise, on the machine named below, with the server on
that same machine. "log" is the bytes of messages, as web access logs of 150
bytes a line; a GB is 10^9 of them, and as lines of ndjson they are 1.76 times
as many. boto3 is
bench/boto3_pipeline.py: filter_log_events page by page, each event as a line
of JSON through Python's gzip (level %s) to a temporary file, then
upload_file. The resident peak is the kernel's VmHWM.
"""


def write_sections(lines):
    """Of docs/benchmarks.md, those that have the same headings; others stay,
    and what is new goes behind them."""
    path = os.path.join(ROOT, "docs/benchmarks.md")
    kept = {}
    with open(path) as old:
        for text in (old.read(), "\n".join(lines)):
            for section in re.split(r"^(?=#)", text, flags=re.M)[1:]:
                kept[section.split("\n")[0]] = section.strip() + "\n"
    with open(path, "w") as out:
        out.write("\n".join(kept.values()))


def main():
    paper, runs = Paper(), []
    parts = os.environ.get("BENCH_PARTS", "sizes latency").split()
    for line in INTRODUCTION % os.environ.get("BENCH_GZIP_LEVEL", "6"), \
            *machine(), "":
        paper(line)
    with tempfile.TemporaryDirectory() as where:
        tls = certificate(where)
        if "sizes" in parts:
            paper("## Sizes\n")
            measure_sizes(paper, runs, tls)
            paper()
    if "latency" in parts:
        paper("## Latency and quota, 300 MB\n")
        measure_latency(paper, runs)
    write_sections(paper.lines)
    with open(os.path.join(ROOT, "build/bench.json"), "w") as out:
        json.dump(runs, out, indent=1)


if __name__ == "__main__":
    main()
