/* gunzip.c - zlib as C programs use it: MODE FILE, to stdout.
 * gzread: as from any FILE. once: inflate() to its Z_STREAM_END, no further.
 * loop: on after it, as long as there is input, which is the way to do it. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static unsigned char in[16384], out[65536];

static int by_gzread(const char *name)
{
    gzFile file = gzopen(name, "rb");
    int got;
    while ((got = gzread(file, out, sizeof out)) > 0)
        fwrite(out, 1, (size_t)got, stdout);
    return got < 0 || gzclose(file) != Z_OK;
}

static int by_inflate(const char *name, int loop)
{
    FILE *file = fopen(name, "rb");
    z_stream z = {0};
    int said = inflateInit2(&z, 31);
    while (file != NULL) {
        if (z.avail_in == 0) {
            z.next_in = in;
            z.avail_in = (uInt)fread(in, 1, sizeof in, file);
            if (z.avail_in == 0)
                return said != Z_STREAM_END;
        }
        if (said == Z_STREAM_END && (!loop || inflateReset(&z) != Z_OK))
            return !!loop;
        z.next_out = out;
        z.avail_out = sizeof out;
        said = inflate(&z, Z_NO_FLUSH);
        if (said != Z_OK && said != Z_STREAM_END && said != Z_BUF_ERROR)
            return 1;
        fwrite(out, 1, sizeof out - z.avail_out, stdout);
    }
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 64;
    return strcmp(argv[1], "gzread") == 0 ? by_gzread(argv[2])
        : by_inflate(argv[2], strcmp(argv[1], "loop") == 0);
}
