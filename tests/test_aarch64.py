"""test_aarch64.py - an archive made on aarch64, by its cryptographic
instructions and without them, on pages of 4, 16 and 64 KiB, is the archive
that this machine makes. The tests' AWS runs here, natively; firn of the other
target under qemu, which tells the instructions that it met.

  PYTHONPATH=build/moto/python test_aarch64.py FIRN EMULATED EMULATED-PLAIN"""
import os
import re
import sys
import tempfile

import rig

score = rig.Score()
DAY = "2026-10-05"
FORMS = [  # the name's ending, how it is unpacked, and the words that make it
    ("ndjson.gz", "gzip", ()),
    ("ndjson.zst", "zstd", ("--compress", "zstd")),
    ("log", "none", ("--compress", "none", "--format", "text")),
]
QUICK = re.compile(r"\s(aese|pmull|crc32|sha256h)2?[bhwx]?\s")


def instructions(path):
    """Those of ARMv8's options that were translated."""
    with open(path, errors="replace") as log:
        return {found[1] for found in map(QUICK.search, log) if found}


def archive(name, firn, s3, form):
    """Archives the day under that name; gives the raw bytes."""
    ending, compression, words = form
    key = "%s/%s/day.%s" % (name, compression, ending)
    done = firn.archive("/g", "s3://test-bucket/" + key, "--day", DAY, *words)
    score.equal(key + " is archived", done.code, 0)
    if done.code != 0:
        print(done.err)
        return b""
    return rig.unpack(s3.get_object(Bucket="test-bucket", Key=key)["Body"]
                      .read(), compression)


def same_bytes(native, emulated, s3):
    for form in FORMS:
        want = archive("native", native, s3, form)
        score.check(form[0] + ": a day", len(want) > 1000000, len(want))
        for name, firn in emulated.items():
            score.equal("%s: %s is as here" % (name, form[0]),
                        archive(name, firn, s3, form), want)
            if form is not FORMS[0]:
                continue
            for page in ("16384", "65536"):
                firn.environment["QEMU_PAGESIZE"] = page
                score.equal("%s: pages of %s" % (name, page),
                            archive(name + page, firn, s3, form), want)
            del firn.environment["QEMU_PAGESIZE"]


def own_instructions(emulated, log):
    for name, met in (("quick", {"aese", "pmull", "crc32", "sha256h"}),
                      ("plain", set())):
        done = emulated[name].run(
            "verify", "s3://test-bucket/native/gzip/day.ndjson.gz",
            QEMU_LOG="in_asm", QEMU_LOG_FILENAME=log)
        score.equal(name + ": verifies what was made here", done.code, 0)
        score.equal(name + ": its instructions", instructions(log), met)


def main():
    with tempfile.TemporaryDirectory() as where, rig.Model(
            "--group", "/g:hostile:4000000:" + DAY,
            tls=rig.certificate(where)) as model:
        native, quick, plain = (rig.Firn(p, model.url) for p in sys.argv[1:4])
        for firn in (native, quick, plain):
            firn.environment["AWS_CA_BUNDLE"] = os.path.join(where, "cert.pem")
        emulated = {"quick": quick, "plain": plain}
        same_bytes(native, emulated, rig.client("s3", model.url, verify=False))
        own_instructions(emulated, os.path.join(where, "log"))
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
