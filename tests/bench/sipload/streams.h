/* Many kept connections to one server: SIP over TLS, or in WebSocket messages over TLS. */
#ifndef SIPLOAD_STREAMS_H
#define SIPLOAD_STREAMS_H

#include "dial.h"
#include "tls.h"

struct streams;

struct streams_conf {
    bool ws;
    enum tls_version version;
    struct sources from;
};

/* n connections, of which each is ready for messages. CS_ETIMEOUT when that takes too long,
 * CS_ECLOSED when the server refuses one. */
CS_CHECK int streams_open(const struct addr *server, unsigned n, const struct streams_conf *conf,
                          struct streams **out);
void streams_close(struct streams **ss);
uint16_t streams_port(const struct streams *ss, unsigned i);
/* False when the connection is lost. */
bool streams_send(struct streams *ss, unsigned i, struct span message);
/* Waits until something can be read, at most so long. */
void streams_wait(struct streams *ss, int64_t ns);
/* Hands over all messages that are there, and the connection each came by. Answers pings. */
void streams_receive(struct streams *ss, void (*fn)(void *arg, unsigned i, struct span message),
                     void *arg);
/* Connections that the server has closed. */
unsigned streams_lost(const struct streams *ss);

#endif
