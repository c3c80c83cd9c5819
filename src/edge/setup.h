/*
 * What the edge serves by: configuration, logs, listeners, directories, certificates. They arrive one by one and take effect together.
 *
 *      CONF ─▶ a snapshot is being built ─ ROOT, TLS, LISTENER, LOGS ─▶ START: every lane serves by it ── the first time: and listens ─▶ READY
 *
 * Lane 0. The messages' functions take over the descriptors that they keep and set them to -1; the channel closes the others.
 */
#ifndef QUINTET_EDGE_SETUP_H
#define QUINTET_EDGE_SETUP_H

struct edge;
struct wire_message;

void setup_descriptors(struct edge *edge); /* at the start: as many as we may have, but for a reserve */
void setup_conf(struct edge *edge, struct wire_message *m);
void setup_logs(struct edge *edge, struct wire_message *m);
void setup_listener(struct edge *edge, struct wire_message *m);
void setup_root(struct edge *edge, struct wire_message *m);
void setup_tickets(struct edge *edge, struct wire_message *m);
void setup_secret(struct edge *edge, struct wire_message *m);
void setup_tls(struct edge *edge, struct wire_message *m);
void setup_start(struct edge *edge, struct wire_message *m);
/* --metrics-bind is served from the first pool on, whose workers may take long to boot: alive, but not ready. */
void setup_watch_early(struct edge *edge);

#endif
