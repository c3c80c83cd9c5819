/*
 * The handlers, one file each. A new one: a file here (named in ../meson.build), its row below, its rule in route.c.
 */
#ifndef QUINTET_EDGE_HANDLER_HANDLERS_H
#define QUINTET_EDGE_HANDLER_HANDLERS_H

#include "edge/dispatch.h"
#include "edge/exchange.h"

extern const struct handler app_handler;      /* app.c: the WSGI application, through queue and pool */
extern const struct handler file_handler;     /* file.c: static and media */
extern const struct handler health_handler;   /* health.c: liveness by the edge alone */
extern const struct handler options_handler;  /* health.c: OPTIONS * */
extern const struct handler watch_handler;    /* watch.c: all that --metrics-bind serves */
extern const struct handler refusal_handler;  /* page.c: what a gate (edge/gate.h) answers instead */
extern const struct handler page_handler;     /* page.c: Quintet's own small pages */
extern const struct handler empty_handler;    /* page.c: a head and no body; whoever sets it has answered */
extern const struct handler redirect_handler; /* redirect.c: a route's redirect */
extern const struct handler respond_handler;  /* respond.c: a route's text or status */
extern const struct handler root_handler;     /* root.c: a route's directory */

/* page.c: this text, which is not copied, is the body; the head is the caller's. */
void page_text(struct exchange *ex, struct str text);
/* page.c: the body of exchange_page; `detail` is for people, may be empty, is copied. */
void page_begin(struct exchange *ex, struct str detail);

/* app.c: news on a slot of this lane; jobs whose worker died. */
void app_attention(struct lane *lane, struct generation *g, uint32_t slot);
void app_settle_lost(struct lane *lane, struct generation *g);

#endif
