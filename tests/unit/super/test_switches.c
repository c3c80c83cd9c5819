/* What may stand behind a command's name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "super/switches.h"

static char error[SWITCHES_ERROR_MAX];

static const struct switches_known reload = { .edge = true };
static const struct switches_known pause_knows = { .max = true };
static const struct switches_known config = { .json = true, .defaults = true, .options = true };
static const struct switches_known stop;

/* 0 or a negative errno; the words are those that the switches leave. */
#define CHECK(name, known, ...) check(name, known, (char *[]){ name, __VA_ARGS__, NULL })

static int check(const char *name, const struct switches_known *known, char **argv)
{
    struct command_switches found = { 0 };
    int argc = 0;

    while (argv[argc] != NULL)
        argc++;
    error[0] = '\0';
    (void)switches_take(known, &argc, argv, &found);
    return switches_check(name, known, argc, argv, error);
}

#define REFUSED(text, name, known, ...)                                                                                \
    do {                                                                                                               \
        assert_int_not_equal(CHECK(name, known, __VA_ARGS__), 0);                                                      \
        assert_string_equal(error, text);                                                                              \
    } while (0)

static void test_own_switches_and_which_instance(void **state)
{
    assert_int_equal(CHECK("reload", &reload, "--edge", "--chdir", "/srv/a", "--control=x", "-c", "q.yaml"), 0);
    assert_int_equal(CHECK("reload", &reload, "-cq.yaml", "--config", "--edge"), 0);
    assert_int_equal(CHECK("pause", &pause_knows, "--max", "3s"), 0);
    assert_int_equal(CHECK("stop", &stop, "--control"), 0); /* the reader of options misses the value */
}

static void test_what_would_be_ignored(void **state)
{
    REFUSED("\"worker-2\": `quintet stop` takes options alone, see its --help", "stop", &stop, "worker-2");
    REFUSED("\"--\": `quintet stop` takes options alone, see its --help", "stop", &stop, "--", "x");
    REFUSED("\"-\": `quintet stop` takes options alone, see its --help", "stop", &stop, "-");
    REFUSED("--reload-strategy: not for `quintet reload`: what runs keeps the options it was started with, and reads "
            "quintet.yaml again at a reload",
            "reload", &reload, "--reload-strategy", "rolling");
    REFUSED("-w: not for `quintet reload`: what runs keeps the options it was started with, and reads quintet.yaml "
            "again at a reload",
            "reload", &reload, "-w8");
    REFUSED("--no-preload: not for `quintet reload`: what runs keeps the options it was started with, and reads "
            "quintet.yaml again at a reload",
            "reload", &reload, "--no-preload");
}

static void test_misspelt(void **state)
{
    REFUSED("--egde: no such option; did you mean --edge?", "reload", &reload, "--egde");
    REFUSED("--mx: no such option; did you mean --max?", "pause", &pause_knows, "--mx=3");
    REFUSED("--max: needs a value (TIME)", "pause", &pause_knows, "--max");
    REFUSED("--defalts: no such option; did you mean --defaults?", "config", &config, "--defalts");
    REFUSED("--frobnicate: no such option; see `quintet stop --help`", "stop", &stop, "--frobnicate");
    REFUSED("-x: no such option; see `quintet stop --help`", "stop", &stop, "-x");
}

static void test_words(void **state)
{
    static const struct switches_known compress = { .words = true };
    char *argv[] = { "compress", "static", "--chdir", "/srv/a", "docs", "--config=x", "more", "-c", "y", NULL };
    struct command_switches found = { 0 };
    int argc = ARRAY_LEN(argv) - 1;

    assert_false(switches_take(&compress, &argc, argv, &found));
    assert_int_equal(found.n_words, 3);
    assert_string_equal(found.words[0], "static");
    assert_string_equal(found.words[1], "docs");
    assert_string_equal(found.words[2], "more");
    assert_int_equal(argc, 6);
    assert_string_equal(argv[2], "/srv/a");
    assert_string_equal(argv[5], "y");
    assert_int_equal(switches_check("compress", &compress, argc, argv, error), 0);
    REFUSED("--best: no such option; see `quintet compress --help`", "compress", &compress, "static", "--best");
}

static void test_options_are_for_their_reader(void **state)
{
    assert_int_equal(CHECK("config", &config, "--workers", "3", "mysite.wsgi", "-w", "4", "--wokers"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_switches_and_which_instance),
        cmocka_unit_test(test_what_would_be_ignored),
        cmocka_unit_test(test_misspelt),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_options_are_for_their_reader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
