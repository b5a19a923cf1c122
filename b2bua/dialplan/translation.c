#include "b2bua/dialplan/translation.h"

#include "b2bua/dialplan/number.h"

static int keep(const struct buf *b, struct arena *a, struct span *out)
{
    *out = arena_dup(a, buf_span(b));
    return out->p ? 0 : CS_ENOMEM;
}

int translation_apply(const struct translation *t, enum translation_number which,
                      struct span number, struct arena *a, struct translated *out)
{
    char text[NUMBER_MAX];
    struct buf b = BUF_INIT(text);
    int err = 0;
    *out = (struct translated){ .number = number };
    if (!t)
        return 0;
    const size_t n = which == TRANSLATION_CALLED ? t->n_called : t->n_calling;
    for (size_t i = 0; i < n && !out->rule; i++) {
        const enum rule_effect effect = rule_apply(&t->rules[which][i], number, &b);
        out->rule = effect == RULE_NONE ? NULL : &t->rules[which][i];
        out->rejected = effect == RULE_REJECTED;
    }
    if (out->rule && !out->rejected)
        err = keep(&b, a, &out->number);
    if (err || out->rejected || !t->e164 || !(t->e164->numbers & 1u << which))
        return err;
    b = buf_of(text, sizeof(text));
    out->e164 = e164_from(t->e164, out->number, &b);
    return out->e164 ? keep(&b, a, &out->number) : 0;
}
