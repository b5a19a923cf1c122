#include "hops/hop.h"

#include <math.h>

#include "sip/chars.h"

bool hop_read(struct span text, struct hop *out)
{
    *out = (struct hop){ .text = text };
    if (sip_uri_parse(text, &out->uri) == 0 &&
        (out->uri.scheme == SIP_SCHEME_SIP || out->uri.scheme == SIP_SCHEME_SIPS))
        return true;
    out->uri = (struct sip_uri){ 0 };
    out->node = chars_is_host(text) ? siptp_node_id(text) : 0;
    return out->node;
}

/* FNV-1a and a last mixing; not keyed, for all processes shall agree: a caller who picks a Call-ID
 * picks one of the next hops that he may call anyway. */
static uint64_t hash(struct span a, struct span b)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < a.n + b.n; i++) {
        char c = i < a.n ? a.p[i] : b.p[i - a.n];
        h = (h ^ (unsigned char)c) * UINT64_C(1099511628211);
    }
    h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
    return h ^ h >> 31;
}

uint64_t hops_seed(struct span call_id)
{
    return hash(call_id, SPAN_NULL);
}

/* The least comes first: so each is first for its share of the Call-IDs. */
static double draw(const struct hop *h, struct span call_id)
{
    double chance = ((double)(hash(h->text, call_id) >> 11) + 0.5) / 9007199254740992.0;
    return -log(chance) / (h->weight ? h->weight : 1);
}

static bool comes_before(const struct hop *a, const struct hop *b, struct span call_id,
                         struct mono now)
{
    bool a_down = mono_before(now, a->down), b_down = mono_before(now, b->down);
    if (a_down != b_down)
        return b_down;
    if (a->bound.known != b->bound.known)
        return a->bound.known;
    if (a->priority != b->priority)
        return a->priority < b->priority;
    return draw(a, call_id) < draw(b, call_id);
}

void hops_order(struct hop *hops, size_t n, struct span call_id, struct mono now,
                struct hop *out[HOPS_MAX])
{
    for (size_t i = 0; i < n; i++) {
        size_t at = CS_MIN(i, (size_t)HOPS_MAX);
        for (; at && comes_before(&hops[i], out[at - 1], call_id, now); at--) {
            if (at < HOPS_MAX)
                out[at] = out[at - 1];
        }
        if (at < HOPS_MAX)
            out[at] = &hops[i];
    }
}
