/* Durations and sizes: every unit, every refusal, and that what is written reads back the same. */
#include "conf_testing.h"

#include "conf/units.h"

#define MS UINT64_C(1000000)

static void durations_are_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } rows[] = {
        { "30s", 30 * SECOND },
        { "5m", 300 * SECOND },
        { "250ms", 250 * MS },
        { "2h", 7200 * SECOND },
        { "1d", 86400 * SECOND },
        { "30", 30 * SECOND },
        { "0", 0 },
        { "1.5s", 1500 * MS },
        { "0.25h", 900 * SECOND },
        { "1.5", 1500 * MS },
        { "10us", 10000 },
        { "7ns", 7 },
        { "1S", SECOND },
        { "2.000s", 2 * SECOND },
        { "007s", 7 * SECOND },
        { "0.000000001s", 1 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t ns = 99;

        assert_int_equal(units_duration_parse(str_of(rows[i].text), &ns), 0);
        assert_int_equal(ns, rows[i].ns);
    }
}

static void wrong_durations_are_refused(void **state)
{
    static const char *const texts[] = { "",
                                         "s",
                                         "30 s",
                                         "30 sec",
                                         "-1s",
                                         "+1s",
                                         "1.s",
                                         ".5s",
                                         "1.5.5s",
                                         "1e3",
                                         "30x",
                                         "0x10",
                                         "1,5s",
                                         " 30s",
                                         "30s ",
                                         "1h30m",
                                         "0.5ns",
                                         "0.0000000001s",
                                         "1.000000000000000000000000005s" };
    uint64_t ns = 99;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_int_equal(units_duration_parse(str_of(texts[i]), &ns), -EINVAL);
    assert_int_equal(units_duration_parse(STR("99999999999999999999s"), &ns), -ERANGE);
    assert_int_equal(units_duration_parse(STR("213504d"), &ns), -ERANGE);
    assert_int_equal(units_duration_parse(STR("18446744073.9s"), &ns), -ERANGE);
    assert_int_equal(ns, 99);
}

static void sizes_are_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } rows[] = {
        { "0", 0 },
        { "1000", 1000 },
        { "512k", 512 << 10 },
        { "10m", 10 << 20 },
        { "2g", UINT64_C(2) << 30 },
        { "10M", 10 << 20 },
        { "10mb", 10 << 20 },
        { "10MiB", 10 << 20 },
        { "7b", 7 },
        { "1Kb", 1024 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t bytes = 99;

        assert_int_equal(units_size_parse(str_of(rows[i].text), &bytes), 0);
        assert_int_equal(bytes, rows[i].bytes);
    }
}

static void wrong_sizes_are_refused(void **state)
{
    static const char *const texts[] = { "",     "k",    "1.5m",  "-1",   "10 m",   "10x",
                                         "10ib", "10bb", "10bib", "10mm", "10mib ", "0x10" };
    uint64_t bytes = 99;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_int_equal(units_size_parse(str_of(texts[i]), &bytes), -EINVAL);
    assert_int_equal(units_size_parse(STR("17179869184g"), &bytes), -ERANGE);
    assert_int_equal(units_size_parse(STR("18446744073709551616"), &bytes), -ERANGE);
    assert_int_equal(bytes, 99);
}

static void expect_written(int (*write)(struct buf *, uint64_t), uint64_t value, const char *text)
{
    struct buf out;

    buf_init(&out, 64);
    assert_int_equal(write(&out, value), 0);
    assert_true(str_eq(buf_str(&out), str_of(text)));
    buf_fini(&out);
}

static void the_shortest_exact_form_is_written(void **state)
{
    expect_written(units_duration_write, 0, "0s");
    expect_written(units_duration_write, 30 * SECOND, "30s");
    expect_written(units_duration_write, 60 * SECOND, "1m");
    expect_written(units_duration_write, 75 * SECOND, "75s");
    expect_written(units_duration_write, 1500 * MS, "1500ms");
    expect_written(units_duration_write, 86400 * SECOND, "1d");
    expect_written(units_duration_write, UINT64_MAX, "18446744073709551615ns");
    expect_written(units_size_write, 0, "0");
    expect_written(units_size_write, 1000, "1000");
    expect_written(units_size_write, 16384, "16k");
    expect_written(units_size_write, 100 << 20, "100m");
    expect_written(units_size_write, UINT64_C(1) << 40, "1024g");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(wrong_durations_are_refused),
        cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(wrong_sizes_are_refused),
        cmocka_unit_test(the_shortest_exact_form_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
