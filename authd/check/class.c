#include "authd/check/class.h"

#define TRANSPORT_BIT(name) (1u << (COUNTERSIGN__AUTH__TRANSPORT__##name - 1))

static const struct class
{
    const char *name, *transport, *proofs; /* as one would write them */
    unsigned transports, all_of;
    enum group_type type;
    bool srtp;
} classes[] = {
    [CLASS_BROWSER] = { "browser", "wss", "token", TRANSPORT_BIT(WSS), PROOF_TOKEN, TYPE_USER,
                        true },
    [CLASS_DESK_PHONE] = { "desk-phone", "tls", "digest", TRANSPORT_BIT(TLS), PROOF_DIGEST,
                           TYPE_USER, true },
    [CLASS_TRUNK] = { "trunk", "tls", "certificate, address", TRANSPORT_BIT(TLS),
                      PROOF_CERTIFICATE | PROOF_ADDRESS, TYPE_SERVER, false },
};

#define INSTEAD "; or write the group out without class"

static void apply_match(struct conf_check *c, struct group_conf *g, const struct class *k)
{
    if (!conf_is_written(c, "match.transport"))
        g->match.transports = k->transports;
    else if (g->match.transports != k->transports)
        conf_error(c, "match.transport", "is weaker than class: %s, which is for %s alone" INSTEAD,
                   k->name, k->transport);
}

static void apply_require(struct conf_check *c, struct group_conf *g, const struct class *k)
{
    if (!conf_is_written(c, "require"))
        g->require = (struct group_require){ .all_of = k->all_of };
    else if ((g->require.all_of & k->all_of) != k->all_of)
        conf_error(c, "require",
                   "is weaker than class: %s; write all_of: [%s], and more if you like" INSTEAD,
                   k->name, k->proofs);
}

void class_apply(struct conf_check *c, struct group_conf *g)
{
    const struct class *k = &classes[g->class];
    if (g->class == CLASS_NONE)
        return;
    apply_match(c, g, k);
    apply_require(c, g, k);
    if (!conf_is_written(c, "type"))
        g->type = k->type;
    if (!conf_is_written(c, "srtp"))
        g->srtp = k->srtp;
    else if (k->srtp && !g->srtp)
        conf_error(c, "srtp", "is weaker than class: %s, whose media is encrypted" INSTEAD,
                   k->name);
    if (g->unlisted == UNLISTED_PASS)
        conf_error(c, "unlisted", "is weaker than class: %s, which lets no method pass" INSTEAD,
                   k->name);
    if (g->mode == MODE_PASS_THROUGH)
        conf_error(c, "mode", "is weaker than class: %s, whose requests are judged here" INSTEAD,
                   k->name);
}
