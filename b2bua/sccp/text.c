#include "b2bua/sccp/text.h"

#include "b2bua/sccp/table.h"

/* Without their marks, U+0100 to U+017F: Latin letters that ISO 8859-1 lacks. */
static const char latin_extended_a[] =
    "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiJjJjKkkLlLlLl"
    "LlLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

/* What stands for a character behind U+00FF, at most three bytes. */
static size_t spell(uint32_t c, char out[3])
{
    static const struct {
        uint16_t c;
        char text[4];
    } signs[] = {
        { 0x0132, "IJ" }, { 0x0133, "ij" }, { 0x0152, "OE" },  { 0x0153, "oe" },  { 0x2010, "-" },
        { 0x2011, "-" },  { 0x2012, "-" },  { 0x2013, "-" },   { 0x2014, "-" },   { 0x2015, "-" },
        { 0x2018, "'" },  { 0x2019, "'" },  { 0x201a, "'" },   { 0x201c, "\"" },  { 0x201d, "\"" },
        { 0x201e, "\"" }, { 0x2022, "*" },  { 0x2026, "..." }, { 0x20ac, "EUR" }, { 0x2212, "-" },
    };
    for (size_t i = 0; i < CS_LEN(signs); i++) {
        if (signs[i].c != c)
            continue;
        size_t n = strlen(signs[i].text);
        memcpy(out, signs[i].text, n);
        return n;
    }
    out[0] = c >= 0x100 && c < 0x180 ? latin_extended_a[c - 0x100] : '?';
    return 1;
}

_Static_assert(sizeof(latin_extended_a) - 1 == 0x80, "a letter for each");

static uint32_t code_point(const unsigned char *p, size_t n)
{
    if (n == 1)
        return p[0];
    uint32_t c = p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3f);
    return c;
}

/* One character as ISO 8859-1. */
static size_t latin(uint32_t c, char out[3])
{
    if (c >= 0x100)
        return spell(c, out);
    out[0] = (char)c;
    return 1;
}

size_t sccp_text_write(char *out, size_t most, struct span text, bool utf8, bool labels)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n;) {
        const unsigned char *p = (const unsigned char *)text.p + i;
        char one[4] = { '?' };
        size_t used = utf8_len(p, text.n - i), len = 1;
        if (p[0] == 0x80 && labels && text.n - i >= 2 && p[1]) {
            memcpy(one, p, 2);
            used = len = 2;
        } else if (!used) {
            used = 1;
        } else if (p[0] == 0xc2 && p[1] < 0xa0) {
            ; /* a control character, and a phone might take the first for a label */
        } else if (p[0] < 0x20 || p[0] == 0x7f) {
            one[0] = ' ';
        } else if (utf8) {
            memcpy(one, p, used);
            len = used;
        } else {
            len = latin(code_point(p, used), one);
        }
        if (len > most - n)
            break;
        memcpy(out + n, one, len);
        n += len;
        i += used;
    }
    return n;
}

void sccp_text_read(struct buf *b, struct span text, bool labels)
{
    for (size_t i = 0; i < text.n;) {
        const unsigned char *p = (const unsigned char *)text.p + i;
        size_t used = utf8_len(p, text.n - i);
        if (p[0] == 0x80 && labels && text.n - i >= 2) {
            const char *word = sccp_word(SCCP_WORDS_label, p[1]);
            if (word)
                buf_printf(b, "[%s]", word);
            else
                buf_printf(b, "[label %u]", p[1]);
            i += 2;
        } else if (used) {
            buf_put(b, span_of(p, used));
            i += used;
        } else {
            buf_putc(b, (char)(0xc0 | p[0] >> 6));
            buf_putc(b, (char)(0x80 | (p[0] & 0x3f)));
            i++;
        }
    }
}
