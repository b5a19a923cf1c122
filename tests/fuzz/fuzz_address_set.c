/* Records of address sets and, if it begins with a brace, what requests wish of them. */
#include <assert.h>

#include "authd/rest/set_wish.h"

static char space[ADDRESS_SET_MAX_RECORD];

/* What encodes comes back as it was. */
static void check_round(const struct address_set *s, struct arena *a)
{
    struct buf b = BUF_INIT(space);
    struct address_set again;
    if (address_set_encode(s, &b))
        return;
    assert(address_set_decode(buf_span(&b), a, &again) == 0);
    assert(span_eq(s->name, again.name) && span_eq(s->owner, again.owner));
    assert(span_eq(s->note, again.note) && s->n_networks == again.n_networks);
    assert(s->renewal.ms == again.renewal.ms);
    json_decref(address_set_to_json(&again, (struct wall){ 0 }));
}

static void check_record(struct span bytes, struct arena *a)
{
    struct address_set s;
    if (address_set_decode(bytes, a, &s))
        assert(!s.name.p);
    else
        check_round(&s, a);
}

static void check_wish(struct span text, struct arena *a)
{
    json_t *j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    for (int is_new = 0; json_is_object(j) && is_new < 2; is_new++) {
        struct address_set s = { .name = SPAN("s") };
        struct set_wish w;
        struct fault f;
        if (set_wish_parse(j, is_new, a, &w, &f)) {
            assert(f.status >= 400 && f.detail[0]);
            continue;
        }
        set_wish_apply(&w, &s);
        if (is_new) {
            struct buf b = BUF_INIT(space);
            s.name = w.name;
            assert(address_set_encode(&s, &b) == 0); /* what passed is whole */
        }
        check_round(&s, a);
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
