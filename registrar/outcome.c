#include "registrar/outcome.h"

#include "base/metric.h"

enum outcome { ACCEPTED, CHALLENGED, REFUSED, UNAVAILABLE }; /* as in metrics.def */
enum early { EARLY_180, EARLY_183, EARLY_OTHER };

static enum outcome outcome_of(unsigned status)
{
    if (status == 401 || status == 407)
        return CHALLENGED;
    return status < 400 ? ACCEPTED : status >= 500 && status < 600 ? UNAVAILABLE : REFUSED;
}

void outcome_count(enum sip_method method, unsigned status)
{
    if (status < 200)
        return;
    if (method == SIP_REGISTER)
        metric_inc(M_REG_REGISTERS, outcome_of(status));
    else if (method == SIP_INVITE)
        metric_inc(M_REG_INVITES, outcome_of(status));
}

/* A body announces media before the answer; whoever hears it talks, or listens, unbilled. */
void outcome_provisional(const struct sip_msg *resp)
{
    struct span type = sip_hdr_value(resp, SIP_HDR_CONTENT_TYPE);
    if (resp->body.n && span_caseeq(span_trim(span_cut(&type, ';')), SPAN("application/sdp")))
        metric_inc(M_REG_EARLY_MEDIA, resp->status == 180   ? EARLY_180
                                      : resp->status == 183 ? EARLY_183
                                                            : EARLY_OTHER);
}
