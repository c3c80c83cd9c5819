/* See rig.h. */
#include "rig.h"

#include <unistd.h>

void rig_open(struct rig *rig, const struct pool_geometry *geometry)
{
    int fd = pool_create(geometry);

    must(fd >= 0);
    must(pool_map(fd, &rig->pool) == 0);
    close(fd);
    pool_adopt(rig->pool, rig->serials, rig->is_free);
}

void rig_close(struct rig *rig)
{
    pool_unmap(rig->pool);
}

struct pool_ticket rig_ticket(const struct rig *rig, uint32_t slot)
{
    return (struct pool_ticket){ slot, rig->serials[slot] };
}

void rig_request(struct pool_request *request)
{
    memset(request, 0, sizeof(*request));
    request->vars[POOL_METHOD] = STR("GET");
    request->vars[POOL_TARGET] = STR("/shop/?q=a%20b");
    request->vars[POOL_PATH] = STR("/shop/");
    request->vars[POOL_QUERY] = STR("q=a%20b");
    request->vars[POOL_PROTOCOL] = STR("HTTP/1.1");
    request->fields[0] = (struct pool_field){ STR("host"), STR("shop.example") };
    request->fields[1] = (struct pool_field){ STR("cookie"), STR("sessionid=1") };
    request->n_fields = 2;
}

struct pool_ticket rig_hand_over(struct rig *rig, uint32_t slot)
{
    struct pool_ticket ticket = rig_ticket(rig, slot);
    struct pool_request request;

    rig_request(&request);
    must(pool_request_write(rig->pool, ticket, &request) == 0);
    pool_ready(rig->pool, ticket, 0);
    return ticket;
}

struct pool_ticket rig_take(struct rig *rig, uint32_t seat)
{
    struct pool_ticket ticket;

    must(pool_take(rig->pool, seat, 0, &ticket) == POOL_TAKEN);
    return ticket;
}

enum pool_phase rig_phase(const struct rig *rig, struct pool_ticket ticket)
{
    struct pool_look look;

    must(pool_look(rig->pool, ticket, &look) == 0);
    return look.phase;
}

void rig_count_attention(void *arg, uint32_t slot)
{
    ((uint32_t *)arg)[slot]++;
}
