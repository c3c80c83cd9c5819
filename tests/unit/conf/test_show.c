/* What `quintet config` and --help print: from the table, complete, and without secrets. */
#include "conf_testing.h"

#include <jansson.h>
#include <string.h>

#include "conf/help.h"
#include "conf/options.h"

#define OUT_MAX (1u << 20)

static bool contains(const struct buf *text, const char *piece)
{
    return memmem(text->data, text->len, piece, strlen(piece)) != NULL;
}

static void configure(struct testing *t)
{
    assert_accepted(t, ARGS(t, "--workers", "4", "--env", "KEY=hush"));
    assert_accepted(t, ENV(t, "QUINTET_TIMEOUT=5m"));
    assert_accepted(t, YAML(t, "\nbind:\n - :80\n - :81\n"));
    assert_accepted(t, SET(t, "static", "/static/=/srv/static"));
}

static void the_table_says_where_from(void **state)
{
    struct testing *t = *state;
    struct buf out;

    buf_init(&out, OUT_MAX);
    configure(t);
    assert_int_equal(conf_show_table(t->b, &out), 0);
    assert_true(contains(&out, "OPTION                        VALUE                               FROM\n"));
    assert_true(contains(&out, "workers                       4                                   command line\n"));
    assert_true(contains(
        &out, "timeout                       5m                                  environment QUINTET_TIMEOUT\n"));
    assert_true(contains(&out, "bind                          :80, :81                            quintet.yaml:3\n"));
    assert_true(contains(&out, "static                        /static/=/srv/static                Django settings\n"));
    assert_true(contains(&out, "threads                       1                                   default\n"));
    assert_true(contains(&out, "tls_bind                      (none)                              default\n"));
    assert_true(contains(&out, "KEY=***"));
    assert_false(contains(&out, "hush"));
    buf_fini(&out);
}

static void a_long_value_is_not_cut(void **state)
{
    struct testing *t = *state;
    struct buf out;

    buf_init(&out, OUT_MAX);
    assert_accepted(t, ARGS(t, "--static", "/static/=/srv/a/very/long/path/to/the/static/files"));
    assert_int_equal(conf_show_table(t->b, &out), 0);
    assert_true(contains(&out, "/static/=/srv/a/very/long/path/to/the/static/files  command line\n"));
    buf_fini(&out);
}

static const char *text_at(json_t *all, const char *name, const char *key)
{
    return json_string_value(json_object_get(json_object_get(all, name), key));
}

static void the_json_has_types(void **state)
{
    struct testing *t = *state;
    struct buf out;
    json_t *all;

    buf_init(&out, OUT_MAX);
    configure(t);
    assert_int_equal(conf_show_json(t->b, &out), 0);
    all = json_loadb(out.data, out.len, 0, NULL);
    assert_non_null(all);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(all, "workers"), "value")), 4);
    assert_string_equal(text_at(all, "workers", "from"), "command line");
    assert_string_equal(text_at(all, "timeout", "value"), "5m");
    assert_true(json_is_false(json_object_get(json_object_get(all, "debug"), "value")));
    assert_true(json_is_null(json_object_get(json_object_get(all, "user"), "value")));
    assert_int_equal(json_array_size(json_object_get(json_object_get(all, "bind"), "value")), 2);
    assert_false(contains(&out, "hush"));
    json_decref(all);
    buf_fini(&out);
}

/* With every "#key" line made active, the example file is a configuration that says what is the default anyway. */
static void the_example_file_can_be_used(void **state)
{
    struct testing *t = *state;
    struct buf out, active;
    struct str rest, line;

    buf_init(&out, OUT_MAX);
    buf_init(&active, OUT_MAX);
    assert_int_equal(conf_show_defaults(&out), 0);
    rest = buf_str(&out);
    while (rest.n) {
        line = str_split(&rest, '\n');
        if (line.n > 1 && line.p[0] == '#' && line.p[1] != ' ' && line.p[1] != '#')
            line = str_cut(line, 1, line.n);
        else if (str_starts(line, STR("#  - ")))
            line = str_cut(line, 1, line.n);
        assert_int_equal(buf_add_str(&active, line), 0);
        assert_int_equal(buf_add_char(&active, '\n'), 0);
    }
    assert_accepted(t, yaml_reader_read(t->b, "quintet.yaml", buf_str(&out), t->error));
    assert_accepted(t, yaml_reader_read(t->b, "quintet.yaml", buf_str(&active), t->error));
    assert_string_equal(conf_of(t->b)->user, "www-data");
    assert_accepted(t, conf_finish(t->b, t->error));
    buf_fini(&out);
    buf_fini(&active);
}

/* Columns on a terminal: UTF-8 continuation bytes take none. */
static size_t width(struct str line)
{
    size_t n = 0;

    for (size_t i = 0; i < line.n; i++)
        n += ((unsigned char)line.p[i] & 0xc0) != 0x80;
    return n;
}

static void the_help_fits_and_is_complete(void **state)
{
    struct buf out;
    struct str rest;

    buf_init(&out, OUT_MAX);
    assert_int_equal(conf_help(&out), 0);
    for (size_t i = 0; i < option_count; i++) {
        char name[OPTION_NAME_MAX];
        bool listed = option_is_public(&option_table[i]) && !option_is(&option_table[i], OPTION_POSITIONAL);

        option_spell(&option_table[i], OPTION_SPELL_ARGUMENT, name);
        assert_true(!listed || contains(&out, name));
    }
    assert_true(contains(&out, "\n  -w, --workers N            worker processes [0: number of cores]\n"));
    rest = buf_str(&out);
    while (rest.n) {
        struct str line = str_split(&rest, '\n');

        assert_true(width(line) <= 80);
        assert_false(str_ends(line, STR(" ")));
    }
    buf_fini(&out);
}

static void a_reload_says_what_it_cannot_change(void **state)
{
    struct testing *t = *state;
    struct conf_builder *running = conf_builder_new();
    struct buf out;

    buf_init(&out, OUT_MAX);
    assert_accepted(t, ARGS(t, "--workers", "7"));
    assert_int_equal(conf_restart_needed(running, t->b, &out), 0);
    assert_int_equal(out.len, 0);
    assert_accepted(t, ARGS(t, "--bind", ":80", "--user", "nobody"));
    assert_int_equal(conf_restart_needed(running, t->b, &out), 0);
    assert_true(str_eq(buf_str(&out), STR("bind, user")));
    buf_clear(&out);
    assert_accepted(t, ARGS(t, "--threads", "2", "--max-requests", "5", "--keep-alive", "5s"));
    assert_int_equal(conf_workers_needed(running, t->b, &out), 0);
    assert_true(str_eq(buf_str(&out), STR("workers, threads, max_requests")));
    buf_fini(&out);
    conf_builder_free(running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_table_says_where_from),
        TEST(a_long_value_is_not_cut),
        TEST(the_json_has_types),
        TEST(the_example_file_can_be_used),
        TEST(the_help_fits_and_is_complete),
        TEST(a_reload_says_what_it_cannot_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
