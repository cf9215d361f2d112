"""gunzip.py - Python's own: MODE FILE, to stdout."""
import gzip
import sys
import zlib

mode, name = sys.argv[1:]
out = sys.stdout.buffer
with open(name, "rb") as file:
    data = file.read()
if mode == "open":
    with gzip.open(name) as file:
        out.write(file.read())
elif mode == "decompress":
    out.write(gzip.decompress(data))
elif mode == "zlib":
    out.write(zlib.decompress(data, 31))
elif mode == "once":
    out.write(zlib.decompressobj(31).decompress(data))
elif mode == "loop":
    while data:
        member = zlib.decompressobj(31)
        out.write(member.decompress(data))
        data = member.unused_data
