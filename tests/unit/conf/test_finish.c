/* The rules between options. */
#include "conf_testing.h"

#define FINISH(t) conf_finish((t)->b, (t)->error)

static void certificates_come_in_pairs(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, ARGS(t, "--tls-bind", ":443", "--certfile", "a", "--certfile", "b", "--keyfile", "a"));
    assert_refused(t, FINISH(t), "certfile and keyfile: expected pairs, found 2 certfile and 1 keyfile");
    assert_accepted(t, ARGS(t, "--keyfile", "a", "--keyfile", "b"));
    assert_accepted(t, FINISH(t));
}

static void tls_needs_a_certificate(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, ARGS(t, "--tls-bind", ":443"));
    assert_refused(t, FINISH(t), "tls-bind: expected a certificate too; give --certfile and --keyfile");
}

static void a_certificate_needs_tls(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, ARGS(t, "--certfile", "a", "--keyfile", "a"));
    assert_refused(t, FINISH(t),
                   "certfile: nothing would use it, --bind is plain HTTP; listen for HTTPS with --tls-bind ADDR");
}

static void no_worker_fits_into_some_bytes(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, ARGS(t, "--max-worker-memory", "500"));
    assert_refused(t, FINISH(t),
                   "max-worker-memory: expected a size from 4m on, such as 500m, found 500 bytes: no worker is that "
                   "small");
    assert_accepted(t, ARGS(t, "--max-worker-memory", "4m"));
    assert_accepted(t, FINISH(t));
    assert_accepted(t, ARGS(t, "--max-worker-memory", "0"));
    assert_accepted(t, FINISH(t));
}

static void somebody_must_be_able_to_connect(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, ARGS(t, "--bind="));
    assert_refused(t, FINISH(t), "bind: nothing to listen on; give --bind or --tls-bind");
}

static void an_address_is_listened_on_once(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, ARGS(t, "--bind", ":80", "--bind", ":80"));
    assert_refused(t, FINISH(t), "bind: :80 is given twice");
    assert_accepted(t, ARGS(t, "--bind", "127.0.0.1:0", "--bind", "127.0.0.1:0"));
    assert_accepted(t, FINISH(t));
}

static void threads_in_all_have_a_maximum(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, ARGS(t, "--workers", "256", "--threads", "4"));
    assert_accepted(t, FINISH(t));
    assert_accepted(t, ARGS(t, "--threads", "5"));
    assert_refused(t, FINISH(t), "workers and threads: expected at most 1024 threads in all, found 256 × 5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(certificates_come_in_pairs),     TEST(tls_needs_a_certificate),
        TEST(a_certificate_needs_tls),        TEST(somebody_must_be_able_to_connect),
        TEST(an_address_is_listened_on_once), TEST(threads_in_all_have_a_maximum),
        TEST(no_worker_fits_into_some_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
