/* The configuration on its way to the edge: everything arrives, secrets do not, and a broken text is refused. */
#include "conf_testing.h"

#include <string.h>

static void load(struct testing *t, struct buf *out)
{
    buf_init(out, 1 << 20);
    assert_accepted(t, ARGS(t, "-w", "3", "--timeout", "1500ms", "--max-body-size", "3g", "--env", "SECRET=hush",
                            "--env-file", "/etc/secret", "--log", "a\\b\nc", "--log-format", "text",
                            "--trusted-proxies", "*"));
    assert_accepted(t, SET(t, "hsts", "max-age=1; preload"));
    assert_accepted(t, SET(t, "debug", "yes"));
    assert_accepted(t, SET(t, "nosniff", "no"));
    assert_int_equal(conf_write(t->b, out), 0);
}

static void everything_arrives(void **state)
{
    struct testing *t = *state;
    struct conf_builder *read = NULL;
    const struct conf *c;
    struct buf text;

    load(t, &text);
    assert_int_equal(conf_read(buf_str(&text), &read), 0);
    c = conf_of(read);
    assert_int_equal(c->workers, 3);
    assert_int_equal(c->timeout, 1500 * UINT64_C(1000000));
    assert_int_equal(c->max_body_size, UINT64_C(3) << 30);
    assert_string_equal(c->log, "a\\b\nc");
    assert_int_equal(c->log_format, CONF_LOG_TEXT);
    assert_int_equal(c->trusted_proxies.n, 2);
    assert_string_equal(c->bind.items[0], "127.0.0.1:8000");
    assert_string_equal(c->hsts, "max-age=1; preload");
    assert_true(c->debug);
    assert_false(c->nosniff);
    assert_null(c->app);
    conf_builder_free(read);
    buf_fini(&text);
}

static void what_is_empty_stays_empty(void **state)
{
    struct testing *t = *state;
    struct conf_builder *read = NULL;
    struct buf text;

    buf_init(&text, 1 << 20);
    assert_accepted(t, ARGS(t, "--bind="));
    assert_int_equal(conf_write(t->b, &text), 0);
    assert_int_equal(conf_read(buf_str(&text), &read), 0);
    assert_int_equal(conf_of(read)->bind.n, 0);
    conf_builder_free(read);
    buf_fini(&text);
}

static void secrets_stay_at_home(void **state)
{
    struct testing *t = *state;
    struct buf text;

    load(t, &text);
    assert_null(memmem(text.data, text.len, "hush", 4));
    assert_null(memmem(text.data, text.len, "/etc/secret", 11));
    buf_fini(&text);
}

/* Replaces the first `from` in the good text, or appends `to` when from is NULL: the result must be refused. */
static void refuse_changed(struct testing *t, const char *from, const char *to)
{
    struct conf_builder *read = NULL;
    struct buf text, changed;
    const char *at;

    buf_init(&text, 1 << 20);
    buf_init(&changed, 1 << 20);
    assert_int_equal(conf_write(t->b, &text), 0);
    at = from ? memmem(text.data, text.len, from, strlen(from)) : text.data + text.len;
    assert_non_null(at);
    assert_int_equal(buf_add(&changed, text.data, (size_t)(at - text.data)), 0);
    assert_int_equal(buf_add_str(&changed, str_of(to)), 0);
    at += from ? strlen(from) : 0;
    assert_int_equal(buf_add(&changed, at, (size_t)(text.data + text.len - at)), 0);
    assert_int_equal(conf_read(buf_str(&changed), &read), -EPROTO);
    assert_null(read);
    buf_fini(&text);
    buf_fini(&changed);
}

static void a_broken_text_is_refused(void **state)
{
    struct testing *t = *state;
    struct conf_builder *read = NULL;

    refuse_changed(t, "workers 0\n", "");
    refuse_changed(t, "workers 0\n", "workers 300\n");
    refuse_changed(t, "workers 0\n", "workers 0\nworkers 1\n");
    refuse_changed(t, "workers 0\n", "workers\n");
    refuse_changed(t, "nosniff yes\n", "");
    refuse_changed(t, NULL, "nonsense 1\n");
    refuse_changed(t, NULL, "env A=b\n");
    refuse_changed(t, NULL, "preload yes\n");
    refuse_changed(t, NULL, "pid a\\x0\n");
    refuse_changed(t, NULL, "pid a\\y00\n");
    refuse_changed(t, NULL, "pid a\\x00b\n");
    refuse_changed(t, NULL, "pid a\tb\n");
    refuse_changed(t, NULL, "pid \n");
    refuse_changed(t, NULL, "hsts a\\x0ab\n");
    refuse_changed(t, NULL, "\n");
    assert_int_equal(conf_read(STR(""), &read), -EPROTO);
}

/* Between two versions: unknown names are left out, what is missing or not understood any more has its default. */
static void an_old_text_is_read_leniently(void **state)
{
    struct conf_builder *b = conf_read_old(STR("workers 3\nno_such_option 1\nbind 127.0.0.1:1\nbind 127.0.0.1:2\n"
                                               "threads many\nqueue-size\npid a\\x0\nworkers 4\nhsts max-age=1\n\n"));
    const struct conf *c = conf_of(b);

    assert_int_equal(c->workers, 3);
    assert_int_equal(c->bind.n, 2);
    assert_string_equal(c->bind.items[1], "127.0.0.1:2");
    assert_int_equal(c->threads, 1);
    assert_int_equal(c->queue_size, 1024);
    assert_null(c->pid);
    assert_string_equal(c->hsts, "max-age=1");
    conf_builder_free(b);
    b = conf_read_old(STR(""));
    assert_int_equal(conf_of(b)->bind.n, 1);
    conf_builder_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_arrives),       TEST(what_is_empty_stays_empty),     TEST(secrets_stay_at_home),
        TEST(a_broken_text_is_refused), TEST(an_old_text_is_read_leniently),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
