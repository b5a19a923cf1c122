#include "b2bua/call/redirect.h"

#include "sip/params.h"

/* Absent is 1, malformed counts as nothing. */
static uint32_t q_of(const struct sip_addr *contact)
{
    struct span text;
    uint32_t q = 0;
    int err = sip_param(contact->params, SPAN("q"), &text);
    if (err == CS_ENOENT)
        return 1000;
    return err || params_q(text, &q) ? 0 : q;
}

static bool names_somebody(const struct sip_uri *u)
{
    return u->user.n && (u->scheme == SIP_SCHEME_SIP || u->scheme == SIP_SCHEME_SIPS ||
                         u->scheme == SIP_SCHEME_TEL);
}

size_t redirect_targets(const struct sip_msg *resp, struct leg_target out[REDIRECT_TARGETS_MAX])
{
    uint32_t rank[REDIRECT_TARGETS_MAX];
    size_t n = 0;
    if (resp->status < 300 || resp->status > 302)
        return 0;
    for (struct sip_values it = sip_values(resp, SIP_HDR_CONTACT);
         n < REDIRECT_TARGETS_MAX && sip_next(&it);) {
        struct sip_addr a;
        if (sip_addr_parse(it.value, &a) || !names_somebody(&a.uri))
            continue;
        const uint32_t q = q_of(&a);
        size_t at = n++;
        for (; at && rank[at - 1] < q; at--) {
            rank[at] = rank[at - 1];
            out[at] = out[at - 1];
        }
        rank[at] = q;
        out[at] = (struct leg_target){ a.uri.user, a.uri.host, a.uri.port };
    }
    return n;
}
