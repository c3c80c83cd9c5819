/* Log lines: their shape in both formats, that nothing can forge one, that long ones are cut where they may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"

static char lines[LOG_LONG_MAX + 1];
static size_t n_lines;

static void keep(void *arg, struct str line)
{
    assert_ptr_equal(arg, &n_lines);
    assert_true(line.n > 0 && line.n < sizeof(lines));
    memcpy(lines, line.p, line.n);
    lines[line.n] = '\0';
    n_lines++;
}

static struct log make(enum log_format format)
{
    n_lines = 0;
    lines[0] = '\0';
    return (
        struct log){ .level = LOG_INFO, .format = format, .process = "worker 3", .sink = keep, .sink_arg = &n_lines };
}

/* The line behind the time, which is checked for its form. */
static const char *after_time(size_t at)
{
    assert_true(strlen(lines) > at + CLOCK_ISO_LEN);
    assert_true(lines[at + 10] == 'T' && lines[at + 23] == 'Z');
    return lines + at + CLOCK_ISO_LEN;
}

static void text_lines(void **state)
{
    struct log log = make(LOG_TEXT);

    (void)state;
    log_event(&log, LOG_INFO, "it is \"ready\"", LOG_N("pid", -5), LOG_Z("path", "/a/b"), LOG_Z("why", "two words"),
              LOG_Z("empty", ""), LOG_Z("eq", "a=b"), LOG_Z("back", "a\\b"), LOG_Z("name", "\xc3\xa9"));
    assert_string_equal(after_time(0), " info worker 3: it is \"ready\" pid=-5 path=/a/b why=\"two words\" empty=\"\" "
                                       "eq=\"a=b\" back=\"a\\\\b\" name=\"\xc3\xa9\"\n");
    assert_int_equal(n_lines, 1);
}

static void json_lines(void **state)
{
    struct log log = make(LOG_JSON);

    (void)state;
    log_event(&log, LOG_ALERT, "it is \"ready\"", LOG_N("pid", 5), LOG_Z("why", "two\twords"));
    assert_memory_equal(lines, "{\"time\":\"", 9);
    assert_string_equal(after_time(9), "\",\"level\":\"alert\",\"process\":\"worker 3\",\"message\":\"it is "
                                       "\\\"ready\\\"\",\"pid\":5,\"why\":\"two\\twords\"}\n");
}

static void no_field_is_no_field(void **state)
{
    struct log log = make(LOG_TEXT);

    (void)state;
    log_emit(&log, LOG_WARNING, STR("bare"), NULL);
    assert_string_equal(after_time(0), " warning worker 3: bare\n");
    log_event(&log, LOG_ERROR, "bare");
    assert_string_equal(after_time(0), " error worker 3: bare\n");
    log_printf(&log, LOG_INFO, "%d of %s", 3, "five");
    assert_string_equal(after_time(0), " info worker 3: 3 of five\n");
}

static void nobody_forges_a_line(void **state)
{
    static const char evil[] = "x\n2026-01-31T00:00:00.000Z alert edge: fake\r\x1b[2J\xc2\x9b\x7f\0y";
    enum log_format formats[] = { LOG_TEXT, LOG_JSON };

    (void)state;
    for (int f = 0; f < 2; f++) {
        struct log log = make(formats[f]);
        struct log_field fields[] = { LOG_S("evil", str_make(evil, sizeof(evil) - 1)), LOG_END };

        log_emit(&log, LOG_INFO, str_make(evil, sizeof(evil) - 1), fields);
        for (char *p = lines; *p != '\0'; p++)
            assert_true((unsigned char)*p >= ' ' || (*p == '\n' && p[1] == '\0'));
        assert_null(strstr(lines, "\xc2\x9b"));
        assert_null(strchr(lines, '\x7f'));
        assert_non_null(strstr(lines, "\\u0000y"));
    }
}

static void low_levels_are_dropped(void **state)
{
    struct log log = make(LOG_TEXT);

    (void)state;
    log_event(&log, LOG_DEBUG, "no");
    log_printf(&log, LOG_DEBUG, "no");
    assert_int_equal(n_lines, 0);
    log.level = LOG_ALERT;
    log_event(&log, LOG_ERROR, "no");
    log_event(&log, LOG_ALERT, "yes");
    assert_int_equal(n_lines, 1);
}

static bool ends_with(const char *tail)
{
    return str_ends(str_of(lines), str_of(tail));
}

static void long_lines_are_cut(void **state)
{
    static char longest[2 * LOG_LINE_MAX];
    struct log log = make(LOG_TEXT);

    (void)state;
    memset(longest, 'x', sizeof(longest) - 1);
    log_emit(&log, LOG_INFO, str_of(longest), NULL);
    assert_true(ends_with("xxx...\n"));
    log_printf(&log, LOG_INFO, "%s", longest);
    assert_true(ends_with("xxx...\n"));
    longest[100] = ' ';
    log_event(&log, LOG_INFO, "m", LOG_Z("value", longest), LOG_N("behind", 1));
    assert_true(ends_with("xxx...\"\n"));
    assert_true(strlen(lines) <= LOG_LINE_MAX);
}

/* Whatever length the message and a field have, the JSON stays whole: quotes and braces close. */
static void cut_json_is_json(void **state)
{
    static char text[2 * LOG_LINE_MAX];
    struct log log = make(LOG_JSON);

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t n = LOG_LINE_MAX - 300; n < LOG_LINE_MAX + 20; n++) {
        int quotes = 0;
        struct log_field fields[] = { LOG_S("key", str_make(text, 150)), LOG_N("number", 1234567), LOG_END };

        log_emit(&log, LOG_INFO, str_make(text, n), fields);
        assert_true(ends_with("\"}\n") || ends_with("7}\n"));
        for (char *p = lines; *p != '\0'; p++)
            quotes += *p == '"';
        assert_int_equal(quotes % 2, 0);
        assert_null(strstr(lines, ",\"}"));
        assert_null(strstr(lines, ":}"));
    }
}

/* An event with a long text has it in one line, and a cut one is still JSON. */
static void long_texts(void **state)
{
    static char text[2 * LOG_LONG_MAX];
    struct log log = make(LOG_JSON);
    struct log_field fields[] = { LOG_S("text", str_make(text, 30000)), LOG_END };

    (void)state;
    memset(text, 'x', sizeof(text));
    log_emit_long(&log, LOG_INFO, STR("a stack"), fields);
    assert_true(strlen(lines) > 30000 && ends_with("xx\"}\n"));
    fields[0] = LOG_S("text", str_make(text, sizeof(text)));
    log_emit_long(&log, LOG_INFO, STR("a stack"), fields);
    assert_true(strlen(lines) <= LOG_LONG_MAX && ends_with("xx...\"}\n"));
    log_emit_long(&log, LOG_DEBUG, STR("nothing"), NULL);
    assert_int_equal(n_lines, 2);
}

static void errno_survives(void **state)
{
    struct log log = make(LOG_TEXT);

    (void)state;
    errno = ENOTTY;
    log_event(&log, LOG_INFO, "x");
    assert_int_equal(errno, ENOTTY);
}

static void levels_have_names(void **state)
{
    enum log_level level;

    (void)state;
    for (int i = LOG_DEBUG; i <= LOG_ALERT; i++) {
        assert_int_equal(log_level_parse(str_of(log_level_name((enum log_level)i)), &level), 0);
        assert_int_equal(level, i);
    }
    assert_int_equal(log_level_parse(STR("warn"), &level), -EINVAL);
    assert_int_equal(log_level_parse(STR(""), &level), -EINVAL);
}

static void what_happens_often_is_said_seldom(void **state)
{
    struct log_seldom seldom = { 0 };
    uint64_t minute = 60 * NS_PER_SEC, start = 5;

    (void)state;
    assert_int_equal(log_seldom(&seldom, start), 1);
    for (int i = 0; i < 10; i++)
        assert_int_equal(log_seldom(&seldom, start + minute - 1), 0);
    assert_int_equal(log_seldom(&seldom, start + minute), 11);
    assert_int_equal(log_seldom(&seldom, start + minute + 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_lines),
        cmocka_unit_test(json_lines),
        cmocka_unit_test(no_field_is_no_field),
        cmocka_unit_test(nobody_forges_a_line),
        cmocka_unit_test(low_levels_are_dropped),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(cut_json_is_json),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(errno_survives),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(what_happens_often_is_said_seldom),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
