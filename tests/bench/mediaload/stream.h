/* Streams of G.711 between two ends, with a server in between: the packets that one end sends, and
 * whether what the other gets is them. */
#ifndef MEDIALOAD_STREAM_H
#define MEDIALOAD_STREAM_H

#include "b2bua/media/crypt.h"
#include "base/addr.h"

enum { ENDS = 2, STREAM_PACKET = 12 + 160, STREAM_ROOM = STREAM_PACKET + CRYPT_GROWTH };

struct end {
    struct addr server;     /* where it sends, and whence it hears */
    struct crypt *out, *in; /* NULL: in the clear */
    uint32_t next;          /* sequence number of the packet that it sends next */
    uint32_t highest;       /* that it got */
    uint64_t window;        /* of the 64 up to that, which came */
};

struct stream {
    struct end end[ENDS];
};

struct streams {
    struct stream *s;
    size_t n;
    uint32_t first;
    char *noise; /* payloads are cut out of it */
};

enum verdict { /* of a packet that came */
               STREAM_GOOD,
               STREAM_LATE,      /* of the run before, whose numbers end where ours begin */
               STREAM_MALFORMED, /* no packet of ours */
               STREAM_FORGED,    /* the key does not open it */
               STREAM_SOURCE,    /* from elsewhere, or for another end */
               STREAM_CONTENT,   /* not what was sent */
               STREAM_DUPLICATE,
               STREAM_VERDICTS
};
extern const char *const stream_verdict_names[STREAM_VERDICTS];

/* Behind crypt_setup(). Reads at most max streams, a line each: for both ends "HOST:PORT SUITE OUT
 * IN", the last two its keys in hexadecimal, or "-" three times. Sequence numbers begin at first.
 */
CS_CHECK int streams_read(struct streams *s, const char *path, size_t max, uint32_t first);
void streams_fini(struct streams *s);

/* The next packet of an end, sent at this time; returns its length. */
size_t stream_write(struct streams *s, size_t i, unsigned end, int64_t now,
                    char packet[STREAM_ROOM]);
/* Opens and checks what an end of side got; *sent is when that was sent. */
enum verdict stream_check(struct streams *s, unsigned side, const struct addr *source, char *packet,
                          size_t n, int64_t *sent);

#endif
