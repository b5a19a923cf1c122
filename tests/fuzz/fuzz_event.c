/* What Redis may hold where events belong, and what it may say of itself: refused, or within the
 * bounds that whoever uses it relies on. */
#include <assert.h>
#include <stdint.h>

#include "authd/check/epoch.h"
#include "authd/revocation/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void event(struct span in, struct arena *a)
{
    Countersign__Store__Event *e, *again;
    struct span name, realm;
    if (event_decode(in, a, &e)) {
        assert(!e);
        return;
    }
    assert(e->n_aor <= EVENT_MAX_AORS);
    for (size_t i = 0; i < e->n_aor; i++)
        assert(span_str(e->aor[i]).n <= USER_MAX_AOR);
    if (e->kind == COUNTERSIGN__STORE__EVENT_KIND__EVENT_USER)
        assert(event_user(e, &name, &realm) && span_find(realm, '@') < 0);
    struct span packed = event_encode(e, a);
    assert(packed.p && event_decode(packed, a, &again) == 0);
    assert(again->kind == e->kind && again->n_aor == e->n_aor);
}

static void server(struct span in)
{
    struct server_info info;
    if (server_info_parse(in, &info)) {
        assert(!info.run.p && !info.promoted.p);
        return;
    }
    assert(info.run.n > 0 && info.run.n <= 64 && info.promoted.n <= 64);
    assert(span_find(info.run, '\r') < 0 && span_find(info.promoted, '\n') < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    struct arena a;
    arena_init(&a, NULL, 0, 4u << 20);
    event(in, &a);
    server(in);
    if (event_is_id(in))
        assert(in.n < EVENT_ID_MAX && span_find(in, '-') > 0);
    arena_fini(&a);
    return 0;
}
