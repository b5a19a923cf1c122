/* The ways of phones to servers: UDP sockets, with batched system calls, or streams. */
#ifndef SIPLOAD_WIRE_H
#define SIPLOAD_WIRE_H

#include "streams.h"

enum { WIRE_BATCH = 64, WIRE_SOCKETS = 128, WIRE_DATAGRAM = 2048 };

struct wire;

CS_CHECK int wire_open(struct wire **out);
/* n UDP sockets more (at most WIRE_SOCKETS in all), each with a port of its own. Sockets are
 * numbered from 0 in the order they came. */
CS_CHECK int wire_connect(struct wire *w, const struct addr *server, unsigned n,
                          const struct sources *from);
/* Any number of streams in place of UDP sockets; once. */
CS_CHECK int wire_connect_streams(struct wire *w, const struct addr *server, unsigned n,
                                  const struct streams_conf *conf);
/* What is sent arrives, or the connection is lost. */
bool wire_is_reliable(const struct wire *w);
void wire_close(struct wire **w);
uint16_t wire_port(const struct wire *w, unsigned socket);
/* Queues a message, whose bytes must stay until wire_flush(). */
void wire_send(struct wire *w, unsigned socket, struct span message);
void wire_flush(struct wire *w);
/* Waits until something can be read, at most so long. */
void wire_wait(struct wire *w, int64_t ns);
/* Hands over all messages that are there, and the socket each came to. */
void wire_receive(struct wire *w, void (*fn)(void *arg, unsigned socket, struct span message),
                  void *arg);
/* Messages that the kernel did not take. */
uint64_t wire_unsent(const struct wire *w);
/* Streams that the server has closed. */
unsigned wire_lost(const struct wire *w);

#endif
