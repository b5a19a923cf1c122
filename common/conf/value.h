/* One scalar of configuration: text to value, and a value's type and bounds to text. Known to
 * conf.c, print.c and schema.c alone. */
#ifndef CS_CONF_VALUE_H
#define CS_CONF_VALUE_H

#include "conf/conf.h"

/* Reads text into the member at `at`. On CS_EPROTO why holds the sentence: the value quoted, what
 * is wrong with it and what to write. folder, "" or ending in '/', goes before relative paths. */
CS_CHECK int value_read(const struct conf_key *key, struct span text, struct span folder,
                        struct arena *a, void *at, struct buf *why);
void value_quote(struct buf *b, struct span text);

/* min or max in the key's own unit: 30s, 64k, 5. */
void value_write_bound(struct buf *b, const struct conf_key *key, uint64_t bound);
/* "udp, tcp, tls" */
void value_write_names(struct buf *b, const struct conf_key *key);
/* "duration", "list of addresses"; of ENUM and SET "one of" and "list of", which want the names
 * behind them. */
const char *value_type(const struct conf_key *key);
bool value_is_bounded(const struct conf_key *key);
/* "10ms to 1m", "at most 64k", "1 to 64 characters", of what is bounded. */
void value_write_range(struct buf *b, const struct conf_key *key);

/* How unlike two names are; SIZE_MAX when nobody could have meant the one by the other. */
size_t value_distance(struct span wrong, struct span name);

#endif
