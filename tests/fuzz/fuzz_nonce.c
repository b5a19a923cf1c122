/* Nonces as strangers write them: only what was minted verifies, and as it was minted. */
#include <assert.h>

#include "authd/check/nonce.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct noncer *nonces;
    struct nonce out;
    if (!nonces &&
        noncer_new(SPAN("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
                   &nonces))
        return 0;
    /* A good one, with the input laid over it. */
    char text[NONCE_LEN], good[NONCE_LEN];
    if (nonce_mint(nonces, SPAN("r"), (struct wall){ 1700000000000 }, NULL, good))
        return 0;
    memcpy(text, good, sizeof(text));
    for (size_t i = 0; i < n && i < sizeof(text); i++)
        text[i] = data[i] == '.' ? text[i] : (char)data[i];
    bool ours = nonce_verify(nonces, SPAN("r"), span_of(text, sizeof(text)), &out) == 0;
    assert(ours || memcmp(text, good, sizeof(text)) != 0);
    assert(ours ? out.issued.ms == 1700000000000 && out.tag.n == NONCE_TAG_LEN : !out.tag.p);
    ours = nonce_verify(nonces, SPAN("r"), span_of(data, n), &out) == 0;
    assert(!ours || n == NONCE_LEN);
    return 0;
}
