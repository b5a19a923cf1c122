/* Records of trunks and, if it begins with a brace, what requests wish of them. */
#include <assert.h>
#include <stdlib.h>

#include "authd/rest/trunk_wish.h"

static struct vault *vault_of(void)
{
    static struct vault *v;
    if (!v &&
        vault_new(SPAN("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), &v))
        abort();
    return v;
}

static char space[TRUNK_MAX_RECORD];

/* What encodes comes back as it was. */
static void check_round(const struct trunk *t, struct arena *a)
{
    struct buf b = BUF_INIT(space);
    struct trunk again;
    if (trunk_encode(t, &b))
        return;
    assert(trunk_decode(buf_span(&b), a, &again) == 0);
    assert(span_eq(t->name, again.name) && t->n_targets == again.n_targets);
    assert(t->n_credentials == again.n_credentials && t->n_prefer == again.n_prefer);
    assert(t->echo == again.echo && t->uri == again.uri && t->lower == again.lower);
    json_decref(trunk_to_json(&again));
}

static void check_record(struct span bytes, struct arena *a)
{
    char password[TRUNK_MAX_PASSWORD];
    struct trunk t;
    size_t n;
    if (trunk_decode(bytes, a, &t)) {
        assert(!t.name.p);
        return;
    }
    for (size_t i = 0; i < t.n_credentials; i++) /* nobody sealed it */
        assert(trunk_open(&t, &t.credentials[i], vault_of(), password, &n) && n == 0);
    check_round(&t, a);
}

static void check_wish(struct span text, struct arena *a)
{
    struct trunk t = { .name = SPAN("t") };
    struct trunk_wish w;
    struct fault f;
    json_t *j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    static const unsigned parts[] = { TRUNK_WISH_NAME | TRUNK_WISH_FIELDS, TRUNK_WISH_FIELDS,
                                      TRUNK_WISH_CREDENTIAL };
    for (size_t i = 0; json_is_object(j) && i < CS_LEN(parts); i++) {
        if (trunk_wish_parse(j, parts[i], a, &w, &f)) {
            assert(f.status >= 400 && f.detail[0]);
            continue;
        }
        if (w.name.p)
            t.name = w.name;
        if (trunk_wish_apply(&w, vault_of(), a, &t, &f) == 0)
            check_round(&t, a);
    }
    json_decref(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    if (size == 0)
        return 0;
    arena_init(&a, NULL, 0, 4u << 20);
    if (data[0] == '{')
        check_wish(span_of(data, size), &a);
    else
        check_record(span_of(data, size), &a);
    arena_fini(&a);
    return 0;
}
