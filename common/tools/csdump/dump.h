/* Frames between a front and authd: printed, recorded, and passed on by a proxy.
 *
 * A recording is a row of records: 8 bytes Unix time in milliseconds and 1 byte direction ('>' to
 * authd, '<' from it), both in network order, then the frame as it was sent. */
#ifndef CS_TOOLS_DUMP_H
#define CS_TOOLS_DUMP_H

#include <stdio.h>

#include "ipc/ipc.h"

enum { RECORD_HEAD = 9 };
enum direction { TO_AUTHD = '>', FROM_AUTHD = '<' };

/* Prints one frame's payload as a line. conn tells connections apart; 0: there is one. */
void dump_frame(struct wall time, enum direction dir, unsigned conn, struct span payload,
                FILE *out);
/* Appends a frame to a recording. */
void dump_record(struct wall time, enum direction dir, struct span payload, FILE *to);
/* Prints the whole records of in: bytes used, or CS_EPROTO. */
ptrdiff_t dump_records(struct span in, FILE *out);

struct proxy;
/* Accepts on listen and connects each to `to`; what passes is printed on standard output and, with
 * record not NULL, written there. */
CS_CHECK int proxy_open(struct loop *l, const char *listen, unsigned mode, const char *to,
                        FILE *record, struct proxy **out);
void proxy_close(struct proxy **p);

#endif
