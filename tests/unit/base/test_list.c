/* The ring: order, removal while visiting, removal twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
    int number;
    struct list link;
};

static int number_of(struct list *l)
{
    return CONTAINER_OF(l, struct item, link)->number;
}

static void fill(struct list *head, struct item *items, int n)
{
    list_init(head);
    for (int i = 0; i < n; i++) {
        items[i].number = i;
        list_init(&items[i].link);
        list_push_back(head, &items[i].link);
    }
}

static void order_is_kept(void **state)
{
    struct item items[4];
    struct list head;

    (void)state;
    fill(&head, items, 3);
    items[3].number = 3;
    list_push_front(&head, &items[3].link);
    assert_int_equal(number_of(list_pop_front(&head)), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(number_of(list_pop_front(&head)), i);
    assert_null(list_pop_front(&head));
    assert_true(list_empty(&head));
}

static void removal_is_safe_to_repeat(void **state)
{
    struct item items[3];
    struct list head;

    (void)state;
    fill(&head, items, 3);
    assert_true(list_linked(&items[1].link));
    list_remove(&items[1].link);
    list_remove(&items[1].link);
    assert_false(list_linked(&items[1].link));
    assert_int_equal(number_of(head.next), 0);
    assert_int_equal(number_of(head.prev), 2);
    assert_ptr_equal(items[0].link.next, &items[2].link);
}

static void visitors_may_remove_the_current_one(void **state)
{
    struct item items[5];
    struct list head;
    int seen = 0;

    (void)state;
    fill(&head, items, 5);
    LIST_EACH(it, &head) {
        assert_int_equal(number_of(it), seen++);
        if (number_of(it) % 2 == 0)
            list_remove(it);
    }
    assert_int_equal(seen, 5);
    assert_int_equal(number_of(head.next), 1);
    assert_int_equal(number_of(head.prev), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(removal_is_safe_to_repeat),
        cmocka_unit_test(visitors_may_remove_the_current_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
