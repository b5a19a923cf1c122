#include "siptp/stun.h"

enum { UNKNOWN_MAX = 4 };

/* RFC 5626 knows no credentials on this port: those of others say nothing. */
static bool is_known(unsigned name)
{
    return name >= STUN_FIRST_OPTIONAL || name == STUN_USERNAME || name == STUN_MESSAGE_INTEGRITY ||
           name == STUN_REALM || name == STUN_NONCE;
}

void stun_answer(struct buf *b, struct span in, const struct addr *from)
{
    struct stun s;
    struct stun_attr a;
    uint16_t unknown[UNKNOWN_MAX]; /* that must be understood */
    size_t n = 0;
    if (stun_parse(in, &s) || s.type != STUN_BINDING_REQUEST)
        return;
    for (size_t at = 0; n < UNKNOWN_MAX && stun_next(&s, &at, &a);) {
        if (!is_known(a.name))
            unknown[n++] = (uint16_t)a.name;
    }
    stun_begin(b, n ? STUN_BINDING_ERROR : STUN_BINDING_RESPONSE,
               span_of(in.p + STUN_ID_AT, STUN_ID));
    if (n)
        stun_put_unknown(b, unknown, n);
    else
        stun_put_address(b, from);
    if (s.fingerprint)
        stun_put_fingerprint(b);
}
