/* Records of users: whatever Redis holds, decoding refuses it or gives what encodes again. */
#include <assert.h>
#include <stdlib.h>

#include "authd/store/user.h"

static struct vault *vault_of(void)
{
    static struct vault *v;
    if (!v &&
        vault_new(SPAN("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), &v))
        abort();
    return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static char space[USER_MAX_RECORD];
    unsigned char ha1[ALG_MAX_LEN];
    struct arena a;
    struct user u, again;
    arena_init(&a, NULL, 0, 4u << 20);
    if (user_decode(span_of(data, n), &a, &u) == 0) {
        for (enum algorithm alg = 0; alg < ALG_COUNT; alg++)
            assert(user_open_verifier(&u, vault_of(), alg, ha1)); /* nobody sealed it */
        struct buf b = buf_of(space, sizeof(space));
        if (user_encode(&u, &b) == 0) {
            assert(user_decode(buf_span(&b), &a, &again) == 0);
            assert(span_eq(u.name, again.name) && span_eq(u.realm, again.realm));
            assert(u.n_aors == again.n_aors && user_algorithms(&u) == user_algorithms(&again));
        }
    } else {
        assert(!u.name.p);
    }
    arena_fini(&a);
    return 0;
}
