#include "b2bua/sccp/device.h"

const struct sccp_device *sccp_device_copy(struct arena *a, const struct sccp_device *from)
{
    struct sccp_device *d = arena_zalloc(a, sizeof(*d));
    if (!d)
        return NULL;
    *d = *from;
    d->name = arena_dup(a, from->name);
    d->date = arena_dup(a, from->date);
    d->lines = arena_zalloc(a, from->n_lines * sizeof(*d->lines));
    d->keys = arena_zalloc(a, from->n_keys * sizeof(*d->keys));
    if (!d->lines || !d->keys)
        return NULL;
    for (size_t i = 0; i < from->n_lines; i++) {
        const struct sccp_line *l = &from->lines[i];
        d->lines[i] = (struct sccp_line){ .user = arena_dup(a, l->user),
                                          .aor = arena_dup(a, l->aor),
                                          .number = arena_dup(a, l->number),
                                          .name = arena_dup(a, l->name),
                                          .label = arena_dup(a, l->label),
                                          .forward_all = arena_dup(a, l->forward_all),
                                          .forward_busy = arena_dup(a, l->forward_busy),
                                          .forward_no_answer = arena_dup(a, l->forward_no_answer) };
    }
    for (size_t i = 0; i < from->n_keys; i++) {
        const struct sccp_key *k = &from->keys[i];
        d->keys[i] = (struct sccp_key){ .type = k->type,
                                        .line = k->line,
                                        .label = arena_dup(a, k->label),
                                        .number = arena_dup(a, k->number) };
    }
    return d;
}

static bool line_eq(const struct sccp_line *a, const struct sccp_line *b)
{
    return span_eq(a->user, b->user) && span_eq(a->aor, b->aor) && span_eq(a->number, b->number) &&
           span_eq(a->name, b->name) && span_eq(a->label, b->label);
}

static bool key_eq(const struct sccp_key *a, const struct sccp_key *b)
{
    return a->type == b->type && a->line == b->line && span_eq(a->label, b->label) &&
           span_eq(a->number, b->number);
}

bool sccp_device_eq(const struct sccp_device *a, const struct sccp_device *b)
{
    bool eq = span_eq(a->name, b->name) && a->security == b->security && a->n_lines == b->n_lines &&
              a->n_keys == b->n_keys && span_eq(a->date, b->date) && a->zone == b->zone &&
              a->soft_keys == b->soft_keys;
    for (size_t i = 0; eq && i < a->n_lines; i++)
        eq = line_eq(&a->lines[i], &b->lines[i]);
    for (size_t i = 0; eq && i < a->n_keys; i++)
        eq = key_eq(&a->keys[i], &b->keys[i]);
    return eq;
}

bool sccp_device_is_set_alike(const struct sccp_device *a, const struct sccp_device *b)
{
    bool alike = a->dnd == b->dnd && a->n_lines == b->n_lines;
    for (size_t i = 0; alike && i < a->n_lines; i++) {
        const struct sccp_line *l = &a->lines[i], *k = &b->lines[i];
        alike = span_eq(l->forward_all, k->forward_all) &&
                span_eq(l->forward_busy, k->forward_busy) &&
                span_eq(l->forward_no_answer, k->forward_no_answer);
    }
    return alike;
}
