#include "authd/vault/keyring.h"

#include "base/buf.h"
#include "base/ct.h"

static int key_parse(struct span text, unsigned char key[KEYRING_KEY_LEN])
{
    if (text.n == 2 * KEYRING_KEY_LEN)
        return hex_decode(text, key, KEYRING_KEY_LEN);
    size_t n = 0;
    int err = base64url_decode(text, key, KEYRING_KEY_LEN, &n);
    if (err)
        return CS_EPROTO;
    return n == KEYRING_KEY_LEN ? 0 : CS_EPROTO;
}

static int line_parse(struct span line, struct keyring *out)
{
    if (out->n == KEYRING_MAX)
        return CS_ELIMIT;
    struct keyring_key *k = &out->keys[out->n];
    struct span key = line;
    uint64_t id = 1;
    if (span_find(line, ':') >= 0) {
        struct span name = span_trim(span_cut(&key, ':'));
        if (span_u64(name, 255, &id) || id == 0)
            return CS_EPROTO;
        key = span_trim(key);
    }
    for (size_t i = 0; i < out->n; i++) {
        if (out->keys[i].id == id)
            return CS_EPROTO;
    }
    k->id = (uint8_t)id;
    int err = key_parse(key, k->key);
    if (!err)
        out->n++;
    return err;
}

int keyring_parse(struct span text, struct keyring *out)
{
    int err = 0;
    out->n = 0;
    while (text.p && !err) {
        struct span line = span_cut(&text, '\n');
        if (span_ends(line, SPAN("\r")))
            line.n--;
        line = span_trim(line);
        if (line.n > 0 && line.p[0] != '#')
            err = line_parse(line, out);
    }
    if (!err && out->n == 0)
        err = CS_EPROTO;
    if (err)
        keyring_fini(out);
    return err;
}

void keyring_fini(struct keyring *k)
{
    ct_wipe(k, sizeof(*k));
}
