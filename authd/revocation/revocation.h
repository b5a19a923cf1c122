/* A revocation (message Revocation of proto/store.proto): what nothing may rest on any more, and
 * how it stands in Redis. No I/O. */
#ifndef CS_AUTHD_REVOCATION_REVOCATION_H
#define CS_AUTHD_REVOCATION_REVOCATION_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "location/rests.h"

#define REVOKED(name) COUNTERSIGN__STORE__REVOCATION_KIND__REVOKED_##name

enum {
    REVOCATION_ID_LEN = 2 * REST_TAG_LEN, /* its tag in hexadecimal */
    REVOCATION_TEXT_MAX = 1024,
    REVOCATION_BY_MAX = 64,
    REVOCATION_REASON_MAX = 200,
    REVOCATION_RECORD_MAX = 3 * REVOCATION_TEXT_MAX,
    REVOCATION_WORDS_MAX = 400,
};

struct revocation { /* spans are borrowed; absent where they do not apply */
    Countersign__Store__RevocationKind kind;
    struct span issuer, value;
    bool bounded; /* only tokens issued before: */
    uint64_t before_s;
    struct wall since, until; /* until 0: for good */
    struct span by, reason;
};

/* The tag of what has this kind, issuer and value: their SHA-256, cut. */
void revocation_tag(Countersign__Store__RevocationKind kind, struct span issuer, struct span value,
                    unsigned char out[REST_TAG_LEN]);
/* Its tag as text. */
void revocation_id(const struct revocation *r, char out[REVOCATION_ID_LEN + 1]);
/* The tag of an id. CS_EPROTO for what is none. */
CS_CHECK int revocation_of_id(struct span id, unsigned char out[REST_TAG_LEN]);
/* What falls with it; tag is where its tag is kept. */
struct fallen revocation_fallen(const struct revocation *r, const unsigned char *tag);
bool revocation_has_ended(const struct revocation *r, struct wall now);
/* "jti", "sub", "sid", "issuer", "certificate", "serial", "device". */
struct span revocation_kind(Countersign__Store__RevocationKind kind);
/* For people: what was revoked, when, by whom and why. */
void revocation_write(struct buf *b, const struct revocation *r);

/* CS_ELIMIT when a bound above or the buffer is too small. */
CS_CHECK int revocation_encode(const struct revocation *r, struct buf *out);
/* Copied into the arena. CS_EPROTO for what is no Revocation of a schema we know, within the bounds
 * above. */
CS_CHECK int revocation_decode(struct span packed, struct arena *a, struct revocation *out);

#endif
