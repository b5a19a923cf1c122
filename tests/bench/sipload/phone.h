/* The phones that register: name and password, and what each remembers of the server. */
#ifndef SIPLOAD_PHONE_H
#define SIPLOAD_PHONE_H

#include <stdio.h>

#include "hash.h"

enum { PHONE_NONCE = 256, PHONE_OPAQUE = 128 };

struct phone {
    struct span name, password;
    uint32_t cseq; /* of its last request */
    uint32_t nc;   /* times the nonce was used */
    bool busy;     /* has a request under way */
    unsigned short nonce_n, opaque_n;
    char nonce[PHONE_NONCE], opaque[PHONE_OPAQUE];
    char ha1[HASH_HEX];
};

struct phones {
    struct phone *p;
    size_t n;
    char *text; /* what the names and passwords point into */
};

/* n phones user00000, user00001 and so on, each with a password of its own. */
CS_CHECK int phones_make(struct phones *ps, size_t n);
/* One "name,password" a line, at most n of them (0: all). CS_EPROTO for another line. */
CS_CHECK int phones_read(struct phones *ps, const char *path, size_t n);
void phones_write(const struct phones *ps, FILE *out);
void phones_fini(struct phones *ps);
/* Computes HA1 of every phone. */
void phones_hash(struct phones *ps, struct hash *h, struct span realm);

#endif
