#include "authd/token/alg.h"

#include <assert.h>

#include "base/util.h"

const char *const jwt_alg_names[] = { "RS256", "RS384", "RS512", "PS256",
                                      "ES256", "ES384", "EdDSA", NULL };

static const char *const mds[JWT_ALG_COUNT] = { "SHA256", "SHA384", "SHA512", "SHA256",
                                                "SHA256", "SHA384", NULL };

enum jwt_alg jwt_alg_of(struct span name)
{
    for (unsigned i = 0; i < JWT_ALG_COUNT; i++) {
        if (span_eq(name, span_str(jwt_alg_names[i])))
            return (enum jwt_alg)i;
    }
    return JWT_ALG_UNKNOWN;
}

const char *jwt_alg_md(enum jwt_alg alg)
{
    assert(alg < JWT_ALG_UNKNOWN);
    return mds[alg];
}
