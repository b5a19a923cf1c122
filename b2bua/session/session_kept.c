/* A side of a session that steps back for another one, and may come back. */
#include <stdlib.h>

#include "b2bua/session/session_impl.h"
#include "base/ct.h"

struct session_kept {
    unsigned side;
    struct session_side conf;
    struct told told;
    char *said;
    struct dtls_identity *own;
    struct session_keys *brought;
    size_t n;
    struct {
        struct keys keys;
        struct webrtc *webrtc;
        bool optional;
    } stream[SESSION_STREAMS_MAX];
};

struct session_kept *session_swap_side(struct session *s, unsigned side,
                                       const struct session_side *conf)
{
    struct session_kept *k = calloc(1, sizeof(*k));
    if (!k)
        return NULL;
    k->side = side;
    k->conf = s->side[side];
    k->told = s->told[side];
    k->said = s->said[side];
    s->told[side] = (struct told){ 0 };
    s->said[side] = NULL;
    k->own = s->own[side];
    s->own[side] = NULL;
    k->brought = s->brought[side];
    s->brought[side] = NULL;
    for (k->n = 0; k->n < s->n_streams; k->n++) {
        struct stream *st = s->stream[k->n];
        k->stream[k->n].keys = st->keys[side];
        k->stream[k->n].webrtc = st->webrtc[side];
        k->stream[k->n].optional = st->optional[side];
        ct_wipe(&st->keys[side], sizeof(st->keys[side]));
        st->webrtc[side] = NULL;
    }
    session_set_side(s, side, conf);
    return k;
}

void session_put_back(struct session *s, struct session_kept **kp)
{
    struct session_kept *k = *kp;
    if (!k)
        return;
    session_set_side(s, k->side, &k->conf);
    s->told[k->side] = k->told;
    s->said[k->side] = k->said;
    s->own[k->side] = k->own;
    s->brought[k->side] = k->brought;
    for (size_t i = 0; i < k->n; i++) {
        struct stream *st = s->stream[i];
        st->keys[k->side] = k->stream[i].keys;
        st->webrtc[k->side] = k->stream[i].webrtc;
        st->optional[k->side] = k->stream[i].optional;
        ct_wipe(&k->stream[i].keys, sizeof(k->stream[i].keys));
        k->stream[i].webrtc = NULL;
    }
    k->told.text = k->said = NULL;
    k->brought = NULL;
    k->own = NULL;
    session_let_go(kp);
}

void session_let_go(struct session_kept **kp)
{
    struct session_kept *k = *kp;
    *kp = NULL;
    if (!k)
        return;
    for (size_t i = 0; i < k->n; i++) {
        keys_fini(&k->stream[i].keys);
        webrtc_free(&k->stream[i].webrtc);
    }
    dtls_identity_free(&k->own);
    free(k->told.text);
    free(k->said);
    session_keys_free(&k->brought);
    free(k);
}
