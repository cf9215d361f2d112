"""test_dist.py - what `make dist` made can be unpacked, run, read and used: the
tarballs and packages of both targets, the manual page, and the completions,
asked in a real bash and a real fish.

  test_dist.py [build/dist]"""
import glob
import hashlib
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

import rig

score = rig.Score()


def said(*words, **more):
    """Both outputs of a command that ends well, or why it did not."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **more)
    text = done.stdout.decode("utf-8", "replace")
    return text if done.returncode == 0 else "%r ended with %d: %s" % (
        words, done.returncode, text)


def sums_hold(where):
    with open(where + "/SHA256SUMS") as lines:
        listed = dict(reversed(line.split()) for line in lines)
    there = {os.path.basename(p) for p in glob.glob(where + "/*")}
    score.equal("every file has a sum", set(listed) | {"SHA256SUMS"}, there)
    for name, want in listed.items():
        with open(os.path.join(where, name), "rb") as f:
            score.equal("sum of " + name, hashlib.sha256(f.read()).hexdigest(),
                        want)


def bill_holds(path, program):
    with open(path) as f:
        bill = json.load(f)
    score.equal("SPDX", bill["spdxVersion"], "SPDX-2.3")
    by = {p["name"]: p for p in bill["packages"]}
    with open(program, "rb") as f:
        score.equal("the bill is of this firn",
                    by["firn"]["checksums"][0]["checksumValue"],
                    hashlib.sha256(f.read()).hexdigest())
    for name in "musl mbedtls curl c-ares libisal libzstd tzdata".split():
        p = by.get(name, {})
        score.check("the bill has " + name, p.get("versionInfo") and
                    "NOASSERTION" not in p["licenseDeclared"] and
                    re.search("[0-9a-f]{64}  ", p.get("comment", "")), p)
    ids = {p["SPDXID"] for p in bill["packages"]} | {bill["SPDXID"]}
    for r in bill["relationships"]:
        score.check("relationship", {r["spdxElementId"],
                                     r["relatedSpdxElement"]} <= ids, r)


def tarball_holds(path, target, root):
    """Gives where it was unpacked."""
    score.equal("tar", said("tar", "-C", root, "-xzf", path), "")
    top = os.path.join(root, os.path.basename(path)[:-len(".tar.gz")])
    for name in ("README.md CHANGELOG.md LICENSE SECURITY.md THIRD-PARTY "
                 "firn.1 completions/_firn").split():
        score.check("%s has %s" % (target, name),
                    os.path.getsize(os.path.join(top, name)) > 100)
    with open(top + "/THIRD-PARTY") as f:
        terms = f.read()
    for name in "musl mbedtls curl c-ares libisal libzstd libjsmn".split():
        score.check("%s: terms of %s" % (target, name),
                    re.search("^%s" % name, terms, re.M))
    runner = {os.uname().machine: []}.get(
        target, [p for p in map(shutil.which, (
            "qemu-%s-static" % target, "qemu-" + target)) if p][:1] or None)
    if runner is None:
        print("skipped running firn of %s: there is no qemu" % target)
    else:
        score.check("%s runs" % target, said(
            *runner, top + "/firn", "--version").startswith("firn "))
    bill_holds(top + "/firn.spdx.json", top + "/firn")
    return top


def package_holds(path, arch, top):
    score.equal(arch, said("dpkg-deb", "-f", path, "Architecture"),
                arch + "\n")
    with tempfile.TemporaryDirectory() as root:
        score.equal("unpacked", said("dpkg-deb", "-x", path, root), "")
        for here, there in (("firn", "bin/firn"), (
                "completions/firn.bash",
                "share/bash-completion/completions/firn")):
            with open(os.path.join(top, here), "rb") as a, \
                    open(os.path.join(root, "usr", there), "rb") as b:
                score.check("%s: %s" % (arch, there), a.read() == b.read())
        for unit in glob.glob(top + "/systemd/*"):
            score.check(arch + ": " + unit, os.path.exists(
                root + "/usr/lib/systemd/system/" + os.path.basename(unit)))


def manual_holds(top):
    """As man(1) would show it: no warning, and every flag is there."""
    page = said("groff", "-man", "-ww", "-Tascii", "-P-cbou", top + "/firn.1")
    score.check("no warning", "warning:" not in page and
                "ended with" not in page, page[:500])
    for command in "archive cat verify restore status".split():
        for flag in re.findall(r"^  (--[a-z-]+)", said(
                top + "/firn", command, "--help"), re.M):
            score.check("the page has " + flag, re.search(
                r"^ +%s\b" % flag, page, re.M))


def in_bash(script, typed):
    """What stands on the line after a TAB (two, if nothing was sure)."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(PS1="> ", TERM="dumb", INPUTRC="/dev/null")
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])

    def read(end_s):
        out = b""
        while select.select([fd], [], [], end_s)[0]:
            out += os.read(fd, 65536)
        return out

    read(0.5)
    os.write(fd, b"bind 'set enable-bracketed-paste off'; . %s\n" %
             script.encode())
    read(0.5)
    os.write(fd, typed.encode() + b"\t\t")
    out = b""
    end = time.monotonic() + 5
    while time.monotonic() < end and len(out) <= len(typed) + 1:
        out += read(0.5)
    os.close(fd)
    os.waitpid(pid, 0)
    return out.decode("utf-8", "replace")


def completions_hold(top):
    script = top + "/completions/firn.bash"
    score.equal("bash reads it", said("bash", "-n", script), "")
    for typed, wants in (
            ("firn arch", ["firn archive "]),
            ("firn ", ["archive", "restore", "memory"]),
            ("firn archive --storage", ["--storage-class"]),
            ("firn cat --", ["--until", "--stream"]),
            ("firn archive --format te", ["--format text"]),
            ("firn archive --format=nd", ["--format=ndjson"]),
            ("firn restore --tier ", ["Standard", "Bulk", "Expedited"])):
        got = in_bash(script, typed)
        score.check("bash: " + typed, all(w in got for w in wants), repr(got))
    script = top + "/completions/firn.fish"
    if shutil.which("fish"):
        for typed, want in (("firn arch", "archive"),
                            ("firn archive --stor", "--storage-class"),
                            ("firn archive --format ", "ndjson"),
                            ("firn restore --tier B", "Bulk")):
            got = said("fish", "-N", "-c", "source %s; complete -C '%s'" % (
                script, typed))
            score.check("fish: " + typed, re.search("^" + want, got, re.M),
                        repr(got))
    else:
        print("skipped fish: there is none")
    script = top + "/completions/_firn"
    if shutil.which("zsh"):
        got = said("zsh", "-f", "-c", "autoload -U compinit; compinit -D -u; "
                   ". %s; whence -w _firn; print $_comps[firn]" % script)
        score.equal("zsh loads it", got, "_firn: function\n_firn\n")
    else:
        print("skipped zsh: there is none")


def main():
    where = os.path.abspath(sys.argv[1] if len(sys.argv) > 1
                            else "build/dist")
    sums_hold(where)
    with tempfile.TemporaryDirectory() as root:
        for target, arch in (("x86_64", "amd64"), ("aarch64", "arm64")):
            path, = glob.glob("%s/firn-*-%s.tar.gz" % (where, target))
            top = tarball_holds(path, target, root)
            package_holds(glob.glob("%s/*_%s.deb" % (where, arch))[0], arch,
                          top)
            if target == os.uname().machine:
                manual_holds(top)
                completions_hold(top)
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
