/* A cursor over a header value. Its error sticks: read on, look once at the end. Linear white space
 * (RFC 3261, 25.1) is skipped before each thing read; folded lines count as white space. */
#ifndef CS_SIP_SCAN_H
#define CS_SIP_SCAN_H

#include "base/buf.h"

struct scan {
    const char *p, *end;
    bool err;
};

static inline struct scan scan_of(struct span s)
{
    return (struct scan){ s.p, s.p + s.n, false };
}

void scan_lws(struct scan *s);
bool scan_accept(struct scan *s, char c); /* consumes c if it is next */
void scan_expect(struct scan *s, char c); /* error if it is not */
struct span scan_token(struct scan *s);   /* 1*( alphanum / "-.!%*_+`'~" ); error if empty */
struct span scan_quoted(struct scan *s);  /* inside of a quoted-string, escapes as written */
struct span scan_value(struct scan *s);   /* token, quoted-string or host: inside of quotes */
struct span scan_until(struct scan *s,
                       const char *stops); /* raw, trimmed; stops are not consumed */
uint32_t scan_u32(struct scan *s);
bool scan_done(struct scan *s); /* nothing but white space is left, and no error */

bool sip_is_token_char(char c);
/* Removes the backslashes of a quoted-string's inside (RFC 3261, 25.1: quoted-pair). */
void sip_unquote(struct buf *b, struct span inside);

#endif
