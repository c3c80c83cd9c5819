/* The environment, and who outranks whom. */
#include "conf_testing.h"

static void every_option_has_a_variable(void **state)
{
    struct testing *t = *state;
    const struct conf *c = conf_of(t->b);

    assert_accepted(t, ENV(t, "PATH=/bin", "QUINTET_WORKERS=3", "QUINTET_BIND=127.0.0.1:1, unix:x,",
                           "QUINTET_LOG_FORMAT=json", "QUINTET_STATIC=/static/=a,/other/=b", "QUINTET_APP=shop.wsgi"));
    assert_int_equal(c->workers, 3);
    assert_int_equal(c->bind.n, 2);
    assert_string_equal(c->bind.items[1], "unix:x");
    assert_int_equal(c->log_format, CONF_LOG_JSON);
    assert_int_equal(c->static_map.n, 2);
    assert_string_equal(c->app, "shop.wsgi");
}

static void an_empty_variable_is_not_set(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, ENV(t, "QUINTET_WORKERS=", "QUINTET_BIND=", "PORT=", "WEB_CONCURRENCY=", "QUINTET_PRELOAD="));
    assert_int_equal(conf_of(t->b)->bind.n, 1);
}

static void foreign_names_count_less_than_ours(void **state)
{
    struct testing *t = *state;
    const struct conf *c = conf_of(t->b);

    assert_accepted(t, ENV(t, "QUINTET_WORKERS=3", "WEB_CONCURRENCY=9", "FORWARDED_ALLOW_IPS=*", "PORT=5000"));
    assert_int_equal(c->workers, 3);
    assert_int_equal(c->trusted_proxies.n, 2);
    assert_int_equal(c->bind.n, 1);
    assert_string_equal(c->bind.items[0], "0.0.0.0:5000");
    assert_accepted(t, ENV(t, "QUINTET_BIND=:1", "PORT=5000"));
    assert_string_equal(c->bind.items[0], ":1");
    assert_int_equal(c->bind.n, 1);
}

static void wrong_variables_are_refused(void **state)
{
    struct testing *t = *state;

    assert_refused(t, ENV(t, "QUINTET_WOKERS=3"), "QUINTET_WOKERS: no such option; did you mean QUINTET_WORKERS?");
    assert_refused(t, ENV(t, "QUINTET_LOGLEVEL=info"),
                   "QUINTET_LOGLEVEL: no such option; did you mean QUINTET_LOG_LEVEL?");
    assert_refused(t, ENV(t, "QUINTET_=1"), "QUINTET_: no such option; `quintet run --help` lists them");
    assert_refused(t, ENV(t, "QUINTET_DEBUG=1"), "QUINTET_DEBUG: no such option; `quintet run --help` lists them");
    assert_refused(t, ENV(t, "QUINTET_TIMEOUT=soon"),
                   "environment QUINTET_TIMEOUT: expected a duration such as 30s or 250ms, found \"soon\"");
    assert_refused(t, ENV(t, "WEB_CONCURRENCY=x"),
                   "environment WEB_CONCURRENCY: expected a number from 0 to 256, found \"x\"");
    assert_refused(t, ENV(t, "PORT=http"), "environment PORT: expected a number from 0 to 65535, found \"http\"");
    assert_refused(t, SET(t, "nosniff", "maybe"), "Django settings: nosniff: expected yes or no, found \"maybe\"");
    assert_accepted(t, SET(t, "debug", "TRUE"));
    assert_true(conf_of(t->b)->debug);
    assert_accepted(t, ENV(t, "QUINTET_BINARY=/x/quintet", "quintet_workers=z", "QUINTETX=1", "BROKEN"));
}

static void a_lower_source_never_wins(void **state)
{
    struct testing *t = *state;
    const struct conf *c = conf_of(t->b);

    assert_accepted(t, ARGS(t, "--workers", "1"));
    assert_accepted(t, ENV(t, "QUINTET_WORKERS=2", "QUINTET_THREADS=2", "PORT=80"));
    assert_accepted(t, YAML(t, "workers: 3\nthreads: 3\nbind: :3\ntimeout: 3\nstatic: /s/=file\n"));
    assert_accepted(t, SET(t, "timeout", "4"));
    assert_accepted(t, SET(t, "static", "/s/=django"));
    assert_accepted(t, SET(t, "media", "/m/=django"));
    assert_accepted(t, SET(t, "media", "/n/=django"));
    assert_int_equal(c->workers, 1);
    assert_int_equal(c->threads, 2);
    assert_int_equal(c->bind.n, 1);
    assert_string_equal(c->bind.items[0], "0.0.0.0:80");
    assert_int_equal(c->timeout, 3 * SECOND);
    assert_string_equal(c->static_map.items[0], "/s/=file");
    assert_int_equal(c->static_map.n, 1);
    assert_int_equal(c->media_map.n, 2);
}

static void an_outranked_value_is_checked_all_the_same(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, ARGS(t, "--workers", "1"));
    assert_refused(t, ENV(t, "QUINTET_WORKERS=x"),
                   "environment QUINTET_WORKERS: expected a number from 0 to 256, found \"x\"");
}

static void django_facts_are_set_by_name(void **state)
{
    struct testing *t = *state;
    const struct conf *c = conf_of(t->b);

    assert_accepted(t, SET(t, "django_settings", "shop.settings"));
    assert_accepted(t, SET(t, "hsts", "max-age=60; includeSubDomains"));
    assert_accepted(t, SET(t, "allowed_hosts", ".example.org"));
    assert_accepted(t, SET(t, "nosniff", "no"));
    assert_string_equal(c->hsts, "max-age=60; includeSubDomains");
    assert_int_equal(c->allowed_hosts.n, 1);
    assert_false(c->nosniff);
    assert_refused(t, SET(t, "hsts", "x\r\nSet-Cookie: a=b"),
                   "Django settings: hsts: expected printable ASCII text, found \"x\\x0d\\x0aSet-Cookie: a=b\"");
    assert_accepted(t, SET(t, "hsts", " ~"));
    assert_int_equal(SET(t, "hsts", "\x7f"), -EINVAL);
    assert_int_equal(SET(t, "hsts", "\xc3\xa9"), -EINVAL);
    assert_refused(t, SET(t, "timeouts", "1"), "Django settings: timeouts: no such option; did you mean timeout?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_option_has_a_variable),        TEST(an_empty_variable_is_not_set),
        TEST(foreign_names_count_less_than_ours), TEST(wrong_variables_are_refused),
        TEST(a_lower_source_never_wins),          TEST(an_outranked_value_is_checked_all_the_same),
        TEST(django_facts_are_set_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
