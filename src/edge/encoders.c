/* Encoders, output blocks and the queue of those that go on in the next turn. */
#include "edge/encoders.h"

#include "base/mem.h"

/* Most bodies are compressed within one turn, so that one or two encoders of each kind serve a lane. */
#define SPARE_ENCODERS 2
#define SPARE_OUTPUTS 4

struct encoders {
    struct loop *loop; /* borrowed */
    struct encoder *spare[CODINGS][SPARE_ENCODERS];
    size_t n_spare[CODINGS];
    char *outputs[SPARE_OUTPUTS];
    size_t n_outputs;
    char *input;
    size_t busy; /* bytes */
    struct list waiting;
    struct loop_task task;
};

static void go_on(struct loop_task *task)
{
    struct encoders *s = CONTAINER_OF(task, struct encoders, task);
    struct list now;

    list_init(&now);
    while (!list_empty(&s->waiting))
        list_push_back(&now, list_pop_front(&s->waiting));
    while (!list_empty(&now)) {
        struct encoders_turn *turn = CONTAINER_OF(list_pop_front(&now), struct encoders_turn, link);

        turn->go_on(turn); /* may wait again, for the next turn */
    }
}

struct encoders *encoders_new(struct loop *loop)
{
    struct encoders *s = mem_zalloc(sizeof(*s));

    s->loop = loop;
    list_init(&s->waiting);
    loop_task_init(&s->task, go_on);
    return s;
}

void encoders_clear(struct encoders *s)
{
    for (size_t c = 0; c < CODINGS; c++) {
        while (s->n_spare[c] > 0)
            encoder_free(s->spare[c][--s->n_spare[c]]);
    }
    while (s->n_outputs > 0)
        mem_free(s->outputs[--s->n_outputs]);
    mem_free(s->input);
    s->input = NULL;
}

void encoders_free(struct encoders *s)
{
    must(s->busy == 0 && list_empty(&s->waiting));
    encoders_clear(s);
    mem_free(s);
}

struct encoder *encoders_take(struct encoders *s, enum coding coding, const struct encoder_plan *plan)
{
    size_t cost = encoder_cost(coding);
    struct encoder *e;

    if (s->busy + cost > ENCODERS_BUSY_MAX)
        return NULL;
    e = s->n_spare[coding] > 0 ? s->spare[coding][--s->n_spare[coding]] : encoder_new(coding);
    if (e != NULL && encoder_begin(e, plan) != 0) {
        encoder_free(e);
        return NULL;
    }
    if (e != NULL)
        s->busy += cost;
    return e;
}

void encoders_give(struct encoders *s, struct encoder *encoder)
{
    enum coding coding = encoder_coding(encoder);

    s->busy -= encoder_cost(coding);
    if (s->n_spare[coding] < SPARE_ENCODERS)
        s->spare[coding][s->n_spare[coding]++] = encoder;
    else
        encoder_free(encoder);
}

char *encoders_take_output(struct encoders *s)
{
    return s->n_outputs > 0 ? s->outputs[--s->n_outputs] : mem_try_alloc(ENCODERS_OUTPUT);
}

void encoders_give_output(struct encoders *s, char *output)
{
    if (output != NULL && s->n_outputs < SPARE_OUTPUTS)
        s->outputs[s->n_outputs++] = output;
    else
        mem_free(output);
}

char *encoders_input(struct encoders *s)
{
    if (s->input == NULL)
        s->input = mem_try_alloc(ENCODERS_INPUT);
    return s->input;
}

void encoders_wait(struct encoders *s, struct encoders_turn *turn)
{
    if (list_linked(&turn->link))
        return;
    list_push_back(&s->waiting, &turn->link);
    loop_defer(s->loop, &s->task);
}
