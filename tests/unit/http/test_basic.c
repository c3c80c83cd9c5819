/* Basic credentials (RFC 7617). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/basic.h"

static void credentials(void **state)
{
    static const struct {
        const char *value, *name, *password;
        int rc;
    } cases[] = {
        { "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame", 0 }, /* RFC 7617 2 */
        { "bAsIc   dGVzdDoxMjPCow==", "test", "123\xc2\xa3", 0 },              /* RFC 7617 2.1 */
        { "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", "Aladdin", "open sesame", 0 },
        { "Basic YTpiOmM=", "a", "b:c", 0 },
        { "Basic Og==", "", "", 0 },
        { "Basic YTo=", "a", "", 0 },
        { "Bearer YTpi", NULL, NULL, -ENOENT },
        { "Basic", NULL, NULL, -EINVAL },
        { "Basic ", NULL, NULL, -EINVAL },
        { "Basic YWI=", NULL, NULL, -EINVAL },  /* no colon */
        { "Basic Y", NULL, NULL, -EINVAL },     /* no such length */
        { "Basic YTpi=", NULL, NULL, -EINVAL }, /* padding where none belongs */
        { "Basic YTo", "a", "", 0 },
        { "Basic YTp=", NULL, NULL, -EINVAL }, /* bits behind the last byte */
        { "Basic YT pi", NULL, NULL, -EINVAL },
        { "Basic YTpi, YTpi", NULL, NULL, -EINVAL },
        { "Basic YToA", NULL, NULL, -EINVAL },     /* a zero byte */
        { "Basic CjpiYg==", NULL, NULL, -EINVAL }, /* a line feed */
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char bytes[HTTP_BASIC_MAX + 1];
        struct str name, password;

        assert_int_equal(http_basic_parse(str_of(cases[i].value), bytes, &name, &password), cases[i].rc);
        if (cases[i].rc != 0)
            continue;
        assert_true(str_eq(name, str_of(cases[i].name)));
        assert_true(str_eq(password, str_of(cases[i].password)));
    }
}

static void long_ones_are_refused(void **state)
{
    char value[6 + 2 * HTTP_BASIC_MAX], bytes[HTTP_BASIC_MAX + 1];
    struct str name, password;

    memset(value, 'Q', sizeof(value));
    memcpy(value, "Basic OkFB", 10);
    for (size_t n = 10; n < sizeof(value); n++) {
        int rc = http_basic_parse(str_make(value, n), bytes, &name, &password);

        assert_true(rc == 0 || rc == -EINVAL);
        assert_true(rc == -EINVAL || n - 6 <= (HTTP_BASIC_MAX + 2) / 3 * 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials),
        cmocka_unit_test(long_ones_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
