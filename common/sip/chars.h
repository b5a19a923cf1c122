/* Character classes of SIP's grammar (RFC 3261, 25.1), one table for all parsers here. */
#ifndef CS_SIP_CHARS_H
#define CS_SIP_CHARS_H

#include "base/addr.h"

enum {
    CH_DIGIT = 1,
    CH_TOKEN = 2,      /* alphanum and -.!%*_+`'~ */
    CH_HOST = 4,       /* what a host with brackets may hold: alphanum and -.[]: */
    CH_UNRESERVED = 8, /* alphanum and -_.!~*'() */
    CH_USER = 16,      /* unreserved and &=+$,;?/ */
    CH_PASSWORD = 32,  /* unreserved and &=+$, */
    CH_PARAM = 64,     /* unreserved and []/:&+$ */
    CH_HEADER = 128,   /* unreserved and []/?:+$ */
    CH_URI = 256,      /* what an absolute URI of another scheme may hold */
    CH_CALL_ID = 512,  /* visible, but for comma and semicolon */
    CH_TEL = 1024,     /* RFC 3966: phonedigit and what local numbers add */
    CH_LIST = 2048,    /* what a list of values is split by, or may hide that: ,"< */
    CH_LABEL = 4096,   /* what a label of a hostname may hold: alphanum and - */
};

extern const uint16_t chars_class[256];

static inline bool chars_is(char c, unsigned cls)
{
    return chars_class[(unsigned char)c] & cls;
}

/* Whether all of s is of the class. */
static inline bool chars_all(struct span s, unsigned cls)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!chars_is(s.p[i], cls))
            return false;
    }
    return true;
}

/* Whether any is below 0x20 or 0x7f. */
bool chars_has_control(struct span s);

static inline bool chars_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without linear white space at both ends, folds included. */
static inline struct span chars_trim(struct span s)
{
    while (s.n && chars_is_space(s.p[0]))
        s.p++, s.n--;
    while (s.n && chars_is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* The same for escapes too: all of s is of the class or "%" HEXDIG HEXDIG. */
bool chars_all_escaped(struct span s, unsigned cls);
/* The address of a bracketed IPv6 reference. */
bool chars_ipv6(struct span s, struct addr *out);
/* A host: hostname, IPv4 address or bracketed IPv6 address. */
bool chars_is_host(struct span s);

#endif
