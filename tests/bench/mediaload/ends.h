/* The sockets of all ends: so many on each side, which streams share, so that what is sent and what
 * comes goes through them many packets at a time. */
#ifndef MEDIALOAD_ENDS_H
#define MEDIALOAD_ENDS_H

#include "stream.h"

enum { ENDS_SOCKETS = 256, ENDS_BATCH = 16 };

struct ends;

/* n sockets of each side at every other port from there (an odd one is RTCP's). libuv's codes. */
CS_CHECK int ends_open(const struct addr at[ENDS], unsigned n, struct ends **out);
void ends_close(struct ends **e);
/* The socket of a stream: as many streams as are sent in one batch follow each other on it. */
unsigned ends_socket(const struct ends *e, size_t stream);

/* Room for the next packet of a socket; ends_flush() sends them all, and comes before the room of
 * another socket and after ENDS_BATCH packets. */
char *ends_room(struct ends *e, unsigned side, unsigned socket);
void ends_push(struct ends *e, const struct addr *to, size_t n);
void ends_flush(struct ends *e);

/* Waits at most so long for packets and hands them out; at is when the kernel had each for us, by
 * CLOCK_REALTIME. Returns how many there were. */
size_t ends_receive(struct ends *e, int64_t wait_ns,
                    void (*fn)(void *arg, unsigned side, const struct addr *source, char *packet,
                               size_t n, int64_t at),
                    void *arg);
/* Packets that the kernel did not take from us, and that it dropped because we did not read. */
uint64_t ends_unsent(const struct ends *e);
uint64_t ends_dropped(const struct ends *e);

#endif
