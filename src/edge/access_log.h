/*
 * The access log: one line an exchange, text (the combined format with id and times behind) or JSON.
 *
 * A new field: its column in write_text and its key in write_json. Bytes from the client are escaped: no line can be forged.
 */
#ifndef QUINTET_EDGE_ACCESS_LOG_H
#define QUINTET_EDGE_ACCESS_LOG_H

struct exchange;

void access_log_write(const struct exchange *ex); /* nothing when the log is off */

#endif
