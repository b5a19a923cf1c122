#include "b2bua/dialplan/number.h"

bool number_is(struct span text)
{
    bool digit = false;
    if (text.n && text.p[0] == '+')
        text = span_skip(text, 1);
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        const bool key = ascii_digit(c) || c == '*' || c == '#';
        if (!key && !(c >= 'A' && c <= 'D'))
            return false;
        digit = digit || key;
    }
    return digit;
}

static bool is_name(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        if (!ascii_digit(c) && !ascii_alpha(c) && !(c && strchr("-_.!~*'()&=+$,;?/", c)))
            return false;
    }
    return true;
}

int number_plain(struct span user, struct buf *out)
{
    char plain[NUMBER_MAX];
    struct buf b = BUF_INIT(plain);
    for (size_t i = 0; i < user.n && user.p[i] != ';'; i++) {
        if (!strchr("-.()", user.p[i]))
            buf_putc(&b, user.p[i]);
    }
    const bool number = buf_ok(&b) && number_is(buf_span(&b));
    if (!number && user.n > NUMBER_MAX)
        return CS_ELIMIT;
    if (!number && !is_name(user))
        return CS_EPROTO;
    buf_put(out, number ? buf_span(&b) : user);
    return buf_ok(out) ? 0 : CS_ELIMIT;
}
