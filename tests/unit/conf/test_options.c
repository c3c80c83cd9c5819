/* The table itself: what each row must have for everything that reads it. */
#include "conf_testing.h"

#include <ctype.h>
#include <string.h>

#include "conf/options.h"
#include "conf/value.h"

#define EACH_ROW(row)                                                                                                  \
    const struct option_row *row = option_table;                                                                       \
    row < option_table + option_count;                                                                                 \
    row++

static void names_are_unique_and_well_formed(void **state)
{
    assert_true(option_count <= OPTION_MAX);
    for (EACH_ROW(row)) {
        assert_ptr_equal(option_find(str_of(row->name)), row);
        assert_true(strspn(row->name, "abcdefghijklmnopqrstuvwxyz-") == strlen(row->name));
        assert_true(!row->flag || option_find_flag(row->flag) == row);
        assert_ptr_equal(option_find(STR("nonsense")), NULL);
    }
    assert_null(option_find_flag('\0'));
}

static void each_row_can_be_shown(void **state)
{
    for (EACH_ROW(row)) {
        bool user = option_is_public(row);

        assert_non_null(row->help);
        assert_true(islower((unsigned char)row->help[0]) || !user || row->help[0] == 'X');
        assert_true(row->help[strlen(row->help) - 1] != '.');
        assert_true(row->argument || row->type == OPTION_BOOL || !option_is_public(row));
        assert_true(!user || row->fallback || row->example || option_is(row, OPTION_NO_FILE));
        assert_true(row->choices != NULL || (row->type != OPTION_CHOICE && row->type != OPTION_WORD));
        assert_true(row->choices == NULL || row->type == OPTION_CHOICE || row->type == OPTION_WORD ||
                    row->type == OPTION_DURATION);
    }
}

/* Two rows of one field would fight; a default outside its own range would abort the start. */
static void fields_and_defaults_fit(void **state)
{
    for (EACH_ROW(row)) {
        struct conf conf = { 0 };

        for (const struct option_row *other = option_table; other < row; other++)
            assert_true(other->offset != row->offset);
        if (row->fallback)
            assert_int_equal(value_parse(row, str_of(row->fallback), &conf), 0);
        if (row->example)
            assert_int_equal(value_parse(row, str_of(row->example), &conf), 0);
        value_clear(row, &conf);
        assert_true(row->type < OPTION_CHOICE || row->fallback);
    }
}

static void names_are_spelled_for_their_place(void **state)
{
    const struct option_row *row = option_find(STR("log_level"));
    char name[OPTION_NAME_MAX];

    option_spell(row, OPTION_SPELL_ARGUMENT, name);
    assert_string_equal(name, "--log-level");
    option_spell(row, OPTION_SPELL_ENVIRONMENT, name);
    assert_string_equal(name, "QUINTET_LOG_LEVEL");
    option_spell(row, OPTION_SPELL_FILE, name);
    assert_string_equal(name, "log_level");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique_and_well_formed),
        cmocka_unit_test(each_row_can_be_shown),
        cmocka_unit_test(fields_and_defaults_fit),
        cmocka_unit_test(names_are_spelled_for_their_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
