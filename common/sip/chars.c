#include "sip/chars.h"

#define ALNUM                                                                           \
    (CH_TOKEN | CH_HOST | CH_LABEL | CH_UNRESERVED | CH_USER | CH_PASSWORD | CH_PARAM | \
     CH_HEADER | CH_URI)
#define MARK    (CH_UNRESERVED | CH_USER | CH_PASSWORD | CH_PARAM | CH_HEADER | CH_URI | CH_CALL_ID)
#define ANY_URI (CH_URI | CH_CALL_ID)

const uint16_t chars_class[256] = {
    ['0' ... '9'] = ALNUM | CH_DIGIT | CH_CALL_ID | CH_TEL,
    ['A' ... 'F'] = ALNUM | CH_CALL_ID | CH_TEL,
    ['G' ... 'Z'] = ALNUM | CH_CALL_ID,
    ['a' ... 'f'] = ALNUM | CH_CALL_ID | CH_TEL,
    ['g' ... 'z'] = ALNUM | CH_CALL_ID,
    ['-'] = MARK | CH_TOKEN | CH_HOST | CH_LABEL | CH_TEL,
    ['.'] = MARK | CH_TOKEN | CH_HOST | CH_TEL,
    ['_'] = MARK | CH_TOKEN,
    ['!'] = MARK | CH_TOKEN,
    ['~'] = MARK | CH_TOKEN,
    ['*'] = MARK | CH_TOKEN | CH_TEL,
    ['\''] = MARK | CH_TOKEN,
    ['('] = MARK | CH_TEL,
    [')'] = MARK | CH_TEL,
    ['%'] = CH_TOKEN | CH_CALL_ID,
    ['`'] = CH_TOKEN | CH_CALL_ID,
    ['+'] = ANY_URI | CH_TOKEN | CH_USER | CH_PASSWORD | CH_PARAM | CH_HEADER | CH_TEL,
    ['&'] = ANY_URI | CH_USER | CH_PASSWORD | CH_PARAM,
    ['='] = ANY_URI | CH_USER | CH_PASSWORD,
    ['$'] = ANY_URI | CH_USER | CH_PASSWORD | CH_PARAM | CH_HEADER,
    [','] = CH_URI | CH_USER | CH_PASSWORD | CH_LIST,
    [';'] = CH_URI | CH_USER,
    ['?'] = ANY_URI | CH_USER | CH_HEADER,
    ['/'] = ANY_URI | CH_USER | CH_PARAM | CH_HEADER,
    ['['] = ANY_URI | CH_HOST | CH_PARAM | CH_HEADER,
    [']'] = ANY_URI | CH_HOST | CH_PARAM | CH_HEADER,
    [':'] = ANY_URI | CH_HOST | CH_PARAM | CH_HEADER,
    ['@'] = ANY_URI,
    ['#'] = CH_CALL_ID | CH_TEL,
    ['"'] = CH_CALL_ID | CH_LIST,
    ['\\'] = CH_CALL_ID,
    ['<'] = CH_CALL_ID | CH_LIST,
    ['>'] = CH_CALL_ID,
    ['{'] = CH_CALL_ID,
    ['}'] = CH_CALL_ID,
    ['|'] = CH_CALL_ID,
    ['^'] = CH_CALL_ID,
};

/* Eight bytes at once: whether any is below 0x20 or 0x7f. */
static bool word_has_control(const char *p)
{
    const uint64_t ones = UINT64_MAX / 0xff, high = ones << 7;
    uint64_t w;
    memcpy(&w, p, sizeof(w));
    uint64_t del = w ^ ones * 0x7f;
    return (((w - ones * 0x20) & ~w) | ((del - ones) & ~del)) & high;
}

bool chars_has_control(struct span s)
{
    size_t i = 0;
    for (; s.n - i >= 8; i += 8) {
        if (word_has_control(s.p + i))
            return true;
    }
    for (; i < s.n; i++) {
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    }
    return false;
}

bool chars_all_escaped(struct span s, unsigned cls)
{
    for (size_t i = 0; i < s.n; i++) {
        if (chars_is(s.p[i], cls))
            continue;
        if (s.p[i] != '%' || s.n - i < 3 || ascii_hex(s.p[i + 1]) < 0 || ascii_hex(s.p[i + 2]) < 0)
            return false;
        i += 2;
    }
    return true;
}

static bool is_ipv4(struct span s)
{
    for (int part = 0; part < 4; part++) {
        unsigned v = 0, digits = 0;
        for (; s.n && ascii_digit(*s.p) && digits < 4; s = span_skip(s, 1), digits++)
            v = v * 10 + (unsigned)(*s.p - '0');
        if (digits == 0 || digits > 3 || v > 255)
            return false;
        if (part < 3) {
            if (s.n == 0 || *s.p != '.')
                return false;
            s = span_skip(s, 1);
        }
    }
    return s.n == 0;
}

bool chars_ipv6(struct span s, struct addr *out)
{
    char text[ADDR_STRLEN];
    struct buf b = BUF_INIT(text);
    if (s.n < 2 || s.p[0] != '[' || s.p[s.n - 1] != ']')
        return false;
    if (addr_parse_host(s, 0, out) == 0)
        return true;
    /* RFC 3261's grammar allows a third colon before an IPv4 part; it is to be tolerated (RFC 5118,
     * 4.10). */
    for (size_t i = 0; i < s.n; i++) {
        if (s.n - i > 3 && memcmp(s.p + i, ":::", 3) == 0 && ascii_digit(s.p[i + 3]) &&
            span_find(s, '.') >= 0)
            i++;
        buf_putc(&b, s.p[i]);
    }
    return buf_ok(&b) && addr_parse_host(buf_span(&b), 0, out) == 0;
}

/* A label that begins with a digit and is neither decimal nor hexadecimal to inet_aton(). */
static bool is_name(struct span label)
{
    if (span_casestarts(label, SPAN("0x")))
        return false;
    for (size_t i = 0; i < label.n; i++) {
        if (ascii_alpha(label.p[i]))
            return true;
    }
    return false;
}

bool chars_is_host(struct span s)
{
    struct addr a;
    if (s.n == 0)
        return false;
    if (s.p[0] == '[')
        return chars_ipv6(s, &a);
    /* hostname = *( domainlabel "." ) toplabel [ "." ] */
    const char *label = s.p, *top, *end = s.p + s.n;
    for (const char *p = s.p;; p++) {
        if (p == end || *p == '.') {
            if (p == label || label[0] == '-' || p[-1] == '-')
                return false;
            top = label;
            label = p + 1;
            if (p == end || label == end)
                break;
        } else if (!chars_is(*p, CH_LABEL)) {
            return false;
        }
    }
    /* RFC 3261 wants a letter first in the toplabel. Names of machines that begin with a digit
     * exist (RFC 1123, 2.1) and are taken, but for what somebody could read as a number. */
    return ascii_alpha(*top) || is_ipv4(s) || is_name(span_of(top, (size_t)(end - top)));
}
