#!/usr/bin/env python3
"""boto3_pipeline.py - what firn replaces, as people write it.

    bench/boto3_pipeline.py GROUP FROM_MS UNTIL_MS s3://BUCKET/KEY ENDPOINT

Pages through filter_log_events, writes each event as a line of JSON through
gzip to a temporary file, uploads the file. Prints a line of JSON: events,
bytes, seconds, CPU seconds, peak of resident memory.
"""
import datetime
import functools
import gzip
import json
import os
import sys
import tempfile
import time

import boto3


@functools.lru_cache(maxsize=16)
def second(s):
    return datetime.datetime.utcfromtimestamp(s).isoformat()


def stamp(ms):
    return "%s.%03dZ" % (second(ms // 1000), ms % 1000)


def archive(logs, s3, group, start, end, bucket, key):
    events, raw = 0, 0
    with tempfile.NamedTemporaryFile(suffix=".gz") as file:
        with gzip.open(file, "wb", compresslevel=LEVEL) as out:
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=start, endTime=end - 1)
            for page in pages:
                for e in page["events"]:
                    line = json.dumps({"timestamp": stamp(e["timestamp"]),
                                       "stream": e["logStreamName"],
                                       "message": e["message"]},
                                      separators=(",", ":")) + "\n"
                    raw += out.write(line.encode())
                    events += 1
        file.flush()
        stored = os.path.getsize(file.name)
        s3.upload_file(file.name, bucket, key)
    return events, raw, stored


def peak():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def main():
    group, start, end, url, endpoint = sys.argv[1:6]
    bucket, key = url[len("s3://"):].split("/", 1)
    begun = time.monotonic()
    more = {"endpoint_url": endpoint}
    events, raw, stored = archive(
        boto3.client("logs", **more), boto3.client("s3", **more), group,
        int(start), int(end), bucket, key)
    used = os.times()
    print(json.dumps({
        "events": events, "bytes_raw": raw, "bytes_stored": stored,
        "seconds": round(time.monotonic() - begun, 3),
        "cpu_seconds": round(used.user + used.system, 3),
        "rss_peak_bytes": peak()}))


LEVEL = int(os.environ.get("BENCH_GZIP_LEVEL", "6"))  # 9 is gzip.open's own
main()
