#include "authd/check/aor.h"

#include "authd/store/user.h"
#include "sip/uri.h"

int aor_of(struct span text, struct arena *a, struct span *out)
{
    char space[2 * SIP_AOR_MAX + 8], canonical[SIP_AOR_MAX];
    struct buf in = BUF_INIT(space), b = BUF_INIT(canonical);
    struct sip_uri uri;
    if (!span_casestarts(text, SPAN("sip:")) && !span_casestarts(text, SPAN("sips:")))
        buf_lit(&in, "sip:");
    buf_put(&in, text);
    if (!buf_ok(&in))
        return CS_ELIMIT;
    int err = sip_uri_parse(buf_span(&in), &uri);
    if (!err)
        err = sip_aor_write(&b, &uri);
    if (err)
        return err;
    *out = arena_dup(a, buf_span(&b));
    return out->p ? 0 : CS_ENOMEM;
}

/* RFC 3261, 25.1: user. */
int aor_of_user(struct span name, struct span domain, struct arena *a, struct span *out)
{
    static const struct span plain = SPAN_INIT("-_.!~*'()&=+$,;?/");
    char text[4 * USER_MAX_NAME + 1];
    struct buf b = BUF_INIT(text);
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (ascii_alpha(c) || ascii_digit(c) || span_find(plain, c) >= 0)
            buf_putc(&b, c);
        else
            buf_printf(&b, "%%%02X", (unsigned char)c);
    }
    buf_putc(&b, '@');
    buf_put(&b, domain);
    return buf_ok(&b) ? aor_of(buf_span(&b), a, out) : CS_ELIMIT;
}

int aor_split(struct span aor, struct arena *a, struct span *name, struct span *domain)
{
    struct span rest = aor;
    if (!span_starts(aor, SPAN("sip:")))
        return CS_EPROTO;
    rest = span_skip(rest, 4);
    const struct span user = span_cut(&rest, '@');
    char *p = arena_alloc(a, user.n + 1);
    if (!p)
        return CS_ENOMEM;
    struct buf b = buf_of(p, user.n + 1);
    for (size_t i = 0; i < user.n; i++) {
        int high, low;
        if (user.p[i] == '%' && i + 2 < user.n && (high = ascii_hex(user.p[i + 1])) >= 0 &&
            (low = ascii_hex(user.p[i + 2])) >= 0) {
            buf_putc(&b, (char)(high << 4 | low));
            i += 2;
        } else {
            buf_putc(&b, user.p[i]);
        }
    }
    *name = buf_span(&b);
    *domain = rest;
    return name->n && domain->n ? 0 : CS_EPROTO;
}
