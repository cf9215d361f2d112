"""unzstd.py - python3-zstandard: MODE FILE, to stdout."""
import sys

import zstandard

mode, name = sys.argv[1:]
out = sys.stdout.buffer
zstd = zstandard.ZstdDecompressor()
with open(name, "rb") as file:
    if mode == "decompress":
        out.write(zstd.decompress(file.read()))
    elif mode == "object":
        out.write(zstd.decompressobj().decompress(file.read()))
    elif mode == "copy":
        zstd.copy_stream(file, out)
    elif mode == "open":
        with zstandard.open(name, "rb") as text:
            out.write(text.read())
    else:
        out.write(zstd.stream_reader(
            file, read_across_frames=mode == "across").read())
