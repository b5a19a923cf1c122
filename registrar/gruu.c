#include "registrar/gruu.h"

enum { INSTANCE_MAX = 256 };

/* Without its angle brackets (RFC 5626, 4.1). */
static struct span urn_of(struct span instance)
{
    if (instance.n >= 2 && instance.p[0] == '<' && instance.p[instance.n - 1] == '>')
        return span_of(instance.p + 1, instance.n - 2);
    return instance;
}

static bool is_urn(struct span text)
{
    return text.n > 4 && text.n <= INSTANCE_MAX && span_casestarts(text, SPAN("urn:"));
}

bool gruu_has(struct span instance)
{
    return is_urn(urn_of(instance));
}

/* What a parameter of a URI may hold as it is (RFC 3261, 25.1: paramchar). */
static bool is_plain(char c)
{
    return c && (ascii_alpha(c) || ascii_digit(c) || strchr("-_.!~*'()[]/:&+$", c));
}

static void write_escaped(struct buf *b, struct span text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (is_plain((char)c)) {
            buf_putc(b, (char)c);
            continue;
        }
        buf_putc(b, '%');
        buf_putc(b, digits[c >> 4]);
        buf_putc(b, digits[c & 15]);
    }
}

void gruu_write(struct buf *b, struct span aor, struct span instance)
{
    buf_put(b, aor);
    buf_lit(b, ";gr=");
    write_escaped(b, urn_of(instance));
}

/* The URN that gr holds; full when it is longer than any instance, or badly escaped. */
static struct buf read_gr(const struct sip_uri *uri, char out[INSTANCE_MAX])
{
    struct span gr = sip_uri_param(uri, SPAN("gr"));
    struct buf b = buf_of(out, INSTANCE_MAX);
    for (size_t i = 0; i < gr.n; i++) {
        char c = gr.p[i];
        if (c == '%') {
            int high = gr.n - i > 2 ? ascii_hex(gr.p[i + 1]) : -1;
            int low = high >= 0 ? ascii_hex(gr.p[i + 2]) : -1;
            if (low < 0) {
                b.full = true;
                break;
            }
            c = (char)(high << 4 | low);
            i += 2;
        }
        buf_putc(&b, c);
    }
    return b;
}

bool gruu_is_ours(const struct sip_uri *uri)
{
    char text[INSTANCE_MAX];
    struct buf b = read_gr(uri, text);
    return buf_ok(&b) && is_urn(buf_span(&b));
}

bool gruu_names(const struct sip_uri *uri, struct span instance)
{
    char text[INSTANCE_MAX];
    struct buf b = read_gr(uri, text);
    return buf_ok(&b) && instance.n && span_caseeq(buf_span(&b), urn_of(instance));
}
