/* How a session is doing. */
#include "b2bua/session/session_impl.h"

bool session_is_held(const struct session *s)
{
    return !s->talks;
}

void session_stats(const struct session *s, unsigned side, struct side_stats *out)
{
    *out = (struct side_stats){ 0 };
    for (size_t i = 0; i < s->n_streams; i++) {
        struct side_stats one;
        if (!s->stream[i]->relay)
            continue;
        relay_stats(s->stream[i]->relay, side, &one);
        out->packets += one.packets;
        out->bytes += one.bytes;
        out->lost += one.lost;
        out->rtcp += one.rtcp;
        out->jitter_us = CS_MAX(out->jitter_us, one.jitter_us);
        out->learned |= one.learned;
        for (size_t d = 0; d < DROPPED_COUNT; d++)
            out->dropped[d] += one.dropped[d];
        if (mono_before(out->last, one.last))
            out->last = one.last;
    }
}

struct session_safety session_safety(const struct session *s, unsigned side)
{
    for (size_t i = 0; i < s->n_streams; i++) {
        const struct stream *st = s->stream[i];
        struct side_stats one;
        if (!st->relay)
            continue;
        if (!st->webrtc[side])
            return (struct session_safety){ st->keys[side].out.suite, false };
        relay_stats(st->relay, side, &one);
        return (struct session_safety){ one.suite, true };
    }
    return (struct session_safety){ CRYPT_NONE, false };
}

enum dtls_state session_dtls(const struct session *s)
{
    enum dtls_state all = DTLS_NONE;
    for (size_t i = 0; i < s->n_streams; i++) {
        for (unsigned side = 0; side < RELAY_SIDES && s->stream[i]->relay; side++) {
            struct side_stats one;
            relay_stats(s->stream[i]->relay, side, &one);
            if (one.dtls == DTLS_FAILED)
                return DTLS_FAILED;
            if (one.dtls != DTLS_NONE && all != DTLS_WAITING)
                all = one.dtls;
        }
    }
    return all;
}
