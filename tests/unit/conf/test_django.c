/* The answer of the settings' inspection: what it sets, what it outranks, and answers nobody should give. */
#include "conf_testing.h"

#include <string.h>

#include "conf/django.h"

#define READ(t, json) django_read((t)->b, str_of(json), &answer, (t)->error)

static struct django_answer answer;

static void options_and_findings_are_read(void **state)
{
    struct testing *t = *state;
    const struct conf *c = conf_of(t->b);

    assert_accepted(t, ARGS(t, "--media", "/m/=mine"));
    assert_accepted(
        t, READ(t, "{\"found\": true, \"facts\": {\"django\": \"5.2\"}, \"options\": {\"app\": \"a.wsgi:application\","
                   "\"static\": [\"/s/=/srv/s\"], \"media\": [\"/m/=/srv/m\"], \"allowed_hosts\": [\"a\", \"b\"],"
                   "\"debug\": true, \"nosniff\": false, \"hsts\": \"max-age=1\"}, \"findings\": ["
                   "{\"id\": \"x\", \"level\": \"error\", \"what\": \"w\", \"mend\": \"m\"},"
                   "{\"id\": \"y\", \"level\": \"warning\", \"what\": \"v\", \"mend\": \"n\"}]}"));
    assert_true(answer.found);
    assert_string_equal(answer.version, "5.2");
    assert_int_equal(answer.n_findings, 2);
    assert_true(answer.findings[0].error && !answer.findings[1].error);
    assert_string_equal(answer.findings[1].id, "y");
    assert_string_equal(answer.findings[1].what, "v");
    assert_string_equal(answer.findings[1].mend, "n");
    assert_string_equal(c->app, "a.wsgi:application");
    assert_string_equal(c->static_map.items[0], "/s/=/srv/s");
    assert_string_equal(c->media_map.items[0], "/m/=mine");
    assert_int_equal(c->allowed_hosts.n, 2);
    assert_true(c->debug && !c->nosniff);
    assert_string_equal(c->hsts, "max-age=1");
    django_answer_fini(&answer);
}

static void no_project_is_no_error(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, READ(t, "{\"found\": false, \"why\": \"no manage.py\"}"));
    assert_false(answer.found);
    assert_string_equal(answer.why, "no manage.py");
    django_answer_fini(&answer);
}

static void an_odd_answer_is_refused(void **state)
{
    struct testing *t = *state;

    assert_int_equal(READ(t, "not json"), -EINVAL);
    assert_non_null(strstr(t->error, "Django settings: the answer is not JSON: "));
    assert_int_equal(READ(t, ""), -EINVAL);
    assert_refused(t, READ(t, "[]"), "Django settings: the answer does not say whether a project was found");
    assert_refused(t, READ(t, "{\"found\": false}"),
                   "Django settings: the answer does not say why no project was found");
    assert_refused(t, READ(t, "{\"found\": true, \"options\": {}}"), "Django settings: expected at most 64 findings");
    assert_refused(t, READ(t, "{\"found\": true, \"findings\": []}"), "Django settings: the answer has no options");
    assert_refused(t, READ(t, "{\"found\": true, \"findings\": [{\"id\": \"x\"}], \"options\": {}}"),
                   "Django settings: a finding is incomplete");
    assert_refused(t, READ(t, "{\"found\": true, \"findings\": [], \"options\": {\"debug\": 1}}"),
                   "Django settings: debug: expected a text, a boolean or a list of texts");
    assert_refused(t, READ(t, "{\"found\": true, \"findings\": [], \"options\": {\"debug\": [true]}}"),
                   "Django settings: debug: expected one value");
    assert_refused(t, READ(t, "{\"found\": true, \"findings\": [], \"options\": {\"hsts\": \"a\\r\\nb\"}}"),
                   "Django settings: hsts: expected printable ASCII text, found \"a\\x0d\\x0ab\"");
    assert_refused(t, READ(t, "{\"found\": true, \"findings\": [], \"options\": {\"statics\": [\"x\"]}}"),
                   "Django settings: statics: no such option; did you mean static?");
    assert_int_equal(answer.n_findings, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(options_and_findings_are_read),
        TEST(no_project_is_no_error),
        TEST(an_odd_answer_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
