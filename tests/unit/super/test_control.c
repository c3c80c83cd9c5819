/* What a client of the control socket may ask. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "super/control.h"
#include "super/pause.h"

static struct why why;

static void good(const char *line, enum control_command expected)
{
    struct control_request request = { .command = (enum control_command)99 };

    assert_int_equal(control_parse(str_of(line), &request, &why), 0);
    assert_int_equal(request.command, expected);
}

static void bad(struct str line, const char *text)
{
    struct control_request request;

    why.text[0] = '\0';
    assert_int_equal(control_parse(line, &request, &why), -EINVAL);
    if (strncmp(why.text, text, strlen(text)) != 0)
        fail_msg("expected \"%s...\", found \"%s\"", text, why.text);
}

static void test_commands(void **state)
{
    good("{\"command\":\"status\"}", CONTROL_STATUS);
    good("{\"command\":\"reload\"}", CONTROL_RELOAD);
    good(" {\"command\" : \"stop\", \"later\": [1, {}]} ", CONTROL_STOP);
}

static void test_pause(void **state)
{
    struct control_request request;

    good("{\"command\":\"resume\"}", CONTROL_RESUME);
    assert_int_equal(control_parse(STR("{\"command\":\"pause\"}"), &request, &why), 0);
    assert_true(request.max_ns == PAUSE_DEFAULT_NS);
    assert_int_equal(control_parse(STR("{\"command\":\"pause\",\"max\":1.5}"), &request, &why), 0);
    assert_true(request.max_ns == 1500 * NS_PER_MS);
    bad(STR("{\"command\":\"pause\",\"max\":0}"), "a pause lasts");
    bad(STR("{\"command\":\"pause\",\"max\":-1}"), "a pause lasts");
    bad(STR("{\"command\":\"pause\",\"max\":1e9}"), "a pause lasts");
    bad(STR("{\"command\":\"pause\",\"max\":\"30s\"}"), "a pause lasts");
}

static void test_refused(void **state)
{
    bad(STR(""), "not JSON");
    bad(STR("status"), "not JSON");
    bad(STR("{\"command\":\"status\"} {}"), "not JSON");
    bad(STR("{\"command\":\"status\",\"command\":\"stop\"}"), "not JSON");
    bad(STR("{\"command\":\"st\0op\"}"), "not JSON");
    bad(STR("[]"), "expected {\"command\"");
    bad(STR("{}"), "expected {\"command\"");
    bad(STR("{\"command\":1}"), "expected {\"command\"");
    bad(STR("{\"command\":\"\"}"), "no such command: ");
    bad(STR("{\"command\":\"stopp\"}"), "no such command: stopp");
    bad(STR("{\"command\":\"stop\\u0000x\"}"), "not JSON");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
