/* Challenges of trunks, a line each, behind a line of method and URI: what authd answers can be
 * read again, names who we are, is for one of the trunk's hosts, and holds nothing that ends a
 * line. */
#include <assert.h>
#include <stdlib.h>

#include "authd/calls/sign.h"

static const struct span targets[] = { SPAN_INIT("sip.example.net"), SPAN_INIT("192.0.2.0/24") };
static struct vault *vault;
static struct hash *hash;
static struct arena arena;
static struct trunk_credential credentials[2] = {
    { .realm = SPAN_INIT("example.net"), .user = SPAN_INIT("we") },
    { .realm = SPAN_INIT("a \"b\""), .user = SPAN_INIT("w\"e"), .route = SPAN_INIT("7") },
};
static struct trunk trunk = { .name = SPAN_INIT("t"),
                              .targets = targets,
                              .n_targets = 2,
                              .credentials = credentials,
                              .n_credentials = 2 };

static void open_once(void)
{
    if (vault)
        return;
    arena_init(&arena, NULL, 0, 0);
    int err =
        vault_new(SPAN("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), &vault);
    err = err ? err : hash_new(&hash);
    for (size_t i = 0; !err && i < CS_LEN(credentials); i++)
        err = trunk_seal(&trunk, &credentials[i], vault, SPAN("secret"), &arena);
    if (err)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char value[65536];
    struct span challenges[16], rest = span_of(data, size), head;
    struct sign_ask a = { .challenges = challenges, .body = SPAN("v=0"), .route = SPAN("7") };
    struct sign_choice choice;
    struct digest d;
    struct buf b = BUF_INIT(value);
    open_once();
    if (size == 0)
        return 0;
    trunk.echo = (enum digest_echo)(data[0] % 3);
    trunk.uri = (enum trunk_uri)(data[0] / 3 % 3);
    trunk.lower = data[0] & 0x80;
    rest = span_skip(rest, 1);
    head = span_cut(&rest, '\n');
    a.method = span_cut(&head, ' ');
    a.uri = head;
    while (rest.p && a.n_challenges < CS_LEN(challenges))
        challenges[a.n_challenges++] = span_cut(&rest, '\n');
    if (sign_choose(&trunk, &a, &choice) != CAUSE(OK)) {
        assert(!choice.credential);
        return 0;
    }
    struct sip_uri uri;
    assert(sip_uri_parse(a.uri, &uri) == 0 && trunk_is_target(&trunk, &uri));
    if (sign_write(&trunk, &a, &choice, vault, hash, SPAN("c0"), 1, &b))
        return 0;
    assert(digest_parse(buf_span(&b), &d) == 0);
    assert(digest_says(d.username, choice.credential->user));
    assert(digest_says(d.realm, choice.credential->realm));
    assert(d.alg == choice.challenge.alg && d.sess == choice.challenge.sess);
    assert(sip_uri_parse(d.uri, &uri) == 0 && trunk_is_target(&trunk, &uri));
    return 0;
}
