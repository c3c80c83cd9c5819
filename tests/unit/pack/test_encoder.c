/* The encoders: what they make is what the reference decoders read, however the bytes are cut; padding is length and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <brotli/decode.h>
#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "pack/encoder.h"

#define PLAIN_MAX (300u << 10)
#define PACKED_MAX (PLAIN_MAX + 4096u)

static char plain[PLAIN_MAX], packed[PACKED_MAX], unpacked[PLAIN_MAX + 1];
static size_t room; /* output a call */
static const enum coding all[] = { CODING_GZIP, CODING_ZSTD, CODING_BR };

/* ---- the decoders: bytes of the content; *ended: the body is whole ---- */

static size_t decode_gzip(size_t n, bool *ended)
{
    z_stream z = {
        .next_in = (Bytef *)packed, .avail_in = (uInt)n, .next_out = (Bytef *)unpacked, .avail_out = sizeof(unpacked)
    };
    int r;

    assert_int_equal(inflateInit2(&z, 31), Z_OK);
    r = inflate(&z, Z_NO_FLUSH);
    assert_true(r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR);
    *ended = r == Z_STREAM_END && z.avail_in == 0;
    (void)inflateEnd(&z);
    return sizeof(unpacked) - z.avail_out;
}

static size_t decode_br(size_t n, bool *ended)
{
    BrotliDecoderState *s = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    const uint8_t *in = (const uint8_t *)packed;
    uint8_t *out = (uint8_t *)unpacked;
    size_t space = sizeof(unpacked);
    BrotliDecoderResult r = BrotliDecoderDecompressStream(s, &n, &in, &space, &out, NULL);

    assert_true(r != BROTLI_DECODER_RESULT_ERROR);
    *ended = r == BROTLI_DECODER_RESULT_SUCCESS && n == 0;
    BrotliDecoderDestroyInstance(s);
    return sizeof(unpacked) - space;
}

static size_t decode_zstd(size_t n, bool *ended)
{
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    ZSTD_inBuffer in = { packed, n, 0 };
    ZSTD_outBuffer out = { unpacked, sizeof(unpacked), 0 };
    size_t r = 1;

    while (in.pos < in.size) {
        r = ZSTD_decompressStream(ctx, &out, &in);
        assert_false(ZSTD_isError(r));
    }
    *ended = r == 0;
    ZSTD_freeDCtx(ctx);
    return out.pos;
}

static size_t decode(enum coding coding, size_t n, bool *ended)
{
    return coding == CODING_GZIP ? decode_gzip(n, ended)
           : coding == CODING_BR ? decode_br(n, ended)
                                 : decode_zstd(n, ended);
}

/* ---- encoding ---- */

/* Runs one operation to its end; returns the bytes made so far. */
static size_t run(struct encoder *e, const char *in, size_t n, enum encoder_op op, size_t made)
{
    struct encoder_io io = { .in = in, .n_in = n, .out = packed + made };
    int r = 0;

    while (r == 0) {
        io.n_out = room < (size_t)(packed + PACKED_MAX - io.out) ? room : (size_t)(packed + PACKED_MAX - io.out);
        r = encoder_run(e, &io, op);
    }
    assert_int_equal(r, 1);
    assert_int_equal(io.n_in, 0);
    return (size_t)(io.out - packed);
}

/* n bytes in pieces of `step`. */
static size_t encode(struct encoder *e, const struct encoder_plan *plan, size_t n, size_t step)
{
    size_t made = 0;

    assert_int_equal(encoder_begin(e, plan), 0);
    for (size_t at = 0; at < n; at += step)
        made = run(e, plain + at, step < n - at ? step : n - at, ENCODER_GO, made);
    return run(e, plain + n, 0, ENCODER_FINISH, made);
}

static void expect(enum coding coding, size_t made, size_t n)
{
    bool ended;

    assert_int_equal(decode(coding, made, &ended), n);
    assert_true(ended);
    assert_memory_equal(unpacked, plain, n);
}

static void fill(void)
{
    uint32_t x = 1;

    for (size_t i = 0; i < PLAIN_MAX; i++) { /* compresses, but not to nothing */
        x = x * 1664525 + 1013904223;
        plain[i] = (i / 64) % 3 == 0 ? (char)(x >> 24) : (char)('a' + i % 17);
    }
}

static void test_round_trips(void **state)
{
    static const size_t sizes[] = { 0, 1, 1000, ENCODER_SHORT, ENCODER_SHORT + 1, PLAIN_MAX };
    static const size_t steps[] = { 1000, 65536, PLAIN_MAX };

    fill();
    for (size_t c = 0; c < ARRAY_LEN(all); c++) {
        struct encoder *e = encoder_new(all[c]);

        assert_non_null(e);
        assert_int_equal(encoder_coding(e), all[c]);
        for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
            for (size_t t = 0; t < ARRAY_LEN(steps); t++) {
                struct encoder_plan plan = { .length = t % 2 == 0 ? (int64_t)sizes[s] : -1,
                                             .padding = (uint32_t)(t * 50) };

                room = t == 0 ? ENCODER_ROOM : 32768;
                expect(all[c], encode(e, &plan, sizes[s], steps[t]), sizes[s]);
            }
        }
        encoder_free(e);
    }
}

/* What was given before a flush can be read after it, and the rest follows. */
static void test_flush(void **state)
{
    const struct encoder_plan plan = { .length = -1, .padding = 20 };

    fill();
    for (size_t c = 0; c < ARRAY_LEN(all); c++) {
        struct encoder *e = encoder_new(all[c]);
        size_t made = 0;
        bool ended;

        assert_int_equal(encoder_begin(e, &plan), 0);
        for (size_t n = 100; n <= 500; n += 100) {
            room = n == 300 ? ENCODER_ROOM : 4096;
            made = run(e, plain + n - 100, 100, ENCODER_FLUSH, made);
            assert_int_equal(decode(all[c], made, &ended), n);
            assert_memory_equal(unpacked, plain, n);
            assert_false(ended);
        }
        made = run(e, plain, 0, ENCODER_FINISH, made);
        expect(all[c], made, 500);
        encoder_free(e);
    }
}

/* As many bytes more as were asked for, give or take how each format writes them down. */
static void test_padding(void **state)
{
    fill();
    for (size_t c = 0; c < ARRAY_LEN(all); c++) {
        struct encoder *e = encoder_new(all[c]);
        struct encoder_plan plan = { .length = 5000 };
        size_t without = encode(e, &plan, 5000, 5000), before = 0;

        for (plan.padding = 1; plan.padding <= ENCODER_PADDING_MAX; plan.padding++) {
            size_t made;

            room = plan.padding % 5 == 0 ? ENCODER_ROOM : 4096;
            made = encode(e, &plan, 5000, 5000);

            assert_true(made >= without + plan.padding && made <= without + plan.padding + 8);
            assert_true(made > before || (all[c] == CODING_BR && plan.padding == 2)); /* one byte becomes two */
            before = made;
            expect(all[c], made, 5000);
        }
        encoder_free(e);
    }
}

/* An encoder that was left in the middle of one body makes the next as a new one would. */
static void test_begins_anew(void **state)
{
    const struct encoder_plan plan = { .length = -1 };

    fill();
    for (size_t c = 0; c < ARRAY_LEN(all); c++) {
        struct encoder *e = encoder_new(all[c]);
        size_t made = encode(e, &plan, 20000, 20000);
        char *first = mem_alloc(made);

        memcpy(first, packed, made);
        assert_int_equal(encoder_begin(e, &(struct encoder_plan){ .length = 100000, .padding = 9 }), 0);
        (void)run(e, plain, 90000, ENCODER_GO, 0);
        assert_int_equal(encode(e, &plan, 20000, 20000), made);
        assert_memory_equal(packed, first, made);
        mem_free(first);
        encoder_free(e);
    }
}

/* The best are smaller than the quick ones, and never larger than the plain. */
static void test_best(void **state)
{
    fill();
    for (size_t c = 0; c < ARRAY_LEN(all); c++) {
        struct encoder *quick = encoder_new(all[c]), *best = encoder_new(all[c]);
        size_t n = encode(best, &(struct encoder_plan){ .length = PLAIN_MAX, .best = true }, PLAIN_MAX, 65536);

        expect(all[c], n, PLAIN_MAX);
        assert_true(n <= encode(quick, &(struct encoder_plan){ .length = PLAIN_MAX }, PLAIN_MAX, 65536));
        encoder_free(quick);
        encoder_free(best);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_flush), cmocka_unit_test(test_padding),
        cmocka_unit_test(test_begins_anew), cmocka_unit_test(test_best),
    };

    return cmocka_run_group_tests_name("pack/encoder", tests, NULL, NULL);
}
