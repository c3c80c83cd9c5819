/*
 * An intrusive doubly linked ring. A `struct list` is both the head and the link inside an element.
 * A link not on any list points to itself, so list_remove is safe to repeat and list_linked answers.
 */
#ifndef QUINTET_BASE_LIST_H
#define QUINTET_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/must.h"

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}
static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}
static inline bool list_linked(const struct list *l)
{
    return l->next != l;
}
static inline void list_insert_between(struct list *l, struct list *prev, struct list *next)
{
    l->prev = prev;
    l->next = next;
    prev->next = l;
    next->prev = l;
}
static inline void list_push_back(struct list *head, struct list *l)
{
    list_insert_between(l, head->prev, head);
}
static inline void list_push_front(struct list *head, struct list *l)
{
    list_insert_between(l, head, head->next);
}
static inline void list_remove(struct list *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    list_init(l);
}
/* First element taken off, or NULL. */
static inline struct list *list_pop_front(struct list *head)
{
    struct list *l = head->next;

    if (l == head)
        return NULL;
    list_remove(l);
    return l;
}

/* Visits each link; the current one may be removed. */
#define LIST_EACH(it, head)                                                                                            \
    for (struct list *it = (head)->next, *it##_next = it->next; it != (head); it = it##_next, it##_next = it->next)

#endif
