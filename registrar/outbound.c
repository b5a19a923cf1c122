#include "registrar/outbound.h"

/* Whether the phone itself sent it here, or the proxy next to the phone, which wrote the last of
 * the Path values, keeps its flow (RFC 5626, 5.1, 6). */
static bool first_hop_knows(const struct sip_msg *m)
{
    struct sip_values via = sip_values(m, SIP_HDR_VIA);
    struct sip_addr path = { 0 };
    if (sip_next(&via) && !sip_next(&via))
        return true;
    for (struct sip_values it = sip_values(m, SIP_HDR_PATH); sip_next(&it);) {
        if (sip_addr_parse(it.value, &path))
            return false;
    }
    return sip_uri_param(&path.uri, SPAN("ob")).p != NULL;
}

static bool understands(const struct sip_msg *m)
{
    return sip_lists(m, SIP_HDR_SUPPORTED, SPAN("outbound")) ||
           sip_lists(m, SIP_HDR_REQUIRE, SPAN("outbound"));
}

enum outbound outbound_judge(const struct sip_msg *m, struct register_contact *contacts, size_t n,
                             bool best_effort)
{
    struct register_contact *flow = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!contacts[i].instance.n)
            contacts[i].reg_id = 0;
        if (contacts[i].reg_id)
            flow = &contacts[i];
    }
    if (!flow)
        return OUTBOUND_NONE;
    if (first_hop_knows(m))
        return understands(m) ? OUTBOUND_APPLIED : OUTBOUND_SILENT;
    if (understands(m) && !best_effort)
        return OUTBOUND_LACKING;
    flow->reg_id = 0;
    return OUTBOUND_NONE;
}
