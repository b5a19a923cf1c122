#include "authd/check/auth_id.h"

#include "authd/check/aor.h"
#include "base/buf.h"

enum { DOMAINS_MAX = AUTH_ID_MAX - 1, NUMBER_MAX = 15 }; /* digits (ITU-T E.164, 6) */

static bool is_number(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_digit(s.p[i]))
            return false;
    }
    return s.n > 0 && s.n <= NUMBER_MAX;
}

struct span auth_id_user(struct span shown, unsigned forms)
{
    size_t at = shown.n;
    while (at > 0 && shown.p[at - 1] != '@')
        at--;
    if ((forms & FORM_USER_AT_DOMAIN) && at > 0)
        return span_head(shown, at - 1);
    if ((forms & FORM_E164) && shown.n > 1 && shown.p[0] == '+' && is_number(span_skip(shown, 1)))
        return span_skip(shown, 1);
    return (forms & FORM_USER) ? shown : SPAN("");
}

static struct span joined(struct span a, char between, struct span b, struct arena *arena)
{
    char *p = arena_alloc(arena, a.n + b.n + 1);
    if (!p)
        return SPAN_NULL;
    struct buf out = buf_of(p, a.n + b.n + 1);
    buf_put(&out, a);
    buf_putc(&out, between);
    buf_put(&out, b);
    return buf_span(&out);
}

static bool among(const struct span *list, size_t n, struct span s)
{
    for (size_t i = 0; i < n; i++) {
        if (span_eq(list[i], s))
            return true;
    }
    return false;
}

int auth_id_names(struct span name, const struct span *aors, size_t n_aors, unsigned forms,
                  struct arena *a, struct span out[AUTH_ID_MAX], size_t *n)
{
    *n = 0;
    for (size_t i = 0; (forms & FORM_USER_AT_DOMAIN) && i < n_aors && *n < DOMAINS_MAX; i++) {
        struct span user, domain, way;
        int err = aor_split(aors[i], a, &user, &domain);
        if (err == CS_EPROTO) /* of no domain */
            continue;
        if (err)
            return err;
        way = joined(name, '@', domain, a);
        if (!way.p)
            return CS_ENOMEM;
        if (!among(out, *n, way))
            out[(*n)++] = way;
    }
    if ((forms & FORM_E164) && is_number(name)) {
        out[*n] = joined(SPAN(""), '+', name, a);
        if (!out[(*n)++].p)
            return CS_ENOMEM;
    }
    return 0;
}
