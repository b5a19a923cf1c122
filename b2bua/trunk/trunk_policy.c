#include "b2bua/trunk/trunk_policy.h"

#include "sip/aor.h"

struct gate_facts trunk_policy_facts(struct sip_msg *m)
{
    return (struct gate_facts){ .domain = m->uri.host,
                                .from_aor = sip_aor_in(&m->arena, &m->from.uri),
                                .to_aor = sip_aor_in(&m->arena, &m->to.uri) };
}

bool trunk_policy_forbids(const struct trunk_conf *t, const struct sip_msg *req)
{
    switch (req->method) {
    case SIP_REFER:
        return !t->refer;
    case SIP_NOTIFY:
        return !t->notify;
    case SIP_SUBSCRIBE:
        return !t->subscribe;
    case SIP_INVITE:
        return !t->replaces && sip_has(req, SIP_HDR_REPLACES);
    default:
        return false;
    }
}

bool trunk_policy_refuses(const struct uac_means *m, const struct trunk_conf *t, struct tx *tx)
{
    struct sip_msg *req = tx_request(tx);
    struct flow *flow = tx_flow(tx);
    if (!trunk_policy_forbids(t, req))
        return false;
    struct gate_facts facts = trunk_policy_facts(req);
    log_info(flow_log(flow), "refused: the trunk may not", kv_s("trunk", t->name),
             kv_s("method", req->method_name), kv_s("call_id", req->call_id),
             kv_b("replaces", sip_has(req, SIP_HDR_REPLACES)));
    gate_report(m->gate, flow, req, &facts, COUNTERSIGN__AUTH__CAUSE__TRUNK_POLICY, 403);
    tx_reply(tx, 403, SPAN_NULL);
    return true;
}
