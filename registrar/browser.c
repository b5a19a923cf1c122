#include "registrar/browser.h"

#include "sdp/sdp.h"
#include "sip/uri.h"

bool browser_is(const Countersign__Store__Binding *b)
{
    struct sip_uri uri;
    return sip_uri_parse(span_str(b->contact), &uri) == 0 &&
           (span_caseeq(uri.transport, SPAN("ws")) || span_caseeq(uri.transport, SPAN("wss")));
}

enum browser_offer browser_offer(const struct sip_msg *m)
{
    char first[4096];
    struct arena a;
    struct sdp s;
    struct sdp_fingerprint f;
    arena_init(&a, first, sizeof(first), 1024 * 1024);
    bool unread = !m->body.n || sdp_parse(m->body, &a, &s), takes = false;
    for (size_t i = 0; !unread && i < s.n_media; i++)
        takes |= s.media[i].port && sdp_is_srtp(s.media[i].proto) &&
                 sdp_fingerprint_of(&s, &s.media[i], &f) != CS_ENOENT;
    arena_fini(&a);
    return unread ? OFFER_FOR_ALL : takes ? OFFER_FOR_BROWSERS : OFFER_FOR_PHONES;
}
