#!/usr/bin/env python3
"""boto3_merge.py - what firn merge replaces, as people write it.

    bench/boto3_merge.py PREFIX KEY ENDPOINT log|gz

Reads each object below PREFIX of test-bucket, appends it to a temporary file,
uploads the file: `log` line by line, `gz` as it is, the cheapest that can be.
Prints a line of JSON: its peak of resident memory.
"""
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
        for page in pages:
            for entry in page["Contents"]:
                body = s3.get_object(Bucket="test-bucket",
                                     Key=entry["Key"])["Body"]
                if form == "gz":
                    shutil.copyfileobj(body, file, 1 << 20)
                    continue
                for line in body.iter_lines(chunk_size=65536):
                    file.write(line + b"\n")
        file.flush()
        s3.upload_file(file.name, "test-bucket", key)
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) * 1024 for line in status
                    if line.startswith("VmHWM:"))
    print(json.dumps({"rss_peak_bytes": peak}))


main()
