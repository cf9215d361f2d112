/* test_gcm.c - AES-GCM is that of the standard, at its fastest as in plain C.
 * Method: the published vectors, those that come with mbedTLS (NIST's CAVP)
 * among them, in both ways; then texts of every length, in place and in random
 * slices, must come out of both ways alike. */
#include "row.h"

#include <stdlib.h>

#include "base/chance.h"

#include "../platform/gcm_plain.c"
#include "../platform/gcm_fast.c"

/* The way to be tested is chosen here, not by the processor alone. */
static bool plain;

static bool may_be_fast(void)
{
    return !plain && gcm_fast_able();
}

#define gcm_fast_able may_be_fast
#include "../platform/gcm.c"
#undef gcm_fast_able

enum { TEXT_MAX = 1024, FIELD_MAX = 9, LINE_MAX_BYTES = 4096 };

/* McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B. */
#define ZERO_KEY \
    "0000000000000000000000000000000000000000000000000000000000000000"
#define KEY \
    "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define ZERO_IV    "000000000000000000000000"
#define IV         "cafebabefacedbaddecaf888"
#define SHORT_IV   "cafebabefacedbad"
#define LONG_IV \
    "9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728" \
    "c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b"
#define ADDED      "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define ZERO_BLOCK "00000000000000000000000000000000"
#define TEXT60 \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" \
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define TEXT64 TEXT60 "1aafd255"

/* Hexadecimal, all of it; so many bytes of the key count. */
static const struct row {
    const char *name;
    unsigned    key_bytes;
    const char *key, *iv, *added, *text, *cipher, *tag;
} rows[] = {
    {"case 1: AES-128, empty", 16, ZERO_KEY, ZERO_IV,
     "", "",
     "",
     "58e2fccefa7e3061367f1d57a4e7455a"},
    {"case 2: AES-128, a block", 16, ZERO_KEY, ZERO_IV,
     "", ZERO_BLOCK,
     "0388dace60b6a392f328c2b971b2fe78",
     "ab6e47d42cec13bdf53a67b21257bddf"},
    {"case 3: AES-128, four blocks", 16, KEY, IV,
     "", TEXT64,
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985",
     "4d5c2af327cd64a62cf35abd2ba6fab4"},
    {"case 4: AES-128, additional data", 16, KEY, IV,
     ADDED, TEXT60,
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {"case 5: AES-128, an IV of 8 bytes", 16, KEY, SHORT_IV,
     ADDED, TEXT60,
     "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c7423"
     "73806900e49f24b22b097544d4896b424989b5e1ebac0f07c23f4598",
     "3612d2e79e3b0785561be14aaca2fccb"},
    {"case 6: AES-128, an IV of 60 bytes", 16, KEY, LONG_IV,
     ADDED, TEXT60,
     "8ce24998625615b603a033aca13fb894be9112a5c3a211a8ba262a3cca7e2ca7"
     "01e4a9a4fba43c90ccdcb281d48c7c6fd62875d2aca417034c34aee5",
     "619cc5aefffe0bfa462af43c1699d050"},
    {"case 7: AES-192, empty", 24, ZERO_KEY, ZERO_IV,
     "", "",
     "",
     "cd33b28ac773f74ba00ed1f312572435"},
    {"case 8: AES-192, a block", 24, ZERO_KEY, ZERO_IV,
     "", ZERO_BLOCK,
     "98e7247c07f0fe411c267e4384b0f600",
     "2ff58d80033927ab8ef4d4587514f0fb"},
    {"case 9: AES-192, four blocks", 24, KEY, IV,
     "", TEXT64,
     "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
     "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710acade256",
     "9924a7c8587336bfb118024db8674a14"},
    {"case 10: AES-192, additional data", 24, KEY, IV,
     ADDED, TEXT60,
     "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
     "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
     "2519498e80f1478f37ba55bd6d27618c"},
    {"case 11: AES-192, an IV of 8 bytes", 24, KEY, SHORT_IV,
     ADDED, TEXT60,
     "0f10f599ae14a154ed24b36e25324db8c566632ef2bbb34f8347280fc4507057"
     "fddc29df9a471f75c66541d4d4dad1c9e93a19a58e8b473fa0f062f7",
     "65dcc57fcf623a24094fcca40d3533f8"},
    {"case 12: AES-192, an IV of 60 bytes", 24, KEY, LONG_IV,
     ADDED, TEXT60,
     "d27e88681ce3243c4830165a8fdcf9ff1de9a1d8e6b447ef6ef7b79828666e45"
     "81e79012af34ddd9e2f037589b292db3e67c036745fa22e7e9b7373b",
     "dcf566ff291c25bbb8568fc3d376a6d9"},
    {"case 13: AES-256, empty", 32, ZERO_KEY, ZERO_IV,
     "", "",
     "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {"case 14: AES-256, a block", 32, ZERO_KEY, ZERO_IV,
     "", ZERO_BLOCK,
     "cea7403d4d606b6e074ec5d3baf39d18",
     "d0d1c8a799996bf0265b98b5d48ab919"},
    {"case 15: AES-256, four blocks", 32, KEY, IV,
     "", TEXT64,
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
     "b094dac5d93471bdec1a502270e3cc6c"},
    {"case 16: AES-256, additional data", 32, KEY, IV,
     ADDED, TEXT60,
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
    {"case 17: AES-256, an IV of 8 bytes", 32, KEY, SHORT_IV,
     ADDED, TEXT60,
     "c3762df1ca787d32ae47c13bf19844cbaf1ae14d0b976afac52ff7d79bba9de0"
     "feb582d33934a4f0954cc2363bc73f7862ac430e64abe499f47c9b1f",
     "3a337dbf46a792c45e454913fe2ea8f2"},
    {"case 18: AES-256, an IV of 60 bytes", 32, KEY, LONG_IV,
     ADDED, TEXT60,
     "5a8def2f0c9e53f1f75d7853659e2a20eeb2b22aafde6419a058ab4f6f746bf4"
     "0fc0c3b780f244452da3ebf1c5d82cdea2418997200ef82e44ae7e3f",
     "a44a8266ee1c8eb0c8b5d4cf5ae9f19a"},
};

struct bytes {
    uint8_t at[TEXT_MAX];
    size_t  len;
};

static struct bytes from_hex(const char *hex)
{
    struct bytes b = {.len = 0};

    for (; hex[0] != '\0' && hex[0] != '"'; hex += 2) {
        char two[3] = {hex[0], hex[1], '\0'};
        b.at[b.len++] = (uint8_t)strtoul(two, NULL, 16);
    }
    return b;
}

/* One message, and what is to come of it. */
struct message {
    struct bytes key, iv, added, text, cipher, tag;
};

static bool seals(const struct message *m)
{
    mbedtls_gcm_context g;
    uint8_t made[TEXT_MAX], tag[16];
    bool same;

    mbedtls_gcm_init(&g);
    memcpy(made, m->text.at, m->text.len);  /* in place */
    same = mbedtls_gcm_setkey(&g, MBEDTLS_CIPHER_ID_AES, m->key.at,
                              (unsigned)m->key.len * 8) == 0 &&
           mbedtls_gcm_crypt_and_tag(&g, MBEDTLS_GCM_ENCRYPT, m->text.len,
                                     m->iv.at, m->iv.len, m->added.at,
                                     m->added.len, made, made, m->tag.len,
                                     tag) == 0 &&
           memcmp(made, m->cipher.at, m->text.len) == 0 &&
           memcmp(tag, m->tag.at, m->tag.len) == 0;
    mbedtls_gcm_free(&g);
    return same;
}

static int open_message(const struct message *m, uint8_t *made)
{
    mbedtls_gcm_context g;
    int error;

    mbedtls_gcm_init(&g);
    error = mbedtls_gcm_setkey(&g, MBEDTLS_CIPHER_ID_AES, m->key.at,
                               (unsigned)m->key.len * 8);
    if (error == 0)
        error = mbedtls_gcm_auth_decrypt(&g, m->cipher.len, m->iv.at,
                                         m->iv.len, m->added.at,
                                         m->added.len, m->tag.at, m->tag.len,
                                         m->cipher.at, made);
    mbedtls_gcm_free(&g);
    return error;
}

static bool opens(const struct message *m)
{
    uint8_t made[TEXT_MAX];

    return open_message(m, made) == 0 &&
           memcmp(made, m->text.at, m->text.len) == 0;
}

static void vectors_hold(void **state)
{
    int broken = 0;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        const struct row *r = &rows[i];
        struct message m = {from_hex(r->key),    from_hex(r->iv),
                            from_hex(r->added),  from_hex(r->text),
                            from_hex(r->cipher), from_hex(r->tag)};
        m.key.len = r->key_bytes;
        for (unsigned way = 0; way < 2; way++) {
            plain = way == 1;
            broken += BROKEN(r->name, seals(&m) && opens(&m));
        }
    }
    assert_int_equal(broken, 0);
}

/* A line is a name and fields, a colon before each, texts in quotes:
 *     gcm_encrypt_and_tag:cipher:key:text:iv:added:sealed:bits:tag:0
 *     gcm_decrypt_and_verify:cipher:key:sealed:iv:added:bits:tag:"FAIL":"":0
 * where an empty text takes the place of FAIL when it opens. */
static bool line_holds(char *line, bool *known)
{
    char *field[FIELD_MAX + 2];
    unsigned count = 0;
    struct message m;
    uint8_t made[TEXT_MAX];
    bool sealing = strncmp(line, "gcm_encrypt_and_tag:", 20) == 0;

    *known = sealing || strncmp(line, "gcm_decrypt_and_verify:", 23) == 0;
    if (!*known)
        return true;
    for (char *at = line; at != NULL && count < FIELD_MAX + 2; count++) {
        field[count] = at + (*at == '"');
        at = strchr(at, ':');
        if (at != NULL)
            *at++ = '\0';
    }
    m = (struct message){.key = from_hex(field[2]), .iv = from_hex(field[4]),
                         .added = from_hex(field[5])};
    if (sealing) {
        m.text = from_hex(field[3]);
        m.cipher = from_hex(field[6]);
        m.tag = from_hex(field[8]);
        return count >= 9 && seals(&m) && opens(&m);
    }
    m.cipher = from_hex(field[3]);
    m.tag = from_hex(field[7]);
    if (strncmp(field[8], "FAIL", 4) == 0)
        return open_message(&m, made) == MBEDTLS_ERR_GCM_AUTH_FAILED;
    m.text = from_hex(field[9]);
    return count >= 10 && opens(&m) && seals(&m);
}

static unsigned file_holds(const char *path, int *broken)
{
    static char line[LINE_MAX_BYTES], copy[LINE_MAX_BYTES];
    FILE *f = fopen(path, "r");
    unsigned count = 0;
    bool known;

    if (f == NULL)
        return 0;
    while (fgets(line, sizeof line, f) != NULL) {
        for (unsigned way = 0; way < 2; way++) {
            plain = way == 1;
            memcpy(copy, line, sizeof copy);
            *broken += BROKEN(line, line_holds(copy, &known));
        }
        count += known;
    }
    fclose(f);
    return count;
}

static void nist_vectors_hold(void **state)
{
    static const char *const kind[] = {"128_en", "128_de", "192_en",
                                       "192_de", "256_en", "256_de"};
    unsigned count = 0;
    int broken = 0;
    char path[128];

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(kind); i++) {
        snprintf(path, sizeof path, "build/deps/src/mbedtls/tests/suites/"
                 "test_suite_gcm.aes%s.data", kind[i]);
        count += file_holds(path, &broken);
    }
    if (count == 0)
        skip();  /* not among the parts here */
    assert_int_equal(count, 6 * 168);
    assert_int_equal(broken, 0);
}

/* So many bytes at `from`, a slice of random length at a time, in place. */
static void in_slices(mbedtls_gcm_context *g, struct chance *c, uint8_t *at,
                      size_t len)
{
    size_t made;

    while (len > 0) {
        size_t take = 1 + (size_t)chance_below(c, len);
        if (chance_below(c, 2) == 0 && take > 20)
            take = 1 + (size_t)chance_below(c, 20);
        assert_int_equal(mbedtls_gcm_update(g, at, take, at, take, &made), 0);
        assert_int_equal(made, take);
        at += take;
        len -= take;
    }
}

/* What a run must give again: all of it is drawn from the seed. */
static void run(uint64_t seed, int mode, size_t len, bool sliced,
                uint8_t made[TEXT_MAX], uint8_t tag[16])
{
    struct chance c, slices;
    mbedtls_gcm_context g;
    uint8_t key[32], iv[64], added[100];
    size_t added_len, first, none;

    chance_init(&c, seed);
    chance_init(&slices, seed + 1);
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = iv[i] = iv[i + 32] = (uint8_t)chance_next(&c);
    for (unsigned i = 0; i < sizeof added; i++)
        added[i] = (uint8_t)chance_next(&c);
    for (size_t i = 0; i < len; i++)
        made[i] = (uint8_t)chance_next(&c);
    added_len = (size_t)chance_below(&c, sizeof added + 1);
    first = sliced ? (size_t)chance_below(&slices, added_len + 1) : 0;
    mbedtls_gcm_init(&g);
    assert_int_equal(mbedtls_gcm_setkey(&g, MBEDTLS_CIPHER_ID_AES, key,
                                        128 + 64 * (unsigned)(seed % 3)), 0);
    assert_int_equal(mbedtls_gcm_starts(&g, mode, iv, 12 + seed % 7), 0);
    if (seed % 5 == 0)  /* the counter wraps in this text */
        memset(g.counter + 12, 0xff, 3);
    assert_int_equal(mbedtls_gcm_update_ad(&g, added, first), 0);
    assert_int_equal(mbedtls_gcm_update_ad(&g, added + first,
                                           added_len - first), 0);
    if (sliced)
        in_slices(&g, &slices, made, len);
    else
        assert_int_equal(mbedtls_gcm_update(&g, made, len, made, len,
                                            &none), 0);
    assert_int_equal(mbedtls_gcm_finish(&g, NULL, 0, &none, tag, 16), 0);
    mbedtls_gcm_free(&g);
}

static void both_ways_are_alike(void **state)
{
    uint8_t want[TEXT_MAX], got[TEXT_MAX], want_tag[16], got_tag[16];
    int broken = 0;

    (void)state;
    for (unsigned i = 0; i < 4 * 601; i++) {
        size_t len = i / 4;
        int mode = i % 2 == 0 ? MBEDTLS_GCM_ENCRYPT : MBEDTLS_GCM_DECRYPT;
        plain = true;
        run(i, mode, len, false, want, want_tag);
        for (unsigned way = 0; way < 3; way++) {
            plain = way == 2;
            run(i, mode, len, way > 0, got, got_tag);
            broken += BROKEN("the same bytes, whole and in slices",
                             memcmp(got, want, len) == 0 &&
                             memcmp(got_tag, want_tag, 16) == 0);
        }
    }
    assert_int_equal(broken, 0);
}

/* Output may begin below the input, and overlap it. */
static void text_may_move_down(void **state)
{
    uint8_t key[16] = {1}, iv[12] = {2}, text[TEXT_MAX], moved[TEXT_MAX];
    uint8_t want[16], got[16];
    int broken = 0;

    (void)state;
    for (unsigned i = 0; i < 2 * 2 * 40; i++) {
        int mode = i % 2 == 0 ? MBEDTLS_GCM_ENCRYPT : MBEDTLS_GCM_DECRYPT;
        size_t len = 600, by = i / 4;
        mbedtls_gcm_context g;
        plain = i / 2 % 2 == 1;
        mbedtls_gcm_init(&g);
        for (size_t k = 0; k < len; k++)
            text[k] = moved[by + k] = (uint8_t)(k * 7);
        assert_int_equal(mbedtls_gcm_setkey(&g, MBEDTLS_CIPHER_ID_AES, key,
                                            128), 0);
        assert_int_equal(mbedtls_gcm_crypt_and_tag(
            &g, mode, len, iv, 12, NULL, 0, text, text, 16, want), 0);
        assert_int_equal(mbedtls_gcm_crypt_and_tag(
            &g, mode, len, iv, 12, NULL, 0, moved + by, moved, 16, got), 0);
        broken += BROKEN("moved down", memcmp(text, moved, len) == 0 &&
                         memcmp(want, got, 16) == 0);
        mbedtls_gcm_free(&g);
    }
    assert_int_equal(broken, 0);
}

static void what_is_altered_is_refused(void **state)
{
    struct message m = {.key.len = 16, .iv.len = 12, .added.len = 5,
                        .text.len = 300, .cipher.len = 300, .tag.len = 16};
    uint8_t made[TEXT_MAX];
    mbedtls_gcm_context g;
    int broken = 0;

    (void)state;
    mbedtls_gcm_init(&g);
    assert_int_equal(mbedtls_gcm_setkey(&g, MBEDTLS_CIPHER_ID_AES, m.key.at,
                                        128), 0);
    assert_int_equal(mbedtls_gcm_crypt_and_tag(
        &g, MBEDTLS_GCM_ENCRYPT, 300, m.iv.at, 12, m.added.at, 5, m.text.at,
        m.cipher.at, 16, m.tag.at), 0);
    mbedtls_gcm_free(&g);
    assert_true(opens(&m));
    for (unsigned i = 0; i < 300 + 5 + 12 + 16; i++) {
        uint8_t *at = i < 300 ? m.cipher.at + i : i < 305 ?
                      m.added.at + i - 300 : i < 317 ? m.iv.at + i - 305 :
                      m.tag.at + i - 317;
        uint8_t bit = (uint8_t)(1u << i % 8), left = 0;
        *at ^= bit;
        memset(made, 0xaa, sizeof made);
        broken += BROKEN("altered: refused", open_message(&m, made) ==
                         MBEDTLS_ERR_GCM_AUTH_FAILED);
        for (unsigned k = 0; k < 300; k++)
            left |= made[k];
        broken += BROKEN("altered: nothing of it is left", left == 0);
        *at ^= bit;
    }
    assert_int_equal(broken, 0);
}

static void misuse_is_refused(void **state)
{
    const int bad = MBEDTLS_ERR_GCM_BAD_INPUT;
    uint8_t key[32] = {0}, iv[12] = {0}, text[64] = {0}, tag[17];
    mbedtls_gcm_context g;
    size_t made;

    (void)state;
    mbedtls_gcm_init(&g);
    assert_int_equal(mbedtls_gcm_setkey(&g, MBEDTLS_CIPHER_ID_ARIA, key, 128),
                     bad);
    assert_int_not_equal(mbedtls_gcm_setkey(&g, MBEDTLS_CIPHER_ID_AES, key,
                                            129), 0);
    assert_int_equal(mbedtls_gcm_setkey(&g, MBEDTLS_CIPHER_ID_AES, key, 256),
                     0);
    assert_int_equal(mbedtls_gcm_starts(&g, MBEDTLS_GCM_ENCRYPT, iv, 0), bad);
    assert_int_equal(mbedtls_gcm_starts(&g, MBEDTLS_GCM_ENCRYPT, iv, 12), 0);
    assert_int_equal(mbedtls_gcm_update(&g, text, 2, text, 1, &made),
                     MBEDTLS_ERR_GCM_BUFFER_TOO_SMALL);
    assert_int_equal(mbedtls_gcm_update(&g, text, 32, text + 1, 32, &made),
                     bad);
    assert_int_equal(mbedtls_gcm_finish(&g, NULL, 0, &made, tag, 17), bad);
    assert_int_equal(mbedtls_gcm_finish(&g, NULL, 0, &made, tag, 3), bad);
    g.text_bytes = TEXT_BYTES_MAX - 1;
    assert_int_equal(mbedtls_gcm_update(&g, text, 2, text, 2, &made), bad);
    g.added_bytes = ADDED_BYTES_MAX;
    assert_int_equal(mbedtls_gcm_update_ad(&g, text, 1), bad);
    mbedtls_gcm_free(&g);
    for (size_t i = 0; i < sizeof g; i++)
        assert_int_equal(((const uint8_t *)&g)[i], 0);
    mbedtls_gcm_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_hold),
        cmocka_unit_test(nist_vectors_hold),
        cmocka_unit_test(both_ways_are_alike),
        cmocka_unit_test(text_may_move_down),
        cmocka_unit_test(what_is_altered_is_refused),
        cmocka_unit_test(misuse_is_refused),
    };

    if (!gcm_fast_able())
        fprintf(stderr, "test_gcm: this processor has only the plain way\n");
    return RUN(tests);
}
