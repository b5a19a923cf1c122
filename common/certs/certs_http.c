#include "certs/certs_http.h"

void certs_answer(struct certs *c, struct http_req *r)
{
    struct cert_state s;
    bool refused = false, read = certs_look(c);
    json_t *all = json_array();
    for (size_t i = 0; certs_state(c, i, &s); i++) {
        refused |= s.refused;
        json_array_append_new(all,
                              json_pack("{s:s%, s:o, s:o, s:b}", "listener", s.name.p, s.name.n,
                                        "expires", http_time(s.expiry.certificate), "crl_expires",
                                        http_time(s.expiry.crl), "refused", s.refused));
    }
    http_reply_json(r, refused ? 409 : 200,
                    json_pack("{s:b, s:o}", "read", read, "certificates", all));
}
