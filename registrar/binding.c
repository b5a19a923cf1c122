#include "registrar/binding.h"

#include "registrar/gruu.h"
#include "registrar/route_token.h"
#include "sip/params.h"

#define STORE(name) Countersign__Store__##name

enum {
    HOUR = 3600,     /* a request for an hour or more is never too brief (RFC 3261, 10.3) */
    MALFORMED = 3600 /* what an Expires that cannot be read means (RFC 3261, 20.19) */
};

/* ---- reading ---- */

static uint32_t parse_expires(struct span text)
{
    uint64_t v;
    return span_u64(text, UINT32_MAX, &v) ? MALFORMED : (uint32_t)v;
}

static int read_param(struct register_contact *c, struct span param)
{
    struct span value = param;
    struct span name = span_trim(span_cut(&value, '='));
    value = span_trim(value);
    if (span_caseeq(name, SPAN("expires"))) {
        c->has_expires = true;
        c->expires = parse_expires(value);
    } else if (span_caseeq(name, SPAN("q"))) {
        c->has_q = true;
        return params_q(value, &c->q);
    } else if (span_caseeq(name, SPAN("+sip.instance"))) {
        if (value.n < 2 || value.p[0] != '"' || value.p[value.n - 1] != '"')
            return CS_EPROTO;
        c->instance = span_of(value.p + 1, value.n - 2);
    } else if (span_caseeq(name, SPAN("reg-id"))) {
        uint64_t id;
        if (span_u64(value, INT32_MAX, &id) || id == 0)
            return CS_EPROTO;
        c->reg_id = (uint32_t)id;
    } else {
        c->params[c->n_params++] = param;
    }
    return 0;
}

/* Cuts the next ";name=value" off, minding quoted strings. */
static struct span next_param(struct span *rest)
{
    bool quoted = false;
    size_t i = 0;
    if (rest->n && rest->p[0] == ';')
        *rest = span_skip(*rest, 1);
    for (; i < rest->n && (quoted || rest->p[i] != ';'); i++) {
        if (quoted && rest->p[i] == '\\')
            i++;
        else if (rest->p[i] == '"')
            quoted = !quoted;
    }
    struct span param = span_trim(span_head(*rest, i));
    *rest = span_skip(*rest, i);
    return param;
}

static int read_contact(struct span value, struct arena *a, struct register_contact *c,
                        const char **why)
{
    size_t most = 1;
    *c = (struct register_contact){ 0 };
    *why = "Malformed Contact";
    if (sip_addr_parse(value, &c->addr))
        return CS_EPROTO;
    if (c->addr.uri.scheme != SIP_SCHEME_SIP && c->addr.uri.scheme != SIP_SCHEME_SIPS) {
        *why = "Contact Is Not A SIP URI";
        return CS_EPROTO;
    }
    for (size_t i = 0; i < c->addr.params.n; i++)
        most += c->addr.params.p[i] == ';';
    c->params = arena_alloc(a, most * sizeof(*c->params));
    if (!c->params)
        return CS_ENOMEM;
    for (struct span rest = c->addr.params; rest.n;) {
        struct span param = next_param(&rest);
        if (param.n && read_param(c, param))
            return CS_EPROTO;
    }
    return 0;
}

int binding_read_contacts(const struct sip_msg *m, struct arena *a, struct register_ask *ask,
                          const char **why)
{
    size_t n = 0, flows = 0;
    struct span expires = sip_hdr_value(m, SIP_HDR_EXPIRES);
    ask->has_expires = expires.p != NULL;
    ask->expires = parse_expires(expires);
    for (struct sip_values it = sip_values(m, SIP_HDR_CONTACT); sip_next(&it);) {
        ask->remove_all |= span_eq(it.value, SPAN("*"));
        n++;
    }
    if (ask->remove_all) { /* RFC 3261, 10.3 step 6 */
        *why = "Contact: * Wants To Be Alone With Expires: 0";
        return n == 1 && ask->has_expires && span_eq(expires, SPAN("0")) ? 0 : CS_EPROTO;
    }
    struct register_contact *contacts = arena_alloc(a, n * sizeof(*contacts));
    if (!contacts)
        return CS_ENOMEM;
    ask->contacts = contacts;
    for (struct sip_values it = sip_values(m, SIP_HDR_CONTACT); sip_next(&it);) {
        struct register_contact *c = &contacts[ask->n_contacts];
        int err = read_contact(it.value, a, c, why);
        if (err)
            return err;
        for (size_t i = 0; i < ask->n_contacts; i++) {
            if (sip_uri_eq(&contacts[i].addr.uri, &c->addr.uri)) {
                *why = "Contact Given Twice"; /* two readers could choose differently */
                return CS_EPROTO;
            }
        }
        flows += c->reg_id != 0;
        ask->n_contacts++;
    }
    *why = "More Than One reg-id"; /* RFC 5626, 6 */
    return flows > 1 ? CS_EPROTO : 0;
}

/* ---- deciding ---- */

static char *text(struct arena *a, struct span s)
{
    return s.n ? arena_str(a, s) : NULL;
}

/* URNs are compared in either case (RFC 8141, 3.1). */
static bool is_instance(const STORE(Binding) * b, struct span instance)
{
    return b->instance && instance.n && span_caseeq(span_str(b->instance), instance);
}

static bool same_binding(const STORE(Binding) * b, const struct register_contact *c)
{
    struct sip_uri uri;
    if (c->reg_id && b->has_reg_id) /* RFC 5626, 6: the flow's name, not its address */
        return b->reg_id == c->reg_id && is_instance(b, c->instance);
    return sip_uri_parse(span_str(b->contact), &uri) == 0 && sip_uri_eq(&uri, &c->addr.uri);
}

/* A request that was overtaken must not undo the later one (RFC 3261, 10.3 step 7). */
static bool overtaken(const STORE(Binding) * b, const struct register_ask *ask)
{
    return span_eq(span_str(b->call_id), ask->call_id) && b->cseq >= ask->cseq;
}

static char *join_params(const struct register_contact *c, struct arena *a)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_params; i++)
        n += c->params[i].n + 1;
    if (!n)
        return NULL;
    char *p = arena_alloc(a, n + 1);
    if (!p)
        return NULL;
    struct buf b = buf_of(p, n);
    for (size_t i = 0; i < c->n_params; i++) {
        buf_putc(&b, ';');
        buf_put(&b, c->params[i]);
    }
    p[n] = '\0';
    return p;
}

static STORE(Binding) * make(const struct register_contact *c, const struct register_ask *ask,
                             uint32_t expires, const STORE(Binding) * before, struct arena *a)
{
    STORE(Binding) *b = arena_alloc(a, sizeof(*b));
    if (!b)
        return NULL;
    countersign__store__binding__init(b);
    b->contact = text(a, c->addr.uri.text);
    b->call_id = text(a, ask->call_id);
    b->cseq = ask->cseq;
    b->expires_ms = (uint64_t)(ask->now.ms + (int64_t)expires * 1000);
    b->has_q = c->has_q;
    b->q = c->q;
    b->flow = text(a, ask->flow);
    b->owner = text(a, ask->owner);
    b->user = text(a, ask->user);
    b->token = ask->token;
    b->has_rests_on = ask->rests_on.n > 0;
    b->rests_on.data = (uint8_t *)ask->rests_on.p;
    b->rests_on.len = ask->rests_on.n;
    if (ask->token && ask->token->has_exp_s) /* the grant was made a moment ago */
        b->expires_ms = CS_MIN(b->expires_ms, ask->token->exp_s * 1000);
    b->user_agent = text(a, span_head(ask->user_agent, 64));
    b->source = text(a, ask->source);
    b->instance = text(a, c->instance);
    b->has_reg_id = c->reg_id != 0;
    b->reg_id = c->reg_id;
    b->params = join_params(c, a);
    b->has_since_ms = true;
    b->since_ms = before && before->has_since_ms ? before->since_ms : (uint64_t)ask->now.ms;
    if (ask->n_path) {
        b->path = arena_alloc(a, ask->n_path * sizeof(*b->path));
        if (!b->path)
            return NULL;
        for (size_t i = 0; i < ask->n_path; i++) {
            b->path[i] = text(a, ask->path[i]);
            if (!b->path[i])
                return NULL;
        }
        b->n_path = ask->n_path;
    }
    return b->contact && b->call_id ? b : NULL;
}

static int refuse(struct register_answer *out, unsigned status, const char *why)
{
    *out = (struct register_answer){ .status = status, .why = why };
    return 0;
}

static void drop(STORE(Location) * r, size_t i)
{
    memmove(&r->binding[i], &r->binding[i + 1], (r->n_binding - i - 1) * sizeof(*r->binding));
    r->n_binding--;
}

/* What this phone left behind when it was last here: without flows a phone has one binding, but for
 * those that one Call-ID made, and with flows as many as it has reg-ids. */
static void drop_ghosts(STORE(Location) * r, const struct register_contact *c, size_t at,
                        const struct register_ask *ask)
{
    for (size_t i = r->n_binding; c->instance.n && !c->reg_id && i-- > 0;) {
        const STORE(Binding) *b = r->binding[i];
        if (i != at && !b->has_reg_id && is_instance(b, c->instance) &&
            !span_eq(span_str(b->call_id), ask->call_id))
            drop(r, i);
    }
}

int binding_apply(const STORE(Location) * old, const struct register_ask *ask, struct arena *a,
                  struct register_answer *out)
{
    size_t n_old = old ? old->n_binding : 0;
    STORE(Location) *r = arena_alloc(a, sizeof(*r));
    STORE(Binding) **slots = arena_alloc(a, (n_old + ask->n_contacts) * sizeof(*slots));
    bool changed = false;
    *out = (struct register_answer){ 0 };
    if (!r || !slots)
        return CS_ENOMEM;
    countersign__store__location__init(r);
    r->binding = slots;
    for (size_t i = 0; i < n_old; i++) {
        if (!binding_is_live(old->binding[i], ask->now))
            continue;
        if (ask->remove_all && overtaken(old->binding[i], ask))
            return refuse(out, 500, "CSeq Is Not Higher");
        if (ask->remove_all)
            changed = true;
        else
            slots[r->n_binding++] = old->binding[i];
    }
    const size_t n_before = r->n_binding;
    for (size_t i = 0; i < ask->n_contacts; i++) {
        const struct register_contact *c = &ask->contacts[i];
        uint32_t expires = c->has_expires     ? c->expires
                           : ask->has_expires ? ask->expires
                                              : ask->expires_default;
        if (expires && expires < ask->expires_min && expires < HOUR)
            return refuse(out, 423, "Interval Too Brief");
        expires = CS_MIN(expires, ask->expires_max);
        size_t at = 0;
        while (at < r->n_binding && !same_binding(r->binding[at], c))
            at++;
        bool found = at < r->n_binding;
        if (found && overtaken(r->binding[at], ask))
            return refuse(out, 500, "CSeq Is Not Higher");
        if (expires == 0) {
            if (found)
                drop(r, at);
            changed |= found;
            continue;
        }
        STORE(Binding) *b = make(c, ask, expires, found ? r->binding[at] : NULL, a);
        if (!b)
            return CS_ENOMEM;
        at = found ? at : r->n_binding++;
        r->binding[at] = b;
        drop_ghosts(r, c, at, ask);
        changed = true;
    }
    /* Who has more, since the bound was lowered, may refresh and remove them. */
    if (ask->max_contacts && r->n_binding > CS_MAX((size_t)ask->max_contacts, n_before))
        return refuse(out, 503, "Too Many Contacts");
    *out = (struct register_answer){ .status = 200, .changed = changed, .record = r };
    return 0;
}

/* ---- showing ---- */

void binding_write_contacts(struct buf *b, const STORE(Location) * record, struct wall now,
                            struct span gruu_aor)
{
    for (size_t i = 0; record && i < record->n_binding; i++) {
        const STORE(Binding) *it = record->binding[i];
        if (!binding_is_live(it, now))
            continue;
        buf_lit(b, "Contact: <");
        buf_put(b, span_str(it->contact));
        buf_lit(b, ">;expires=");
        buf_u64(b, (uint64_t)(((int64_t)it->expires_ms - now.ms + 999) / 1000));
        if (it->has_q) {
            uint32_t q = it->q % 1000;
            char digits[5] = { it->q >= 1000 ? '1' : '0', '.', (char)('0' + q / 100),
                               (char)('0' + q / 10 % 10), (char)('0' + q % 10) };
            buf_lit(b, ";q=");
            buf_put(b, span_of(digits, sizeof(digits)));
        }
        if (it->instance) {
            buf_lit(b, ";+sip.instance=\"");
            buf_put(b, span_str(it->instance));
            buf_putc(b, '"');
        }
        if (gruu_aor.p && gruu_has(span_str(it->instance))) {
            buf_lit(b, ";pub-gruu=\"");
            gruu_write(b, gruu_aor, span_str(it->instance));
            buf_putc(b, '"');
        }
        if (it->has_reg_id) {
            buf_lit(b, ";reg-id=");
            buf_u64(b, it->reg_id);
        }
        buf_put(b, span_str(it->params));
        buf_lit(b, "\r\n");
    }
}

struct span binding_request_uri(const STORE(Binding) * b, enum sip_scheme asked, struct arena *a)
{
    struct sip_uri uri;
    struct span text = span_str(b->contact);
    if (sip_uri_parse(text, &uri))
        return text;
    bool lower = uri.scheme == SIP_SCHEME_SIPS && asked == SIP_SCHEME_SIP;
    if (uri.scheme == SIP_SCHEME_SIP && asked == SIP_SCHEME_SIPS)
        return SPAN_NULL;
    if (!uri.method.p && !uri.headers.p && !lower)
        return text;
    char *memory = arena_alloc(a, text.n);
    if (!memory)
        return SPAN_NULL;
    struct buf out = buf_of(memory, text.n);
    struct span rest = uri.params;
    if (lower)
        buf_lit(&out, "sip");
    struct span head = span_of(text.p, (size_t)(rest.p - text.p));
    buf_put(&out, lower ? span_skip(head, uri.scheme_name.n) : head);
    span_cut(&rest, ';'); /* what is before the first one: nothing */
    while (rest.p) {
        struct span param = span_cut(&rest, ';'), name = param;
        if (span_caseeq(span_cut(&name, '='), SPAN("method")))
            continue;
        buf_putc(&out, ';');
        buf_put(&out, param);
    }
    return buf_span(&out);
}

static size_t count_sips(const struct register_ask *ask)
{
    size_t n = 0;
    for (size_t i = 0; i < ask->n_contacts; i++)
        n += ask->contacts[i].addr.uri.scheme == SIP_SCHEME_SIPS;
    return n;
}

bool binding_any_sips(const struct register_ask *ask)
{
    return count_sips(ask) > 0;
}

bool binding_all_sips(const struct register_ask *ask)
{
    return count_sips(ask) == ask->n_contacts;
}

void binding_write_path(struct buf *b, const Countersign__Store__Binding *binding, struct span tag)
{
    buf_lit(b, "<sip:");
    buf_put(b, span_str(binding->flow));
    route_tag_put(b, tag);
    buf_putc(b, '@');
    buf_put(b, span_str(binding->owner));
    buf_lit(b, ";lr>");
}
