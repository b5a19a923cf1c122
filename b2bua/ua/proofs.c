#include "b2bua/ua/proofs.h"

#include <stdlib.h>

#include "base/buf.h"
#include "sip/digest.h"
#include "sip/write.h"

enum { LINES_MAX = 8192 };

void proofs_fini(struct proofs *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->proof[i].value);
    free(p->lines);
    *p = (struct proofs){ 0 };
}

struct span proofs_lines(const struct proofs *p)
{
    return span_str(p->lines);
}

static bool says_stale(const struct sip_msg *resp, enum sip_hdr_id id)
{
    for (struct sip_values it = sip_values(resp, id); sip_next(&it);) {
        struct digest_challenge c;
        if (digest_challenge_parse(it.value, &c) == 0 && c.is_stale)
            return true;
    }
    return false;
}

void proofs_next(struct proofs *p, const struct sip_msg *resp)
{
    p->tries++;
    p->stale =
        says_stale(resp, SIP_HDR_WWW_AUTHENTICATE) || says_stale(resp, SIP_HDR_PROXY_AUTHENTICATE);
}

static bool is_same_realm(const struct proof *a, bool proxy, const struct digest *b)
{
    struct digest of;
    return a->proxy == proxy && digest_parse(span_str(a->value), &of) == 0 &&
           span_eq(of.realm, b->realm);
}

static int write_lines(struct proofs *p)
{
    char text[LINES_MAX];
    struct buf b = BUF_INIT(text);
    for (size_t i = 0; i < p->n; i++)
        sip_write_hdr(&b, p->proof[i].proxy ? SPAN("Proxy-Authorization") : SPAN("Authorization"),
                      span_str(p->proof[i].value));
    char *lines = buf_ok(&b) ? strndup(text, b.n) : NULL;
    if (!lines)
        return CS_ENOMEM;
    free(p->lines);
    p->lines = lines;
    return 0;
}

bool proofs_add(struct proofs *p, bool proxy, struct span value)
{
    struct digest d;
    size_t at = 0;
    char *copy = strndup(value.p, value.n);
    if (!copy || digest_parse(span_str(copy), &d) || p->tries > PROOFS_TRIES) {
        free(copy);
        return false;
    }
    while (at < p->n && !is_same_realm(&p->proof[at], proxy, &d))
        at++;
    if (at == PROOFS_MAX || (at < p->n && !p->stale)) {
        free(copy);
        return false;
    }
    if (at < p->n)
        free(p->proof[at].value);
    else
        p->n++;
    p->proof[at] = (struct proof){ proxy, copy };
    return write_lines(p) == 0;
}
