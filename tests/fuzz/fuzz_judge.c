/* Questions of a front, with credentials of a stranger in them: everything that is decided about
 * them without Redis. No response but the right one is right. */
#include <assert.h>
#include <stdlib.h>

#include "authd/check/client.h"
#include "authd/check/digest.h"
#include "authd/check/group.h"
#include "authd/check/policy.h"

static void judge(const struct facts *f, const struct credential *c, const struct digest_conf *d,
                  struct hash *h)
{
    static const unsigned char ha1[ALG_MAX_LEN] = { 1, 2, 3 };
    struct claim claim;
    if (digest_examine(c, d, &claim) != CAUSE(OK))
        return;
    assert(claim.alg < ALG_COUNT && (claim.nc > 0) == (claim.qop != QOP_NONE));
    if (digest_uri(c->uri, f->request_uri, URI_STRICT) != URI_WRONG)
        assert(digest_uri(c->uri, f->request_uri, URI_LENIENT) != URI_WRONG);
    assert(!digest_is_right(h, c, &claim, f, ha1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct hash *h;
    static struct group_conf g = {
        .require = { .all_of = PROOF_DIGEST },
        .digest = { .realm = SPAN_INIT("r"), .algorithm_mask = ALG_ALL, .sess = true, .qop = 7 },
    };
    static const struct span patterns[] = { SPAN_INIT("a*b?c*"), SPAN_INIT("*") };
    if (!h && hash_new(&h))
        abort();
    Countersign__Auth__Check *m = countersign__auth__check__unpack(NULL, n, data);
    if (!m)
        return 0;
    struct facts f;
    struct credential c;
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    facts_of(m, &f);
    assert(group_of(&g, 1, &f) == &g);
    client_pattern(patterns, 2, f.user_agent);
    for (int proxy = 0; proxy < 2; proxy++) {
        Countersign__Auth__Cause picked = digest_pick(m, SPAN("r"), proxy, &c);
        const struct shown shown = { picked == CAUSE(OK), m->bearer_secret != NULL };
        struct policy p = policy_of(&g, &f, shown);
        assert(p.demand != DEMAND_NOTHING || p.cause == CAUSE(OK));
        if (picked == CAUSE(OK) && credential_keep(&c, &a) == 0 && facts_keep(&f, &a) == 0)
            judge(&f, &c, &g.digest, h);
    }
    arena_fini(&a);
    countersign__auth__check__free_unpacked(m, NULL);
    return 0;
}
