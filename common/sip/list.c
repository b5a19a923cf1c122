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

bool parse_list_next(struct span *rest, struct span *value)
{
    while (rest->n) {
        bool quoted = false, angle = false;
        size_t i = 0;
        for (; i < rest->n; i++) {
            char c = rest->p[i];
            if (quoted) {
                if (c == '\\')
                    i++;
                else
                    quoted = c != '"';
            } else if (angle) {
                angle = c != '>';
            } else if (c == ',') {
                break;
            } else {
                quoted = c == '"';
                angle = c == '<';
            }
        }
        *value = chars_trim(span_head(*rest, i));
        *rest = span_skip(*rest, i + 1);
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
