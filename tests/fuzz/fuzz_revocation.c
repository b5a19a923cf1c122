/* Revocations: what Redis may hold, and what a request may say. */
#include <assert.h>

#include "authd/rest/revocation_wish.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void record(const struct revocation *r)
{
    char space[REVOCATION_RECORD_MAX], words[REVOCATION_WORDS_MAX], id[REVOCATION_ID_LEN + 1],
        own[REVOCATION_ID_LEN + 1];
    struct buf b = BUF_INIT(space), text = BUF_INIT(words);
    unsigned char tag[REST_TAG_LEN];
    struct revocation again;
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    revocation_id(r, id);
    assert(revocation_of_id(span_str(id), tag) == 0);
    assert(revocation_encode(r, &b) == 0);
    assert(revocation_decode(buf_span(&b), &a, &again) == 0);
    revocation_id(&again, own);
    assert(strcmp(id, own) == 0 && again.until.ms == r->until.ms && again.bounded == r->bounded);
    revocation_write(&text, r);
    json_decref(revocation_to_json(r));
    arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct issuer_conf issuers[] = { { .name = SPAN("idp"), .issuer = SPAN("https://a.example") },
                                     { .name = SPAN("other"),
                                       .issuer = SPAN("https://b.example") } };
    const struct authd_conf conf = { .token_issuers = issuers, .n_token_issuers = 2 };
    struct revocation_wish wish;
    struct revocation r;
    struct arena a;
    struct fault f;
    arena_init(&a, NULL, 0, 4u << 20);
    if (revocation_decode(span_of(data, size), &a, &r) == 0)
        record(&r);
    json_t *j = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(j) &&
        revocation_wish_parse(j, &conf, (struct wall){ 1795244541123 }, &a, &wish, &f) == 0 &&
        wish.revocation.kind != REVOKED(NOTHING))
        record(&wish.revocation);
    json_decref(j);
    arena_fini(&a);
    return 0;
}
