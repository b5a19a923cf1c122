#include "authd/token/keyset.h"

#include <stdlib.h>

#include "authd/token/json.h"

int keyset_new(struct keyset **out)
{
    struct keyset *s = calloc(1, sizeof(*s));
    *out = s;
    if (!s)
        return CS_ENOMEM;
    arena_init(&s->arena, NULL, 0, 0);
    return 0;
}

void keyset_free(struct keyset **sp)
{
    struct keyset *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        jwk_fini(&s->keys[i]);
    arena_fini(&s->arena);
    free(s);
}

static int add_key(struct keyset *s, const json_t *j)
{
    struct jwk k;
    int err = jwk_parse(j, &s->arena, &k);
    if (err == CS_ENOMEM)
        return err;
    if (err) {
        s->skipped++;
    } else if (s->n == KEYSET_MAX) {
        jwk_fini(&k);
        return CS_ELIMIT;
    } else {
        s->keys[s->n++] = k;
    }
    return 0;
}

int keyset_add(struct keyset *s, struct span text)
{
    if (text.n > KEYSET_TEXT_MAX)
        return CS_ELIMIT;
    json_t *j = json_read_object(text);
    const json_t *keys = json_object_get(j, "keys"), *key;
    size_t i;
    int err = 0;
    if (json_is_array(keys)) {
        json_array_foreach(keys, i, key)
        {
            err = add_key(s, key);
            if (err)
                break;
        }
    } else if (!keys && json_object_get(j, "kty")) {
        err = add_key(s, j);
    } else {
        err = CS_EPROTO;
    }
    json_decref(j);
    return err;
}

int keyset_find(const struct keyset *s, struct span kid, enum jwt_alg alg, const struct jwk **out)
{
    bool named = false;
    *out = NULL;
    for (size_t i = 0; i < s->n; i++) {
        const struct jwk *k = &s->keys[i];
        if (kid.p && !(k->kid.p && span_eq(k->kid, kid)))
            continue;
        named = true;
        if (!(k->algs & JWT_ALG_BIT(alg)))
            continue;
        if (*out && !kid.p) { /* two could be meant: no guessing */
            *out = NULL;
            return CS_ENOENT;
        }
        *out = *out ? *out : k;
    }
    return *out ? 0 : named && kid.p ? CS_ENOTSUP : CS_ENOENT;
}

bool keyset_has(const struct keyset *s, const unsigned char id[JWK_ID_LEN])
{
    for (size_t i = 0; i < s->n; i++) {
        if (memcmp(s->keys[i].id, id, JWK_ID_LEN) == 0)
            return true;
    }
    return false;
}
