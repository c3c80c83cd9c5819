/* The access log: whatever a client sends, a line is a line, whole and of its form. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/access_log.h"
#include "edge/exchange.h"
#include "rig.h"

#define LONG 8000

struct logged {
    struct rig rig;
    int file; /* what the sink writes to, ours */
    char *text;
};

static void open_log(struct logged *l, bool json)
{
    memset(l, 0, sizeof(*l));
    rig_init(&l->rig, "health_path", "/up");
    l->file = memfd_create("log", MFD_CLOEXEC);
    {
        struct sink *sink;

        assert_int_equal(sink_new(dup(l->file), &sink), 0);
        l->rig.edge.access_sink = sink;
    }
    l->rig.edge.access_json = json;
}

/* The one line that was written. */
static const char *line_of(struct logged *l)
{
    size_t size = 1 << 20;
    ssize_t n;

    assert_int_equal(sink_flush(l->rig.edge.access_sink, 10 * NS_PER_SEC), 0);
    l->text = mem_zalloc(size);
    n = pread(l->file, l->text, size - 1, 0);
    assert_true(n > 0);
    assert_int_equal(l->text[n - 1], '\n');
    assert_ptr_equal(strchr(l->text, '\n'), l->text + n - 1);
    for (ssize_t i = 0; i < n - 1; i++)
        assert_true((unsigned char)l->text[i] >= ' ');
    return l->text;
}

static void close_log(struct logged *l)
{
    sink_free(l->rig.edge.access_sink);
    l->rig.edge.access_sink = NULL;
    close(l->file);
    mem_free(l->text);
    rig_fini(&l->rig);
}

static void ask(struct logged *l, const char *request, size_t n)
{
    int client = rig_connect(&l->rig);

    mem_free(rig_talk(&l->rig, client, request, n));
    close(client);
    mem_free(rig_read(&l->rig, client));
}

/* Long values of the byte in all that is logged. */
static void ask_with(struct logged *l, char byte)
{
    char *request = mem_alloc(4 * LONG), value[LONG / 2 + 1];
    int n;

    memset(value, byte, sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    n = snprintf(request, 4 * LONG, "GET /up?%s HTTP/1.1\r\nHost: x\r\nReferer: a%sz\r\nUser-Agent: a%sz\r\n\r\n",
                 byte > ' ' ? value : "q", value, value);
    ask(l, request, (size_t)n);
    mem_free(request);
}

static const char bytes[] = { '"', '\\', '\t', '\xff', '\x80', 'x', '<' };

static void a_text_line_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        struct logged l;
        const char *line, *at;
        unsigned quotes = 0;

        open_log(&l, false);
        ask_with(&l, bytes[i]);
        line = line_of(&l);
        for (at = line; *at != '\0'; at++)
            quotes += *at == '"';
        assert_int_equal(quotes, 6); /* request, referer, user agent */
        assert_non_null(strstr(line, "ms\n"));
        assert_non_null(strstr(line, "\" 200 3 \""));
        assert_true(strncmp(line, "- - - [", 7) == 0);
        close_log(&l);
    }
}

static void a_json_line_is_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        struct logged l;
        json_t *json;
        json_error_t error;

        open_log(&l, true);
        ask_with(&l, bytes[i]);
        json = json_loads(line_of(&l), JSON_REJECT_DUPLICATES, &error);
        if (json == NULL)
            fail_msg("%s: %s", error.text, l.text);
        assert_int_equal(json_integer_value(json_object_get(json, "status")), 200);
        assert_int_equal(strlen(json_string_value(json_object_get(json, "request_id"))), EXCHANGE_ID_LEN);
        assert_string_equal(json_string_value(json_object_get(json, "host")), "x");
        json_decref(json);
        close_log(&l);
    }
}

static void refused_requests_are_logged_too(void **state)
{
    static const char *const requests[] = { "G\"E\nT / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\n\n",
                                            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        for (int json = 0; json < 2; json++) {
            struct logged l;
            const char *line;

            open_log(&l, json);
            ask(&l, requests[i], strlen(requests[i]));
            line = line_of(&l);
            assert_non_null(strstr(line, json ? "\"status\":400" : "\" 400 "));
            close_log(&l);
        }
    }
}

static void a_client_that_left_is_499(void **state)
{
    struct logged l;
    const char *request = "GET /app HTTP/1.1\r\nHost: x\r\n\r\n";
    int client;

    (void)state;
    open_log(&l, true);
    client = rig_connect(&l.rig);
    mem_free(rig_talk(&l.rig, client, request, strlen(request)));
    close(client);
    mem_free(rig_read(&l.rig, client));
    assert_non_null(strstr(line_of(&l), "\"status\":499"));
    close_log(&l);
}

/* What is not known is empty, and at NULL: nothing to copy from (UBSan looks). */
static void what_is_not_known_is_empty(void **state)
{
    (void)state;
    for (int json = 0; json < 2; json++) {
        struct exchange ex;
        struct logged l;

        open_log(&l, json);
        exchange_init(&ex, l.rig.lane);
        exchange_begin(&ex);
        access_log_write(&ex);
        assert_non_null(strstr(line_of(&l), json ? ",\"client\":\"\"," : "\"-\"  "));
        exchange_fini(&ex);
        close_log(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_line_is_whole),
        cmocka_unit_test(a_json_line_is_json),
        cmocka_unit_test(refused_requests_are_logged_too),
        cmocka_unit_test(a_client_that_left_is_499),
        cmocka_unit_test(what_is_not_known_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
