#include "sip/scan.h"

#include "sip/chars.h"

bool sip_is_token_char(char c)
{
    return chars_is(c, CH_TOKEN);
}

void scan_lws(struct scan *s)
{
    while (s->p < s->end) {
        if (*s->p == ' ' || *s->p == '\t')
            s->p++;
        else if (s->end - s->p >= 3 && s->p[0] == '\r' && s->p[1] == '\n' &&
                 (s->p[2] == ' ' || s->p[2] == '\t'))
            s->p += 3; /* a fold: CRLF and at least one WSP */
        else
            return;
    }
}

bool scan_accept(struct scan *s, char c)
{
    scan_lws(s);
    if (s->err || s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

void scan_expect(struct scan *s, char c)
{
    if (!scan_accept(s, c))
        s->err = true;
}

/* One or more characters of a class. */
static struct span run(struct scan *s, unsigned cls)
{
    scan_lws(s);
    const char *start = s->p, *p = start, *end = s->end;
    while (p < end && chars_is(*p, cls))
        p++;
    s->p = p;
    if (p == start)
        s->err = true;
    return s->err ? SPAN_NULL : span_of(start, (size_t)(p - start));
}

struct span scan_token(struct scan *s)
{
    return run(s, CH_TOKEN);
}

/* The quotation mark that ends a string with quoted-pairs, or NULL. */
static const char *end_of_escaped(const char *p, const char *end)
{
    for (; p < end && *p != '"'; p++) {
        if (*p != '\\')
            continue;
        /* quoted-pair: anything but CR and LF (RFC 3261, 25.1) */
        if (end - p < 2 || p[1] == '\r' || p[1] == '\n')
            return NULL;
        p++;
    }
    return p < end ? p : NULL;
}

struct span scan_quoted(struct scan *s)
{
    scan_expect(s, '"');
    if (s->err)
        return SPAN_NULL;
    const char *start = s->p;
    const size_t left = (size_t)(s->end - start);
    const char *quote = left ? memchr(start, '"', left) : NULL;
    if (!quote || memchr(start, '\\', (size_t)(quote - start)))
        quote = end_of_escaped(start, s->end);
    if (!quote) {
        s->err = true;
        return SPAN_NULL;
    }
    s->p = quote + 1;
    return span_of(start, (size_t)(quote - start));
}

struct span scan_value(struct scan *s)
{
    scan_lws(s);
    if (s->p < s->end && *s->p == '"')
        return scan_quoted(s);
    return run(s, CH_TOKEN | CH_HOST); /* host: with brackets and colons (RFC 5118, 4.5) */
}

struct span scan_until(struct scan *s, const char *stops)
{
    scan_lws(s);
    const char *start = s->p;
    while (s->p < s->end && !(*s->p && strchr(stops, *s->p)))
        s->p++;
    return s->err ? SPAN_NULL : chars_trim(span_of(start, (size_t)(s->p - start)));
}

uint32_t scan_u32(struct scan *s)
{
    uint64_t v = 0;
    struct span digits = run(s, CH_DIGIT);
    if (!s->err && span_u64(digits, UINT32_MAX, &v))
        s->err = true;
    return s->err ? 0 : (uint32_t)v;
}

bool scan_done(struct scan *s)
{
    scan_lws(s);
    return !s->err && s->p == s->end;
}

void sip_unquote(struct buf *b, struct span inside)
{
    for (size_t i = 0; i < inside.n; i++) {
        if (inside.p[i] == '\\' && i + 1 < inside.n)
            i++;
        buf_putc(b, inside.p[i]);
    }
}
