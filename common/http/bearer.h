/* Who may ask: a table of bearer tokens (RFC 6750), each with a name and a role. Of a token only
 * its SHA-256 is kept. */
#ifndef CS_HTTP_BEARER_H
#define CS_HTTP_BEARER_H

#include "base/buf.h"

/* A role may do what those behind it may. The strictest is 0: who forgets to say gets that. */
enum http_role { HTTP_ADMINISTER, HTTP_OPERATE, HTTP_READ, HTTP_PUBLIC };

enum {
    BEARER_TOKEN_MIN = 32, /* characters: shorter ones can be guessed */
    BEARER_TOKEN_LEN = 43, /* of those we make: 256 bits in base64url */
    BEARER_NAME_MAX = 64,
    BEARER_MAX = 256, /* tokens */
};

struct bearer {
    char name[BEARER_NAME_MAX + 1];
    enum http_role role;
    unsigned char hash[32];
};

struct bearers {         /* zero is empty */
    struct bearer *list; /* owned */
    size_t n;
};

/* "read", "operate", "administer"; "none" for HTTP_PUBLIC. */
struct span role_name(enum http_role role);
/* CS_ENOENT for another name than those three. */
CS_CHECK int role_of(struct span name, enum http_role *out);

/* Adds a token. CS_EPROTO for a name or token of other characters than they may have, CS_ELIMIT for
 * a token that is too short or one too many, CS_ECONFLICT for a name or token that is there
 * already, CS_ENOMEM; why gets a sentence. */
CS_CHECK int bearers_add(struct bearers *b, struct span name, enum http_role role,
                         struct span token, struct buf *why);
/* Adds what a file says: lines of NAME ROLE TOKEN or NAME ROLE sha256:HEX, blank ones and those
 * that begin with # apart. Errors as above; *line is where. */
CS_CHECK int bearers_parse(struct bearers *b, struct span text, struct buf *why, unsigned *line);
void bearers_fini(struct bearers *b);

/* Whose token this is, NULL if nobody's. Takes the same time whichever it is. */
const struct bearer *bearers_find(const struct bearers *b, struct span token);
/* Of an Authorization header's value; absent if it is of another scheme. */
struct span bearer_token(struct span authorization);

/* Makes a token; hash gets its SHA-256 in hexadecimal. */
void bearer_make(char token[BEARER_TOKEN_LEN + 1], char hash[64 + 1]);

#endif
