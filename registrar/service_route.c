#include "registrar/service_route.h"

static const struct span own = SPAN_INIT("own");

bool service_route_is_good(struct span value)
{
    struct sip_uri uri;
    return span_eq(value, own) || (sip_uri_parse(value, &uri) == 0 && uri.lr && !uri.headers.p &&
                                   (uri.scheme == SIP_SCHEME_SIP || uri.scheme == SIP_SCHEME_SIPS));
}

static void write_own(struct buf *b, const struct siptp_listener *at, enum sip_transport transport)
{
    buf_lit(b, "sip:");
    buf_put(b, siptp_listener_sent_by(at));
    if (transport != SIP_UDP) {
        buf_lit(b, ";transport=");
        buf_put(b, sip_transport_uri(transport));
    }
    buf_lit(b, ";lr");
}

void service_route_write(struct buf *b, const struct registrar_conf *conf,
                         const struct siptp_listener *at, enum sip_transport transport)
{
    for (size_t i = 0; i < conf->flows.n_service_route; i++) {
        struct span value = conf->flows.service_route[i];
        buf_lit(b, "Service-Route: <");
        if (span_eq(value, own))
            write_own(b, at, transport);
        else
            buf_put(b, value);
        buf_lit(b, ">\r\n");
    }
}
