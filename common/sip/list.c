/* Reading the headers of a parsed message. */
#include "sip/chars.h"
#include "sip/parse.h"
#include "sip/scan.h"

/* Commas are part of these values, or nothing is listed. */
#define WHOLE                                                                                     \
    (SIP_HDR_BIT(SIP_HDR_AUTHORIZATION) | SIP_HDR_BIT(SIP_HDR_PROXY_AUTHORIZATION) |              \
     SIP_HDR_BIT(SIP_HDR_WWW_AUTHENTICATE) | SIP_HDR_BIT(SIP_HDR_PROXY_AUTHENTICATE) |            \
     SIP_HDR_BIT(SIP_HDR_DATE) | SIP_HDR_BIT(SIP_HDR_SUBJECT) | SIP_HDR_BIT(SIP_HDR_USER_AGENT) | \
     SIP_HDR_BIT(SIP_HDR_SERVER) | SIP_HDR_BIT(SIP_HDR_RETRY_AFTER) | SIP_HDR_BIT(SIP_HDR_OTHER))

struct span sip_hdr_named(const struct sip_msg *m, struct span name)
{
    for (size_t i = 0; i < m->n_hdr; i++) {
        if (span_caseeq(m->hdr[i].name, name))
            return m->hdr[i].value;
    }
    return SPAN_NULL;
}

struct span sip_hdr_value(const struct sip_msg *m, enum sip_hdr_id id)
{
    if (!sip_has(m, id))
        return SPAN_NULL;
    for (size_t i = 0; i < m->n_hdr; i++) {
        if (m->hdr[i].id == id)
            return m->hdr[i].value;
    }
    return SPAN_NULL;
}

int sip_hdr_u32(const struct sip_msg *m, enum sip_hdr_id id, uint32_t *out)
{
    uint64_t v = 0;
    bool found = false;
    if (!sip_has(m, id))
        return CS_ENOENT;
    for (size_t i = 0; i < m->n_hdr; i++) {
        if (m->hdr[i].id != id)
            continue;
        if (found || span_u64(m->hdr[i].value, UINT32_MAX, &v))
            return CS_EPROTO;
        found = true;
    }
    *out = (uint32_t)v;
    return 0;
}

/* Behind the quotation mark that ends what begins behind at, or the end. */
static size_t skip_quoted(struct span s, size_t at)
{
    for (size_t i = at; i < s.n; i++) {
        if (s.p[i] == '"')
            return i + 1;
        i += s.p[i] == '\\';
    }
    return s.n;
}

/* Where the value that s begins with ends. */
static size_t value_end(struct span s)
{
    size_t i = 0;
    for (;;) {
        while (i < s.n && !chars_is(s.p[i], CH_LIST))
            i++;
        if (i == s.n || s.p[i] == ',')
            return i;
        if (s.p[i] == '"') {
            i = skip_quoted(s, i + 1);
        } else {
            ptrdiff_t close = span_find(span_skip(s, i), '>');
            if (close < 0)
                return s.n;
            i += (size_t)close + 1;
        }
    }
}

bool parse_list_next(struct span *rest, struct span *value)
{
    while (rest->n) {
        size_t end = value_end(*rest);
        *value = chars_trim(span_head(*rest, end));
        *rest = span_skip(*rest, end + 1);
        if (value->n)
            return true;
    }
    return false;
}

struct sip_values sip_values(const struct sip_msg *m, enum sip_hdr_id id)
{
    return (struct sip_values){ .msg = m, .id = id, .next_hdr = sip_has(m, id) ? 0 : m->n_hdr };
}

bool sip_next(struct sip_values *it)
{
    const struct sip_msg *m = it->msg;
    for (;;) {
        if (parse_list_next(&it->rest, &it->value))
            return true;
        while (it->next_hdr < m->n_hdr && m->hdr[it->next_hdr].id != it->id)
            it->next_hdr++;
        if (it->next_hdr == m->n_hdr) {
            it->value = SPAN_NULL;
            return false;
        }
        struct span line = m->hdr[it->next_hdr++].value;
        if (!(WHOLE & SIP_HDR_BIT(it->id))) {
            it->rest = line;
        } else if (line.n) {
            it->value = line;
            return true;
        }
    }
}

bool sip_lists(const struct sip_msg *m, enum sip_hdr_id id, struct span tag)
{
    for (struct sip_values it = sip_values(m, id); sip_next(&it);) {
        if (span_caseeq(it.value, tag))
            return true;
    }
    return false;
}

bool sip_lacks(const struct sip_msg *m, enum sip_hdr_id id, const struct span *tags, size_t n,
               struct buf *out)
{
    bool lacks = false;
    for (struct sip_values it = sip_values(m, id); sip_next(&it);) {
        size_t i = 0;
        while (i < n && !span_caseeq(tags[i], it.value))
            i++;
        if (i < n)
            continue;
        buf_put(out, lacks ? SPAN(", ") : SPAN("Unsupported: "));
        buf_put(out, it.value);
        lacks = true;
    }
    if (lacks)
        buf_lit(out, "\r\n");
    return lacks;
}
