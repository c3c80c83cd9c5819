/* Password files, and signatures. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "os/hmac.h"
#include "os/passwords.h"

static void refused(const char *text, const char *why)
{
    char error[PASSWORDS_ERROR_MAX];
    struct passwords p;

    assert_int_equal(passwords_read(str_of(text), &p, error), -EINVAL);
    assert_non_null(strstr(error, why));
    assert_null(p.entries);
}

static void files_are_read(void **state)
{
    char error[PASSWORDS_ERROR_MAX], long_name[] = "n:$2y$05$0123456789012345678901";
    struct passwords p;

    assert_int_equal(passwords_read(STR("# who\n\n a:$6$x$y\r\nb:$2y$05$z:more\n"), &p, error), 0);
    assert_int_equal(p.n, 2);
    assert_string_equal(passwords_hash(&p, STR("a")), "$6$x$y");
    assert_string_equal(passwords_hash(&p, STR("b")), "$2y$05$z");
    assert_null(passwords_hash(&p, STR("c")));
    assert_null(passwords_hash(&p, STR("")));
    passwords_fini(&p);
    assert_int_equal(passwords_read(str_of(long_name), &p, error), 0);
    passwords_fini(&p);
    refused("", "line 1: nobody is named");
    refused("a\n", "line 1: expected NAME:HASH");
    refused("a:$6$x\na:$6$y\n", "line 2: the name is there twice");
    refused("a:secret\n", "line 1: expected a bcrypt");
    refused("a:$apr1$x$y\n", "htpasswd -B");
    refused(":$6$x\n", "expected NAME:HASH");
}

static void passwords_are_compared(void **state)
{
    static const char known[] = "$5$rounds=1000$saltstring$AH5PD0i.riCRu4BNDy9v7OPV7u3dfLBApcXI6khquVA";

    assert_true(passwords_match(known, "secret"));
    assert_false(passwords_match(known, "no"));
    assert_false(passwords_match("*0", ""));
    assert_false(passwords_match("$6$", "x"));
    assert_false(passwords_match("", ""));
}

/* RFC 4231 4.3 (test case 2), in base64url. */
static void signatures(void **state)
{
    const struct str pieces[] = { STR_INIT("what do ya want "), STR_INIT(""), STR_INIT("for nothing?") };
    char text[HMAC_TEXT_LEN];

    assert_int_equal(hmac_text(STR("Jefe"), pieces, 3, text), 0);
    assert_memory_equal(text, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM", HMAC_TEXT_LEN);
    assert_true(hmac_same(str_make(text, sizeof(text)), STR("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM")));
    assert_false(hmac_same(str_make(text, sizeof(text)), STR("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEN")));
    assert_false(hmac_same(str_make(text, sizeof(text)), STR("W9zB")));
    assert_false(hmac_same(str_make(text, sizeof(text)), STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(passwords_are_compared),
        cmocka_unit_test(signatures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
