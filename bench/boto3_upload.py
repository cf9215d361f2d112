#!/usr/bin/env python3
"""boto3_upload.py - standard input to one object, as boto3's manual has it.

    bench/boto3_upload.py BUCKET KEY ENDPOINT

With parts of S3's least size, one at a time and without threads, which takes
the least memory (boto3, "File transfer configuration").
"""
import sys

import boto3
from boto3.s3.transfer import TransferConfig

PART = 5 << 20
bucket, key, endpoint = sys.argv[1:4]
boto3.client("s3", endpoint_url=endpoint).upload_fileobj(
    sys.stdin.buffer, bucket, key, Config=TransferConfig(
        multipart_threshold=PART, multipart_chunksize=PART,
        max_concurrency=1, use_threads=False))
