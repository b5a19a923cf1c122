/* Digits of a side that the other one hears by telephone-events. */
#include "b2bua/session/session_impl.h"

enum { DIGIT_MS = 160 };

int session_press(struct session *s, unsigned side, char digit)
{
    static const char digits[] = "0123456789*#ABCD";
    const char *at = digit ? strchr(digits, digit) : NULL;
    for (size_t i = 0; at && i < s->n_streams; i++) {
        const struct stream *st = s->stream[i];
        if (st->relay && st->events != RELAY_DROP)
            return relay_press(st->relay, side, st->events, (unsigned)(at - digits), DIGIT_MS);
    }
    return CS_ENOTSUP;
}
