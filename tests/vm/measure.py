#!/usr/bin/env python3
"""measure.py - firn in machines that hold nothing else.

    tests/vm/measure.py ARCH=PROGRAM...    x86_64=build/firn, say

Each guest is a qemu of its own: Debian's cloud kernel, an initramfs of
tests/vm/init.c, firn and a certificate, no disk, no swap, a read-only root,
one address behind which is the tests' AWS, over TLS. An archive of VM_BYTES
(of lines; 1 GB) is made in VM_MB (128), in a cgroup of what `firn memory` says
with its sockets and 1 MiB; then the least memory is searched in which a small
one still is. The table goes to stdout, what happens to stderr.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from rig import KEY, Model, REGION, ROOT, certificate  # noqa: E402
from test_cgroup import SPARE_BYTES  # noqa: E402

LINES_BYTES = int(os.environ.get("VM_BYTES", "1000000000"))
MB = int(os.environ.get("VM_MB", "128"))
MESSAGES = 0.569  # bytes of a message of the profile "web", a byte of its line
SMALL_BYTES = 20000000  # of messages
START_S = 40  # a guest that is silent for so long has hung
SERVER = "10.0.2.100"
DAY = "2026-10-05"
VM = os.path.join(ROOT, "build/vm")
MACHINES = {
    "x86_64": ("amd64", "ttyS0", [
        "qemu-system-x86_64", "-M", "pc", "-cpu", "max"]),
    "aarch64": ("arm64", "ttyAMA0", [
        "qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72"]),
}


# --- the guest's only file system ---------------------------------------------

def cpio(entries):
    """The kernel's initramfs format, "newc"; of (name, mode, bytes, device)."""
    out = b""
    for number, (name, mode, data, device) in enumerate(
            entries + [("TRAILER!!!", 0, b"", (0, 0))]):
        name = name.encode() + b"\0"
        out += b"070701" + b"".join(b"%08X" % n for n in (
            number, mode, 0, 0, 1, 0, len(data), 0, 0, *device,
            len(name), 0)) + name
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(data) % 4)
    return out


def initramfs(path, arch, firn, cert):
    kernel = os.path.join(VM, MACHINES[arch][0])
    files = {"init": os.path.join(VM, "init-" + arch), "firn": firn,
             "cert.pem": cert}
    files.update((n, os.path.join(kernel, n)) for n in os.listdir(kernel)
                 if n.endswith(".ko"))
    entries = [(n, 0o040555, b"", (0, 0)) for n in ("dev", "proc", "sys")]
    entries.append(("dev/console", 0o020600, b"", (5, 1)))
    for name, source in files.items():
        with open(source, "rb") as f:
            entries.append((name, 0o100555, f.read(), (0, 0)))
    with open(path, "wb") as f:
        f.write(cpio(entries))


# --- one boot -----------------------------------------------------------------

class Guest:
    def __init__(self, where, arch, firn, cert):
        self.arch, self.port, self.boots = arch, None, 0
        self.log = os.path.join(where, "log")
        self.image = os.path.join(where, "initramfs")
        initramfs(self.image, arch, firn, cert)

    def command(self, megabytes, words, variables):
        folder, console, qemu = MACHINES[self.arch]
        variables.update(
            AWS_ACCESS_KEY_ID=KEY[0], AWS_SECRET_ACCESS_KEY=KEY[1],
            AWS_REGION=REGION, AWS_ENDPOINT_URL="https://%s:443" % SERVER)
        line = ["console=" + console, "quiet", "panic=-1"] + [
            "%s=%s" % v for v in variables.items()] + [
            "--", *words]
        return qemu + [
            "-m", "%dM" % megabytes, "-accel", "tcg", "-smp", "1",
            "-display", "none", "-serial", "file:" + self.log, "-monitor",
            "none", "-nodefaults", "-no-reboot", "-kernel",
            os.path.join(VM, folder, "vmlinuz"), "-initrd", self.image,
            "-append", " ".join(line),
            # restrict: the guest reaches nothing but this one address.
            "-netdev", "user,id=n,restrict=on,guestfwd=tcp:%s:443-cmd:"
            "nc -N 127.0.0.1 %d" % (SERVER, self.port),
            "-device", "virtio-net-pci,netdev=n,romfile="]

    def archive(self, megabytes, group, **variables):
        return self.boot(megabytes, (
            "archive", "--group", group, "--day", DAY, "--to",
            "s3://test-bucket/%d.gz" % self.boots, "--rate", "1000",
            "--give-up", "60", "--ca-bundle", "/cert.pem"), **variables)

    def boot(self, megabytes, words, **variables):
        """What came of it: what firn and init said last, "ok" and "said"."""
        self.boots += 1
        open(self.log, "w").close()
        qemu = subprocess.Popen(
            self.command(megabytes, words, variables),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.wait(qemu)
        said = qemu.communicate()[0].decode(errors="replace").splitlines()
        result = {"megabytes": megabytes, "ok": False, "said": said}
        with open(self.log, errors="replace") as f:
            for line in f.read().splitlines():
                self.take(result, line)
        result["ok"] = result.get("guest") is True and \
            result["exit"] == 0 and result["oom_kill"] == 0 and \
            result["cgroup_oom"] <= 0 and \
            result["swap_kb"] == 0 and result["root_read_only"]
        return result

    def wait(self, qemu):
        """Until it ends, or hangs: then it is ended."""
        size, since = 0, time.monotonic()
        while qemu.poll() is None:
            time.sleep(0.1)
            if os.path.getsize(self.log) != size:
                size, since = os.path.getsize(self.log), time.monotonic()
            patience = START_S if size == 0 else 10 * START_S
            if time.monotonic() - since > patience:
                qemu.kill()
                qemu.wait()

    def take(self, result, line):
        try:
            value = json.loads(line)
        except ValueError:
            if line.strip():
                result["said"].append(line)
            return
        if "region" in value:
            result[value["region"]] = value["bytes"]
        if "guest" in value or value.get("phase") == "done":
            result.update(value)


def least(guest):
    """The fewest MiB in which it works, and what stops it in one fewer."""
    works, fails = guest.archive(MB, "/small"), None
    low, high = 8, MB
    while works["ok"] and high - low > 1:
        middle = (low + high) // 2
        tried = guest.archive(middle, "/small")
        say("    in %d MiB: %s" % (middle, "works" if tried["ok"]
                                   else why(tried)))
        if tried["ok"]:
            high, works = middle, tried
        else:
            low, fails = middle, tried
    return works, fails


def why(result):
    for word in ("firn", "panic", "emory"):
        for line in result["said"]:
            if word in line:
                return line.partition("] ")[2] or line
    return (result["said"] or ["it is silent"])[-1]


def say(text):
    print(text, file=sys.stderr, flush=True)


# --- the table ----------------------------------------------------------------

ROW = "| %s | %s | %s | %s | %s | %s | %s | %s |"


def bytes_of(n):
    return "{:,}".format(n)


def row(what, r):
    return ROW % (
        what, "%.1f MB" % (r["bytes_raw"] / 1e6), "%d MiB" % r["megabytes"],
        bytes_of(r["memtotal_kb"] * 1024), bytes_of(r["rss_peak_bytes"]),
        bytes_of(r["maxrss_kb"] * 1024),
        bytes_of(r["cgroup_peak"]) if r["cgroup_peak"] > 0 else "",
        "%.0f" % r["seconds"])


def measure(arch, program, where):
    """Rows of the table, and sentences below it."""
    what = "%s, `%s`" % (arch, "small" if "/small/" in program else "default")
    program = os.path.join(ROOT, program)
    cert, key = certificate(where, SERVER)
    guest = Guest(where, arch, program, cert)
    with Model("--group", "/large:web:%d:%s" % (
            LINES_BYTES * MESSAGES, DAY), "--group", "/small:web:%d:%s" % (
                SMALL_BYTES, DAY), "--discard-bodies",
               tls=(cert, key)) as model:
        guest.port = model.port
        table = guest.boot(MB, ("memory", "--output", "json"))
        limit = table["total"] + table["sockets"] + SPARE_BYTES
        say("  %s: %.0f MB in %d MiB, cgroup %d" % (
            what, LINES_BYTES / 1e6, MB, limit))
        large = guest.archive(MB, "/large", VM_LIMIT=limit)
        works, fails = least(guest) if large["ok"] else (large, None)
        ended = model.process.poll()
    if not works["ok"]:
        raise RuntimeError("%s: %s%s" % (what, works, "" if ended is None else
                           "; the tests' AWS had ended, with %d" % ended))
    return [row(what, large), row(what + ", the least", works)], \
        "%s: the cgroup's limit was %s bytes. In %d MiB: \"%s\"" % (
            what, bytes_of(limit), fails["megabytes"], why(fails))


def main(machines):
    rows, sentences = [], []
    for arch, program in machines:
        with tempfile.TemporaryDirectory() as where:
            more, sentence = measure(arch, program, where)
        rows += more
        sentences.append(sentence)
    print(ROW % ("firn", "lines", "machine", "MemTotal", "in use, VmHWM",
                 "by `wait4`", "cgroup peak", "seconds"))
    print("|---" * 2 + "|--:" * 6 + "|")
    print("\n".join(rows))
    for sentence in sentences:
        print("\n- " + sentence)


if __name__ == "__main__":
    main([word.split("=", 1) for word in sys.argv[1:]])
