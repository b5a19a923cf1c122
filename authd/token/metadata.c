#include "authd/token/metadata.h"

#include "authd/token/issuer.h"
#include "authd/token/json.h"

int metadata_url(struct span issuer, struct buf *out)
{
    while (issuer.n && issuer.p[issuer.n - 1] == '/')
        issuer.n--;
    buf_put(out, issuer);
    buf_lit(out, "/.well-known/openid-configuration");
    buf_putc(out, '\0');
    return buf_ok(out) ? 0 : CS_ELIMIT;
}

static int read_url(const json_t *j, const char *name, struct span issuer, struct arena *a,
                    struct span *out)
{
    struct span url = json_member(j, name);
    if (!url.p)
        return json_object_get(j, name) ? CS_EPROTO : 0;
    if (url.n > METADATA_URL_MAX || issuer_url_fault(url))
        return CS_EDENIED;
    /* Plain http is for an issuer on this machine, not for one elsewhere to send us here. */
    if (span_casestarts(issuer, SPAN("https:")) && !span_casestarts(url, SPAN("https:")))
        return CS_EDENIED;
    *out = arena_dup(a, url);
    return out->p ? 0 : CS_ENOMEM;
}

int metadata_parse(struct span text, struct span issuer, struct arena *a, struct metadata *out)
{
    json_t *j = text.n <= METADATA_TEXT_MAX ? json_read_object(text) : NULL;
    int err = j ? 0 : CS_EPROTO;
    *out = (struct metadata){ 0 };
    if (!err && !span_eq(json_member(j, "issuer"), issuer))
        err = CS_EDENIED;
    if (!err)
        err = read_url(j, "jwks_uri", issuer, a, &out->jwks_uri);
    if (!err)
        err = read_url(j, "introspection_endpoint", issuer, a, &out->introspection_endpoint);
    if (err)
        *out = (struct metadata){ 0 };
    json_decref(j);
    return err;
}
