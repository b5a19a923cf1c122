/* Digits that are said in a stream by telephone-events (RFC 4733), in the place of packets that its
 * sender goes on to send: so numbers, index and timing of the stream stay what they are. Pure. */
#ifndef CS_B2BUA_MEDIA_DIGITS_H
#define CS_B2BUA_MEDIA_DIGITS_H

#include "b2bua/media/rtp.h"

enum {
    DIGITS_MAX = 32,  /* that wait, more are forgotten */
    DIGIT_PACKET = 4, /* bytes behind the header */
};

struct digit {
    unsigned char event;   /* 0 to 9, 10 and 11 for * and #, 12 to 15 for A to D */
    unsigned char payload; /* type of events */
    uint16_t duration;     /* units of a clock of 8000 Hz, the audio's too */
    struct mono since;     /* pressed */
};

struct digits { /* all zero: none */
    struct digit wait[DIGITS_MAX];
    unsigned n;
    uint32_t timestamp; /* of the packet that the first began in place of */
    unsigned said;      /* packets of it; 0: it has not begun */
    unsigned ended;     /* of these with the end in them */
    unsigned pause;     /* packets of sound that are still to come between two of them */
};

void digits_add(struct digits *d, const struct digit *digit);
/* True: a digit is said instead of that packet: n bytes are now in packet, which has room for
 * RTP_HEADER + DIGIT_PACKET of them. False: the packet goes as it is. One that could not begin for
 * two seconds, since nothing was sent, is forgotten. */
bool digits_take(struct digits *d, const struct rtp *p, struct mono now, char *packet, size_t *n);

#endif
