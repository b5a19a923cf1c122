/* What is asked: whether a REGISTER may pass, with a digest response or a token. */
#ifndef AUTHLOAD_QUESTION_H
#define AUTHLOAD_QUESTION_H

#include "auth.pb-c.h"
#include "base/buf.h"
#include "phone.h"

enum kind {
    KIND_CHALLENGE, /* no credentials */
    KIND_DIGEST,
    KIND_TOKEN,
};

enum { NC_MOST = 200, TEXT_MAX = 128 };

struct asker { /* what questions are made of; borrowed */
    const char *listener;
    struct phones *phones;
    struct hash *hash;
    struct span domain;
    char **tokens; /* shown in turn */
    size_t n_tokens, n_told;
};

struct question {
    enum kind kind;
    struct phone *phone; /* whose turn it is; a token speaks of another one */
    const char *token;
    char listener[TEXT_MAX], aor[TEXT_MAX], uri[TEXT_MAX], domain[TEXT_MAX];
    char call_id[32], nc[9], cnonce[17], response[HASH_HEX], username[TEXT_MAX];
    uint8_t source[4];
};

/* Of q->phone, which for want of a fresh nonce asks for a challenge instead of showing a response.
 * False when a text is too long. */
bool question_make(struct asker *a, enum kind kind, struct question *q);
/* The answer to KIND_CHALLENGE: the phone's nonce from now on. False for what is no challenge. */
bool question_challenged(struct phone *p, struct span challenge);
/* The message for the socket; borrows from q. */
struct question_check {
    Countersign__Auth__Check check;
    Countersign__Auth__DigestCredentials digest;
    Countersign__Auth__DigestCredentials *list[1];
};
void question_to_check(const struct question *q, const struct asker *a, struct question_check *out);
/* The body for REST. */
void question_to_json(const struct question *q, const struct asker *a, struct buf *b);

#endif
