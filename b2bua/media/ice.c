#include "b2bua/media/ice.h"

#include "base/ct.h"

enum { UNKNOWN_MAX = 4 };

struct check { /* a connectivity check (RFC 8445, 7.1) */
    struct span username;
    bool proved, nominates, controlled;
    uint16_t unknown[UNKNOWN_MAX]; /* that must be understood */
    size_t n_unknown;
};

static void read_attr(struct check *c, const struct stun_attr *a)
{
    switch (a->name) {
    case STUN_USERNAME:
        c->username = a->value;
        break;
    case STUN_USE_CANDIDATE:
        c->nominates = true;
        break;
    case STUN_ICE_CONTROLLED:
        c->controlled = true;
        break;
    case STUN_PRIORITY: /* of a pair: there is one candidate here, so nothing is to be chosen */
        break;
    default:
        if (a->name < STUN_FIRST_OPTIONAL && c->n_unknown < UNKNOWN_MAX)
            c->unknown[c->n_unknown++] = (uint16_t)a->name;
    }
}

/* What stands behind MESSAGE-INTEGRITY is nobody's word (RFC 8489, 14.5). */
static struct check read_check(const struct stun *s, struct span password)
{
    struct check c = { 0 };
    struct stun_attr a;
    for (size_t at = 0; stun_next(s, &at, &a);) {
        if (a.name == STUN_MESSAGE_INTEGRITY) {
            c.proved = stun_is_proved(s, &a, password);
            break;
        }
        read_attr(&c, &a);
    }
    return c;
}

/* "ours:theirs" (RFC 8445, 7.2.2) */
static bool is_for_us(const struct ice_conf *c, struct span username)
{
    struct span ours = span_cut(&username, ':');
    return ct_eq(ours, span_str(c->ufrag)) && ct_eq(username, span_str(c->peer));
}

enum ice_said ice_answer(const struct ice_conf *c, struct span in, const struct addr *from,
                         struct buf *out)
{
    struct stun s;
    if (!c->ufrag[0] || stun_parse(in, &s) || s.type != STUN_BINDING_REQUEST)
        return ICE_NOTHING;
    const struct check check = read_check(&s, span_str(c->pwd));
    if (!check.proved || !is_for_us(c, check.username))
        return ICE_NOTHING;
    const bool refused = check.n_unknown || check.controlled;
    stun_begin(out, refused ? STUN_BINDING_ERROR : STUN_BINDING_RESPONSE,
               span_of(in.p + STUN_ID_AT, STUN_ID));
    if (check.n_unknown)
        stun_put_unknown(out, check.unknown, check.n_unknown);
    else if (check.controlled) /* we always are (RFC 8445, 6.1.1, 7.3.1.1) */
        stun_put_error(out, 487);
    else
        stun_put_address(out, from);
    stun_put_integrity(out, span_str(c->pwd));
    stun_put_fingerprint(out);
    return refused ? ICE_ANSWERED : check.nominates ? ICE_NOMINATED : ICE_VALID;
}
