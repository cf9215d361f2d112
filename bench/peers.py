"""peers.py - who is measured by bench/compare, and how each is called.

A peer is a row: its command as a function of where the server is, its
settings as its own manual gives them for little memory, its version. The
same function with words for the places gives the line that
docs/benchmarks.md shows, so that what is written there is what was run.
"""
import collections
import os
import shutil
import sys
import textwrap

from measure import DAY, FIRN, FROM_MS, KEYS, ROOT, first_line

# url and host of the server, the CA's file, the object's key; scratch is a
# directory of the run's own, for what it writes beside S3.
Place = collections.namedtuple("Place", "url host ca key scratch")
WORDS = Place("$URL", "$HOST", "$CA", "KEY", "/tmp/bench")

Peer = collections.namedtuple("Peer", "name label words more version about")


def tool(name):
    """Debian's own before others of that name."""
    return shutil.which(name, path="/usr/bin:/bin:" + os.environ["PATH"])


def bench(name):
    return os.path.join(ROOT, "bench", name)


def bundle(place):
    return {"AWS_CA_BUNDLE": place.ca}


def firn_version(program):
    return first_line(program, "--version")


# --- the whole job: read, join, compress, upload -----------------------------

def archive(profile):
    return lambda p: [
        FIRN[profile], "archive", "--group", "/bench", "--day", DAY, "--to",
        "s3://test-bucket/" + p.key, "--endpoint-url", p.url, "--rate",
        "10000"]


def boto3_pipeline(p):
    return ["/usr/bin/python3", bench("boto3_pipeline.py"), "/bench",
            str(FROM_MS), str(FROM_MS + 86400000),
            "s3://test-bucket/" + p.key, p.url]


def boto3_version():
    import boto3
    return "boto3 %s, Python %s, %s" % (
        boto3.__version__, sys.version.split()[0],
        first_line("openssl", "version").split(" (")[0])


def whole():
    return [
        Peer("firn", "firn", archive("default"), bundle,
             firn_version(FIRN["default"]), "as it comes; `--rate`, since the "
             "server has no quota."),
        Peer("small", "firn small", archive("small"), bundle,
             firn_version(FIRN["small"]), "the same, built with "
             "`PROFILE=small`."),
        Peer("boto3", "boto3 pipeline", boto3_pipeline, bundle,
             boto3_version(), "`filter_log_events` page by page through "
             "boto3's paginator, 10,000 events a page (the most), each event "
             "as a line of JSON through Python's gzip (zlib, level %s) to a "
             "temporary file, then `upload_file` with boto3's defaults." %
             os.environ.get("BENCH_GZIP_LEVEL", "6")),
    ]


# --- uploading alone: standard input to one object ---------------------------

def firn_upload(profile):
    program = os.path.join(os.path.dirname(FIRN[profile]), "upload")
    return lambda p: [program, "test-bucket", p.key, p.url]


def aws(p):
    return [tool("aws") or "aws", "s3", "cp", "--endpoint-url", p.url, "-",
            "s3://test-bucket/" + p.key]


def aws_more(p):
    return dict(bundle(p), AWS_CONFIG_FILE=bench("aws.config"))


def rclone(p):
    return [tool("rclone") or "rclone", "rcat", "--config", "/dev/null",
            "--ca-cert", p.ca, "--s3-provider", "Other", "--s3-env-auth",
            "--s3-region", KEYS["AWS_REGION"], "--s3-endpoint", p.url,
            "--s3-no-check-bucket", "--s3-chunk-size", "5Mi",
            "--s3-upload-concurrency", "1", "--buffer-size", "0",
            "--use-mmap", ":s3:test-bucket/" + p.key]


def s3cmd(p):
    secret = ("$AWS_ACCESS_KEY_ID", "$AWS_SECRET_ACCESS_KEY") \
        if p is WORDS else (KEYS["AWS_ACCESS_KEY_ID"],
                            KEYS["AWS_SECRET_ACCESS_KEY"])
    return [tool("s3cmd") or "s3cmd", "--config", "/dev/null", "put", "-",
            "s3://test-bucket/" + p.key, "--access_key", secret[0],
            "--secret_key", secret[1], "--host", p.host, "--host-bucket",
            p.host, "--ca-certs", p.ca, "--region", KEYS["AWS_REGION"],
            "--multipart-chunk-size-mb=5", "--no-progress"]


def s5cmd(p):
    return [os.path.join(ROOT, "build/peers/s5cmd"), "--endpoint-url", p.url,
            "pipe", "--concurrency", "1", "--part-size", "5",
            "s3://test-bucket/" + p.key]


def boto3_upload(p):
    return ["/usr/bin/python3", bench("boto3_upload.py"), "test-bucket",
            p.key, p.url]


def s5cmd_version():
    try:
        with open(os.path.join(ROOT, "build/peers/version")) as f:
            return "s5cmd " + f.read().strip()
    except OSError:
        return ""


def upload():
    return [
        Peer("firn", "firn's upload", firn_upload("default"), bundle,
             firn_version(FIRN["default"]), "bench/upload.c: firn's own "
             "upload stage, transport, pool and lock behind `read(0)`. firn "
             "has no command for it; a CRC-64/NVME goes along with each part "
             "and the whole, ListParts and HEAD ask S3 for them again."),
        Peer("small", "firn's upload, small", firn_upload("small"), bundle,
             firn_version(FIRN["small"]), "the same, built with "
             "`PROFILE=small`."),
        Peer("aws", "aws s3 cp -", aws, aws_more,
             tool("aws") and first_line(tool("aws"), "--version"),
             "`max_concurrent_requests`, `multipart_chunksize` and "
             "`multipart_threshold` of its topic s3-config, in "
             "bench/aws.config."),
        Peer("rclone", "rclone rcat", rclone, lambda p: {"GOGC": "20"},
             tool("rclone") and first_line(tool("rclone"), "version"),
             "chunks of S3's least size, one at a time (its S3 page), no "
             "read-ahead, memory given back (`--use-mmap`), and the `GOGC=20` "
             "of its FAQ."),
        Peer("s3cmd", "s3cmd put -", s3cmd, lambda p: {},
             tool("s3cmd") and first_line(tool("s3cmd"), "--version"),
             "`--multipart-chunk-size-mb`, the least that it takes; it keeps "
             "one chunk in hand."),
        Peer("s5cmd", "s5cmd pipe", s5cmd,
             lambda p: dict(bundle(p), GOGC="20"), s5cmd_version(),
             "`--concurrency` and `--part-size`, and the same `GOGC`, which "
             "its own pages do not name."),
        Peer("boto3", "boto3 upload_fileobj", boto3_upload, bundle,
             boto3_version(), "bench/boto3_upload.py: a `TransferConfig` of "
             "such parts, `max_concurrency=1`, `use_threads=False`."),
    ]


def there(peer):
    return bool(peer.version) and (
        os.path.exists(peer.words(WORDS)[0]) or
        tool(peer.words(WORDS)[0]) is not None)


def environment(peer, place):
    return dict(KEYS, HOME=place.scratch, TMPDIR=place.scratch,
                **peer.more(place))


def line(peer):
    """What was run, for people, as a shell has it."""
    return textwrap.fill(
        " ".join(["%s=%s" % (name, shown(value)) for name, value in
                  sorted(peer.more(WORDS).items())] +
                 [shown(word) for word in peer.words(WORDS)]), 76,
        subsequent_indent="    ", break_long_words=False,
        break_on_hyphens=False).replace("\n", " \\\n")


def shown(word):
    return os.path.relpath(word, ROOT) if word.startswith(ROOT) else word


def chosen(peers):
    """BENCH_PEERS names some; those that are not to be had are said."""
    names = os.environ.get("BENCH_PEERS", "").split() or [
        p.name for p in peers]
    asked = [p for p in peers if p.name in names]
    return [p for p in asked if there(p)], [p for p in asked if not there(p)]
