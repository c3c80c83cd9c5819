/* The heap against a plain array, under random inserts and removals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/heap.h"

#define N 500

static uint64_t least(const struct heap_node *nodes)
{
    uint64_t min = UINT64_MAX;

    for (int i = 0; i < N; i++)
        if (nodes[i].index != HEAP_NONE && nodes[i].key < min)
            min = nodes[i].key;
    return min;
}

static void assert_ordered(const struct heap *h)
{
    for (size_t i = 0; i < h->n; i++) {
        assert_int_equal(h->nodes[i]->index, i);
        assert_true(i == 0 || h->nodes[(i - 1) / 2]->key <= h->nodes[i]->key);
    }
}

static void the_minimum_is_always_the_minimum(void **state)
{
    static struct heap_node nodes[N];
    unsigned seed = 1;
    struct heap h;
    size_t inside = 0;

    (void)state;
    heap_init(&h);
    assert_null(heap_min(&h));
    for (int i = 0; i < N; i++)
        heap_node_init(&nodes[i]);
    for (int step = 0; step < 20000; step++) {
        struct heap_node *node = &nodes[rand_r(&seed) % N];

        if (node->index == HEAP_NONE) {
            heap_insert(&h, node, (uint64_t)(rand_r(&seed) % 1000));
            inside++;
        } else {
            heap_remove(&h, node);
            assert_true(node->index == HEAP_NONE);
            inside--;
        }
        assert_int_equal(h.n, inside);
        assert_ordered(&h);
        if (inside > 0)
            assert_int_equal(heap_min(&h)->key, least(nodes));
        else
            assert_null(heap_min(&h));
    }
    heap_fini(&h);
    for (int i = 0; i < N; i++)
        assert_true(nodes[i].index == HEAP_NONE);
}

static void removing_what_is_not_inside_does_nothing(void **state)
{
    struct heap_node node;
    struct heap h;

    (void)state;
    heap_init(&h);
    heap_node_init(&node);
    heap_remove(&h, &node);
    heap_insert(&h, &node, UINT64_MAX);
    heap_remove(&h, &node);
    heap_remove(&h, &node);
    assert_int_equal(h.n, 0);
    heap_fini(&h);
}

static void keys_come_out_sorted(void **state)
{
    struct heap_node nodes[64];
    uint64_t last = 0;
    unsigned seed = 7;
    struct heap h;

    (void)state;
    heap_init(&h);
    for (int i = 0; i < 64; i++) {
        heap_node_init(&nodes[i]);
        heap_insert(&h, &nodes[i], (uint64_t)rand_r(&seed) << 33);
    }
    for (int i = 0; i < 64; i++) {
        struct heap_node *min = heap_min(&h);

        assert_true(min->key >= last);
        last = min->key;
        heap_remove(&h, min);
    }
    heap_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_minimum_is_always_the_minimum),
        cmocka_unit_test(removing_what_is_not_inside_does_nothing),
        cmocka_unit_test(keys_come_out_sorted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
