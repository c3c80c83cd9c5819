/* The body filter inside an edge: its share of a turn, its encoders, and clients that leave. What clients see is in tests/e2e/test_compression.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "edge/encoders.h"
#include "edge/filter/compress_body.h"
#include "fixture.h"

#define BIG (900u << 10)
#define ASK(path, coding) "GET " path " HTTP/1.1\r\nHost: x\r\nAccept-Encoding: " coding "\r\n\r\n"

static void write_big(struct rig *rig)
{
    char *text = mem_alloc(BIG + 1);

    for (size_t i = 0; i < BIG; i++)
        text[i] = (char)('a' + (i * 7 + i / 1000) % 23);
    text[BIG] = '\0';
    rig_file(rig, "static/big.txt", text);
    mem_free(text);
}

static unsigned long long packed(const struct rig *rig, enum coding coding)
{
    return stats_get(&rig->lane->stats.packed_in[coding]);
}

static void one_turn(struct rig *rig)
{
    loop_wake(rig->lane->loop);
    loop_once(rig->lane->loop);
}

/* Whoever asks for much does not hold the lane: others are looked at in between. */
static void a_body_has_its_share_of_a_turn(void **state)
{
    struct fixture f;
    char sink[65536];
    unsigned turns = 0;

    (void)state;
    open_fixture(&f, NULL, NULL);
    write_big(&f.rig);
    assert_true(send(f.client, ASK("/static/big.txt", "gzip"), sizeof(ASK("/static/big.txt", "gzip")) - 1, 0) > 0);
    while (packed(&f.rig, CODING_GZIP) < BIG) {
        unsigned long long before = packed(&f.rig, CODING_GZIP);

        one_turn(&f.rig);
        /* in the events of a turn, and at its end when the others have been looked at */
        assert_true(packed(&f.rig, CODING_GZIP) - before <= 2 * COMPRESS_TURN);
        while (recv(f.client, sink, sizeof(sink), MSG_DONTWAIT) > 0)
            ;
        assert_true(turns++ < 10000);
    }
    assert_true(turns >= BIG / (2 * COMPRESS_TURN));
    close_fixture(&f);
}

static bool is_compressed(struct fixture *f)
{
    char *answer =
        rig_talk(&f->rig, f->client, ASK("/static/small.txt", "zstd"), sizeof(ASK("/static/small.txt", "zstd")) - 1);
    bool yes = strstr(answer, "Content-Encoding: zstd\r\n") != NULL;

    assert_non_null(strstr(answer, "HTTP/1.1 200"));
    assert_non_null(strstr(answer, "Vary: Accept-Encoding\r\n"));
    mem_free(answer);
    return yes;
}

/* As many at work as a lane may have: the next body goes as it is. */
static void too_many_at_work(void **state)
{
    const struct encoder_plan plan = { .length = -1 };
    struct encoder *busy[1024];
    char text[2001];
    struct fixture f;
    size_t n = 0;

    (void)state;
    memset(text, 't', 2000);
    text[2000] = '\0';
    open_fixture(&f, NULL, NULL);
    rig_file(&f.rig, "static/small.txt", text);
    assert_true(is_compressed(&f));
    while (n < ARRAY_LEN(busy) && (busy[n] = encoders_take(f.rig.lane->encoders, CODING_GZIP, &plan)) != NULL)
        n++;
    assert_in_range(n, 100, ENCODERS_BUSY_MAX / encoder_cost(CODING_GZIP));
    assert_false(is_compressed(&f));
    while (n > 0)
        encoders_give(f.rig.lane->encoders, busy[--n]);
    assert_true(is_compressed(&f));
    close_fixture(&f);
}

/* In the middle of a body, and while it waits for its next turn; the end of the rig asks for the encoder. */
static void a_client_leaves(void **state)
{
    (void)state;
    for (unsigned turns = 1; turns < 6; turns++) {
        struct fixture f;
        int client;

        open_fixture(&f, NULL, NULL);
        write_big(&f.rig);
        client = rig_connect(&f.rig);
        assert_true(send(client, ASK("/static/big.txt", "br"), sizeof(ASK("/static/big.txt", "br")) - 1, 0) > 0);
        for (unsigned i = 0; i < turns; i++)
            one_turn(&f.rig);
        assert_true(packed(&f.rig, CODING_BR) > 0 && packed(&f.rig, CODING_BR) < BIG);
        close(client);
        for (int i = 0; i < 8; i++)
            one_turn(&f.rig);
        close_fixture(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_has_its_share_of_a_turn),
        cmocka_unit_test(too_many_at_work),
        cmocka_unit_test(a_client_leaves),
    };

    return cmocka_run_group_tests_name("edge/compress", tests, NULL, NULL);
}
