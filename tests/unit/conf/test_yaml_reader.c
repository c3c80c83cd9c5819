/* quintet.yaml: what is read, and where errors are said to be. */
#include "conf_testing.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DURATION "expected a duration such as 30s or 250ms"

static void values_take_the_type_of_their_option(void **state)
{
    struct testing *t = *state;
    const struct conf *c = conf_of(t->b);

    assert_accepted(t, YAML(t, "# a comment\n"
                               "app: shop.wsgi\n"
                               "workers: 4\n"
                               "timeout: 45s\n"
                               "max_body_size: '1g'\n"
                               "access_log: off\n"
                               "pid: 010\n"
                               "bind:\n  - 127.0.0.1:80\n  - '[::1]:80'\n"
                               "certfile: one.pem\n"
                               "keyfile: [one.key]\n"
                               "trusted_proxies: 10.0.0.0/8, 10.1.0.0/16\n"));
    assert_string_equal(c->app, "shop.wsgi");
    assert_int_equal(c->workers, 4);
    assert_int_equal(c->timeout, 45 * SECOND);
    assert_int_equal(c->max_body_size, 1 << 30);
    assert_string_equal(c->access_log, "off");
    assert_string_equal(c->pid, "010");
    assert_int_equal(c->bind.n, 2);
    assert_string_equal(c->bind.items[1], "[::1]:80");
    assert_string_equal(c->certfile.items[0], "one.pem");
    assert_string_equal(c->keyfile.items[0], "one.key");
    assert_int_equal(c->trusted_proxies.n, 2);
}

static void empty_files_say_nothing(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, YAML(t, ""));
    assert_accepted(t, YAML(t, "# only this\n"));
    assert_accepted(t, YAML(t, "---\n"));
    assert_accepted(t, YAML(t, "{}\n"));
    assert_accepted(t, YAML(t, "\xef\xbb\xbfworkers: 2\n"));
    assert_int_equal(conf_of(t->b)->workers, 2);
    assert_accepted(t, YAML(t, "bind: []\n"));
    assert_int_equal(conf_of(t->b)->bind.n, 0);
}

static void errors_have_line_and_column(void **state)
{
    struct testing *t = *state;

    assert_refused(t, YAML(t, "workers: 4\n\n\n\n\n\ntimeout:   30 sec\n"),
                   "quintet.yaml:7:12: timeout: " DURATION ", found \"30 sec\"");
    assert_refused(t, YAML(t, "workers: 2\nwokers: 4\n"),
                   "quintet.yaml:2:1: \"wokers\": no such option; did you mean workers?");
    assert_refused(t, YAML(t, "graceful-timeout: 4\n"),
                   "quintet.yaml:1:1: \"graceful-timeout\": no such option; did you mean graceful_timeout?");
    assert_refused(t, YAML(t, "access_logfile: 4\n"),
                   "quintet.yaml:1:1: \"access_logfile\": no such option; use --access-log FILE");
    assert_refused(t, YAML(t, "debug: yes\n"),
                   "quintet.yaml:1:1: \"debug\": no such option; `quintet run --help` lists them");
    assert_refused(t, YAML(t, "static:\n  - /a/=b\n  - c\n"),
                   "quintet.yaml:3:5: static: expected URL=DIR such as /static/=var/static, found \"c\"");
    assert_refused(t, YAML(t, "workers: 1\nworkers: 2\n"), "quintet.yaml:2:1: workers: is given twice");
    assert_refused(t, YAML(t, "config: x\n"), "quintet.yaml:1:1: config: cannot be set in the file itself");
}

static void nothing_is_not_a_value(void **state)
{
    struct testing *t = *state;

    assert_refused(t, YAML(t, "timeout:\n"), "quintet.yaml:1:9: timeout: " DURATION ", found nothing");
    assert_refused(t, YAML(t, "timeout: ~\n"), "quintet.yaml:1:10: timeout: " DURATION ", found nothing");
    assert_refused(t, YAML(t, "log: null\n"), "quintet.yaml:1:6: log: expected a path, found nothing");
    assert_refused(t, YAML(t, "certfile: ['']\n"), "quintet.yaml:1:12: certfile: expected a path, found nothing");
}

static void other_shapes_are_refused(void **state)
{
    struct testing *t = *state;

    assert_refused(t, YAML(t, "timeout: [1, 2]\n"), "quintet.yaml:1:10: timeout: " DURATION ", found a list");
    assert_refused(t, YAML(t, "timeout: {a: 1}\n"), "quintet.yaml:1:10: timeout: " DURATION ", found a mapping");
    assert_refused(t, YAML(t, "certfile: [[a]]\n"), "quintet.yaml:1:12: certfile: expected a path, found a list");
    assert_refused(t, YAML(t, "- workers\n"),
                   "quintet.yaml:1:1: expected a mapping of options to values, such as \"workers: 4\"");
    assert_refused(t, YAML(t, "workers\n"),
                   "quintet.yaml:1:1: expected a mapping of options to values, such as \"workers: 4\"");
    assert_refused(t, YAML(t, "[a]: 1\n"), "quintet.yaml:1:1: expected the name of an option");
    assert_refused(t, YAML(t, "? [a]\n: 1\n"), "quintet.yaml:1:3: expected the name of an option");
    assert_refused(t, YAML(t, "workers: 1\n---\nworkers: 2\n"), "quintet.yaml:2:1: expected one document only");
    assert_refused(t, YAML(t, "pid: \"a\\0b\"\n"), "quintet.yaml:1:6: pid: expected a path, found \"a\\x00b\"");
}

static void anchors_aliases_and_tags_are_refused(void **state)
{
    struct testing *t = *state;

    assert_refused(t, YAML(t, "workers: &w 1\nthreads: *w\n"),
                   "quintet.yaml:1:10: anchors and tags are not allowed here");
    assert_refused(t, YAML(t, "workers: *w\n"), "quintet.yaml:1:10: aliases are not allowed here");
    assert_refused(t, YAML(t, "workers: !!int 1\n"), "quintet.yaml:1:10: anchors and tags are not allowed here");
    assert_refused(t, YAML(t, "bind: &b [a]\n"), "quintet.yaml:1:7: anchors and tags are not allowed here");
    assert_refused(t, YAML(t, "bind: [&b a]\n"), "quintet.yaml:1:8: anchors and tags are not allowed here");
    assert_refused(t, YAML(t, "&a {}\n"), "quintet.yaml:1:1: anchors and tags are not allowed here");
}

static void what_is_not_yaml_is_refused_with_its_place(void **state)
{
    struct testing *t = *state;

    assert_int_equal(YAML(t, "workers: 1\n\tthreads: 2\n"), -EINVAL);
    assert_non_null(strstr(t->error, "quintet.yaml:2:1: not valid YAML: "));
    assert_refused(t, YAML(t, "log: -\n"),
                   "quintet.yaml:1:6: not valid YAML: block sequence entries are not allowed in this context; a lone - "
                   "needs quotes: \"-\"");
    assert_int_equal(YAML(t, "trusted_proxies: *\n"), -EINVAL);
    assert_non_null(strstr(t->error, "; a value with * needs quotes: \"*\""));
    assert_int_equal(YAML(t, "routes:\n\t- path: /a\n"), -EINVAL);
    assert_non_null(strstr(t->error, "quintet.yaml:2:1: not valid YAML: "));
    assert_non_null(strstr(t->error, "; indent with spaces, not tabs"));
    assert_int_equal(YAML(t, "app: a: b\n"), -EINVAL);
    assert_non_null(strstr(t->error, "; the line is indented too far, or a value with \": \" in it needs quotes"));
    assert_int_equal(YAML(t, "bind: [unix:a\n"), -EINVAL);
    assert_non_null(strstr(t->error, "quintet.yaml:2:1: not valid YAML: "));
    assert_int_equal(YAML(t, "workers: 1\nlog: a\xff\n"), -EINVAL);
    assert_non_null(strstr(t->error, "quintet.yaml:2:7: not valid YAML: "));
}

static void depth_costs_nothing(void **state)
{
    struct testing *t = *state;
    char *deep = malloc(1 << 20);

    memset(deep, '[', (1 << 20) - 1);
    deep[(1 << 20) - 1] = '\0';
    assert_int_equal(YAML(t, deep), -EINVAL);
    memcpy(deep, "bind: ", 6);
    assert_int_equal(YAML(t, deep), -EINVAL);
    free(deep);
}

static int read_file(struct testing *t, const char *path, bool must_exist)
{
    return conf_read_file(t->b, path, must_exist, t->error);
}

static void a_file_that_is_missing_matters_when_named(void **state)
{
    struct testing *t = *state;

    assert_accepted(t, read_file(t, "/nonexistent/quintet.yaml", false));
    assert_refused(t, read_file(t, "/nonexistent/quintet.yaml", true),
                   "/nonexistent/quintet.yaml: cannot be read: No such file or directory");
    assert_refused(t, read_file(t, "/", false), "/: cannot be read: Is a directory");
}

static void write_file(const char *path, size_t comment_bytes)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs("workers: 5\n", file);
    for (size_t i = 0; i < comment_bytes; i++)
        fputc('#', file);
    assert_int_equal(fclose(file), 0);
}

static void a_file_has_a_largest_size(void **state)
{
    struct testing *t = *state;
    char path[] = "/tmp/quintet-test-XXXXXX", expected[128];
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    write_file(path, (1 << 20) - 11);
    assert_accepted(t, read_file(t, path, true));
    assert_int_equal(conf_of(t->b)->workers, 5);
    write_file(path, (1 << 20) - 10);
    snprintf(expected, sizeof(expected), "%s: larger than 1048576 bytes", path);
    assert_refused(t, read_file(t, path, true), expected);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_take_the_type_of_their_option),
        TEST(empty_files_say_nothing),
        TEST(errors_have_line_and_column),
        TEST(nothing_is_not_a_value),
        TEST(other_shapes_are_refused),
        TEST(anchors_aliases_and_tags_are_refused),
        TEST(what_is_not_yaml_is_refused_with_its_place),
        TEST(depth_costs_nothing),
        TEST(a_file_that_is_missing_matters_when_named),
        TEST(a_file_has_a_largest_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
