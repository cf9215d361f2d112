/* unzstd.c - libzstd as C programs use it: MODE FILE, to stdout.
 * simple: ZSTD_decompress() into as many bytes as ZSTD_getFrameContentSize()
 * tells. once: ZSTD_decompressStream() till it says 0. loop: to the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

static char bytes[64 << 20], out[65536];

static int simple(size_t len)
{
    unsigned long long size = ZSTD_getFrameContentSize(bytes, len);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR)
        return fprintf(stderr, "content size unknown\n") > 0;
    char *all = malloc(size + 1);
    size_t got = ZSTD_decompress(all, size, bytes, len);
    if (ZSTD_isError(got))
        return fprintf(stderr, "%s\n", ZSTD_getErrorName(got)) > 0;
    return fwrite(all, 1, got, stdout) != got;
}

static int stream(size_t len, int loop)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    ZSTD_inBuffer in = {bytes, len, 0};
    size_t left = 1;
    while (in.pos < in.size && (left > 0 || loop)) {
        ZSTD_outBuffer to = {out, sizeof out, 0};
        left = ZSTD_decompressStream(z, &to, &in);
        if (ZSTD_isError(left))
            return 1;
        fwrite(out, 1, to.pos, stdout);
    }
    return left != 0;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;
    if (file == NULL)
        return 64;
    size_t len = fread(bytes, 1, sizeof bytes, file);
    return strcmp(argv[1], "simple") == 0 ? simple(len)
        : stream(len, strcmp(argv[1], "loop") == 0);
}
