/* The command line: GNU forms, lists, booleans, the application, and the texts of refusals. */
#include "conf_testing.h"

#include <stdio.h>

static void defaults_are_those_of_the_manual(void **state)
{
    struct testing *t = *state;
    const struct conf *c = conf_of(t->b);

    assert_int_equal(c->bind.n, 1);
    assert_string_equal(c->bind.items[0], "127.0.0.1:8000");
    assert_int_equal(c->workers, 0);
    assert_int_equal(c->threads, 1);
    assert_int_equal(c->timeout, 30 * SECOND);
    assert_int_equal(c->queue_timeout, 10 * SECOND);
    assert_int_equal(c->queue_size, 1024);
    assert_int_equal(c->graceful_timeout, 30 * SECOND);
    assert_int_equal(c->keep_alive, 75 * SECOND);
    assert_int_equal(c->limit_request_line, 8192);
    assert_int_equal(c->limit_request_fields, 100);
    assert_int_equal(c->limit_request_field_size, 16384);
    assert_int_equal(c->max_body_size, 100 << 20);
    assert_string_equal(c->access_log, "-");
    assert_string_equal(c->log, "-");
    assert_int_equal(c->log_format, CONF_LOG_AUTO);
    assert_string_equal(c->log_level, "info");
    assert_string_equal(c->control, ".quintet/control.sock");
    assert_true(c->nosniff);
    assert_false(c->debug);
    assert_null(c->app);
    assert_int_equal(c->tls_bind.n + c->trusted_proxies.n + c->static_map.n, 0);
    assert_accepted(t, conf_finish(t->b, t->error));
}

static void all_gnu_forms_are_read(void **state)
{
    struct testing *t = *state;
    const struct conf *c = conf_of(t->b);

    assert_accepted(t, ARGS(t, "-w4", "--threads", "2", "--timeout=250ms", "-t", "5m", "--access-log", "-",
                            "shop.wsgi:app", "-b", "[::1]:80", "--bind=unix:/run/x,y.sock"));
    assert_int_equal(c->workers, 4);
    assert_int_equal(c->threads, 2);
    assert_int_equal(c->timeout, 300 * SECOND);
    assert_string_equal(c->app, "shop.wsgi:app");
    assert_string_equal(c->access_log, "-");
}

static void a_duration_may_be_left_to_a_rule(void **state)
{
    struct testing *t = *state;
    const struct conf *c = conf_of(t->b);

    assert_true(c->shutdown_delay == CONF_AUTO);
    assert_accepted(t, ARGS(t, "--shutdown-delay", "0"));
    assert_int_equal(c->shutdown_delay, 0);
    assert_accepted(t, ARGS(t, "--shutdown-delay=auto"));
    assert_true(c->shutdown_delay == CONF_AUTO);
    assert_refused(t, ARGS(t, "--shutdown-delay", "soon"),
                   "--shutdown-delay: expected auto or a duration such as 30s or 250ms, found \"soon\"");
    assert_refused(t, ARGS(t, "--timeout", "auto"),
                   "--timeout: expected a duration such as 30s or 250ms, found \"auto\"");
}

static void a_list_replaces_the_default_and_grows(void **state)
{
    struct testing *t = *state;
    const struct conf *c = conf_of(t->b);

    assert_accepted(t, ARGS(t, "--bind", "0.0.0.0:80", "-b", ":81", "--trusted-proxies", "10.0.0.0/8, 192.0.2.7,*",
                            "--env", "A=1,2", "--env", "B="));
    assert_int_equal(c->bind.n, 2);
    assert_string_equal(c->bind.items[1], ":81");
    assert_int_equal(c->trusted_proxies.n, 4);
    assert_string_equal(c->trusted_proxies.items[1], "192.0.2.7/32");
    assert_string_equal(c->trusted_proxies.items[2], "0.0.0.0/0");
    assert_string_equal(c->trusted_proxies.items[3], "::/0");
    assert_int_equal(c->env.n, 2);
    assert_string_equal(c->env.items[0], "A=1,2");
}

static void a_list_can_be_emptied(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, ARGS(t, "--bind=", "--tls-bind", ":443", "--certfile", "c", "--keyfile", "k"));
    assert_int_equal(conf_of(t->b)->bind.n, 0);
    assert_accepted(t, conf_finish(t->b, t->error));
}

static void booleans_take_no_value(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, ARGS(t, "--reload"));
    assert_true(conf_of(t->b)->reload);
    assert_accepted(t, ARGS(t, "--no-reload"));
    assert_false(conf_of(t->b)->reload);
    assert_refused(t, ARGS(t, "--reload=yes"), "--reload: takes no value; say --reload or --no-reload");
    assert_refused(t, ARGS(t, "--no-workers"), "--no-workers: no such option; did you mean --workers?");
}

static void two_dashes_end_the_options(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, ARGS(t, "--", "site.wsgi"));
    assert_string_equal(conf_of(t->b)->app, "site.wsgi");
    assert_refused(
        t, ARGS(t, "--", "--workers"),
        "application: expected MODULE or MODULE:CALLABLE such as mysite.wsgi:application, found \"--workers\"");
}

static void applications_look_like_python_names(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, ARGS(t, "a"));
    assert_accepted(t, ARGS(t, "a.b_2:c.d"));
    assert_accepted(t, ARGS(t, "a.b:make(\"x\", y=1)"));
    assert_refused(
        t, ARGS(t, "site/wsgi.py"),
        "application: expected MODULE or MODULE:CALLABLE such as mysite.wsgi:application, found \"site/wsgi.py\"");
    assert_int_equal(ARGS(t, "wsgi.py"), -EINVAL);
    assert_int_equal(ARGS(t, "a:"), -EINVAL);
    assert_int_equal(ARGS(t, "a..b"), -EINVAL);
    assert_int_equal(ARGS(t, ".a"), -EINVAL);
    assert_int_equal(ARGS(t, "a:b(c"), -EINVAL);
    assert_int_equal(ARGS(t, "a:b:c"), -EINVAL);
    assert_int_equal(ARGS(t, "1a"), -EINVAL);
    assert_refused(t, ARGS(t, "one", "two"), "\"two\": one application only, and \"one\" is given already");
}

static void refusals_say_what_was_expected(void **state)
{
    struct testing *t = *state;

    assert_refused(t, ARGS(t, "--workers", "many"), "--workers: expected a number from 0 to 256, found \"many\"");
    assert_accepted(t, ARGS(t, "-w256"));
    assert_int_equal(ARGS(t, "-w257"), -EINVAL);
    assert_accepted(t, ARGS(t, "--queue-timeout", "1ms"));
    assert_refused(t, ARGS(t, "-w300"), "-w: expected a number from 0 to 256, found \"300\"");
    assert_refused(t, ARGS(t, "-w", "-1"), "-w: expected a number from 0 to 256, found \"-1\"");
    assert_refused(t, ARGS(t, "--workers="), "--workers: expected a number from 0 to 256, found nothing");
    assert_refused(t, ARGS(t, "--timeout", "30 sec"),
                   "--timeout: expected a duration such as 30s or 250ms, found \"30 sec\"");
    assert_refused(t, ARGS(t, "--queue-timeout", "0"),
                   "--queue-timeout: expected a duration from 1ms to 1d, found \"0\"");
    assert_refused(t, ARGS(t, "--limit-request-line", "64k"),
                   "--limit-request-line: expected a size from 256 to 32k, found \"64k\"");
    assert_refused(t, ARGS(t, "--log-format", "xml"), "--log-format: expected auto, text or json, found \"xml\"");
    assert_refused(
        t, ARGS(t, "--bind", "8000"),
        "--bind: expected an address such as 127.0.0.1:8000, [::1]:8000, unix:PATH or fd://3, found \"8000\"");
    assert_refused(t, ARGS(t, "--static", "static=x"),
                   "--static: expected URL=DIR such as /static/=var/static, found \"static=x\"");
    assert_refused(t, ARGS(t, "--health-path", "up"),
                   "--health-path: expected a path that begins with a slash, such as /up, found \"up\"");
    assert_refused(t, ARGS(t, "--umask", "888"), "--umask: expected an octal mode from 0 to 777, found \"888\"");
    assert_refused(t, ARGS(t, "--env", "=x"), "--env: expected NAME=value, found \"=x\"");
    assert_refused(
        t, ARGS(t, "--trusted-proxies", "10.0.0.0/33"),
        "--trusted-proxies: expected an address or network such as 192.0.2.7, 10.0.0.0/8 or fd00::/8, or private, "
        "cloudflare or cloudfront, found "
        "\"10.0.0.0/33\"");
    assert_refused(t, ARGS(t, "--user", ""), "--user: expected a text, found nothing");
    assert_refused(t, ARGS(t, "--pid", "a\nb", "--user", "\x1b[1m", "--threads", "\x1b[1m"),
                   "--threads: expected a number from 1 to 1024, found \"\\x1b[1m\"");
    assert_refused(t, ARGS(t, "--workers"), "--workers: needs a value (N)");
    assert_refused(t, ARGS(t, "-b"), "-b: needs a value (ADDR)");
}

static void addresses_have_their_shapes(void **state)
{
    static char *good[] = { "127.0.0.1:0", "localhost:65535", ":80", "[::]:80", "[fe80::1]:8000", "unix:a", "fd://3" };
    static char *bad[] = { "127.0.0.1", "1.2.3.4:65536", "::1:80", "[::1]", "[::g]:80",       "[]:80",    "unix:",
                           "fd://",     "fd://x",        "a b:80", "host:", "[127.0.0.1]:80", "[::1]x:80" };
    struct testing *t = *state;

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_accepted(t, ARGS(t, "--bind", good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(ARGS(t, "--bind", bad[i]), -EINVAL);
}

static void the_nearest_name_is_told(void **state)
{
    struct testing *t = *state;

    assert_refused(t, ARGS(t, "--wokers", "4"), "--wokers: no such option; did you mean --workers?");
    assert_refused(t, ARGS(t, "--worker=4"), "--worker: no such option; did you mean --workers?");
    assert_refused(t, ARGS(t, "--graceful", "4"), "--graceful: no such option; did you mean --graceful-timeout?");
    assert_refused(t, ARGS(t, "--limit", "4"), "--limit: no such option; did you mean --limit-request-line?");
    assert_refused(t, ARGS(t, "--log_level", "info"), "--log_level: no such option; did you mean --log-level?");
    assert_refused(t, ARGS(t, "--limit-request-field_size", "1"),
                   "--limit-request-field_size: no such option; did you mean --limit-request-field-size?");
    assert_refused(t, ARGS(t, "--frobnicate"), "--frobnicate: no such option; `quintet run --help` lists them");
    assert_refused(t, ARGS(t, "-x"), "-x: no such option; `quintet run --help` lists them");
    assert_refused(t, ARGS(t, "--allowed-hosts", "x"),
                   "--allowed-hosts: no such option; `quintet run --help` lists them");
}

static void options_of_other_servers_are_translated(void **state)
{
    struct testing *t = *state;

    assert_refused(t, ARGS(t, "--access-logfile", "-"), "--access-logfile: no such option; use --access-log FILE");
    assert_refused(
        t, ARGS(t, "-k", "gthread"),
        "-k: no such option; there is one kind of worker here; leave it out, and see --workers and --threads");
    assert_refused(t, ARGS(t, "--host=0.0.0.0"), "--host: no such option; use --bind HOST:PORT");
    assert_refused(t, ARGS(t, "--port", "80"), "--port: no such option; use --bind HOST:PORT");
    assert_refused(t, ARGS(t, "--check-config"), "--check-config: no such option; use `quintet check`");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defaults_are_those_of_the_manual),
        TEST(all_gnu_forms_are_read),
        TEST(a_duration_may_be_left_to_a_rule),
        TEST(a_list_replaces_the_default_and_grows),
        TEST(a_list_can_be_emptied),
        TEST(booleans_take_no_value),
        TEST(two_dashes_end_the_options),
        TEST(applications_look_like_python_names),
        TEST(refusals_say_what_was_expected),
        TEST(addresses_have_their_shapes),
        TEST(the_nearest_name_is_told),
        TEST(options_of_other_servers_are_translated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
