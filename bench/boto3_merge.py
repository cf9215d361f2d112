#!/usr/bin/env python3
"""boto3_merge.py - what firn merge replaces, as people write it.

    bench/boto3_merge.py PREFIX KEY ENDPOINT log|gz|gz-lines

Reads each object below PREFIX of test-bucket, appends it to a temporary file,
uploads the file: `log` line by line; `gz-lines` line by line, too, inflated
and compressed again, which is what people run; `gz` as it is, the cheapest
that can be. Prints a line of JSON: its peak of resident memory.
"""
import gzip
import json
import shutil
import sys
import tempfile

import boto3


def main():
    prefix, key, endpoint, form = sys.argv[1:5]
    s3 = boto3.client("s3", endpoint_url=endpoint)
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket="test-bucket", Prefix=prefix)
    with tempfile.NamedTemporaryFile() as file:
        out = file
        if form == "gz-lines":
            out = gzip.open(file, "wb", 6)
        for page in pages:
            for entry in page["Contents"]:
                body = s3.get_object(Bucket="test-bucket",
                                     Key=entry["Key"])["Body"]
                if form == "gz":
                    shutil.copyfileobj(body, file, 1 << 20)
                    continue
                for line in gzip.open(body) if form == "gz-lines" else (
                        body.iter_lines(chunk_size=65536)):
                    out.write(line.rstrip(b"\n") + b"\n")
        if out is not file:
            out.close()
        file.flush()
        s3.upload_file(file.name, "test-bucket", key)
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) * 1024 for line in status
                    if line.startswith("VmHWM:"))
    print(json.dumps({"rss_peak_bytes": peak}))


main()
