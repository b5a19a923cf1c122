#include "phone.h"

#include <stdlib.h>

/* Takes text over; its lines become phones. */
static int parse(struct phones *ps, char *text, size_t length, size_t limit)
{
    size_t lines = 0;
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    *ps = (struct phones){ .p = calloc(lines + 1, sizeof(*ps->p)), .text = text };
    if (!ps->p)
        return CS_ENOMEM;

    struct span rest = span_of(text, length);
    while (rest.n > 0 && (limit == 0 || ps->n < limit)) {
        struct span password = span_trim(span_cut(&rest, '\n'));
        struct span name = span_cut(&password, ',');
        if (name.n == 0 || !password.p)
            return CS_EPROTO;
        ps->p[ps->n++] = (struct phone){ .name = name, .password = password };
    }
    return ps->n > 0 ? 0 : CS_EPROTO;
}

int phones_make(struct phones *ps, size_t n)
{
    char *text = NULL;
    size_t length = 0;
    FILE *f = open_memstream(&text, &length);
    if (!f)
        return CS_ENOMEM;
    for (size_t i = 0; i < n; i++)
        fprintf(f, "user%05zu,harbour-%zu-lantern\n", i, i * 7919 % 1000003);
    if (fclose(f) != 0)
        return CS_ENOMEM;
    return parse(ps, text, length, n);
}

int phones_read(struct phones *ps, const char *path, size_t n)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return CS_ENOENT;
    char *text = NULL;
    size_t cap = 0;
    ssize_t length = getdelim(&text, &cap, '\0', f);
    fclose(f);
    if (length < 0) {
        free(text);
        return CS_EPROTO;
    }
    return parse(ps, text, (size_t)length, n);
}

void phones_write(const struct phones *ps, FILE *out)
{
    for (size_t i = 0; i < ps->n; i++)
        fprintf(out, SPAN_FMT "," SPAN_FMT "\n", SPAN_ARG(ps->p[i].name),
                SPAN_ARG(ps->p[i].password));
}

void phones_fini(struct phones *ps)
{
    free(ps->p);
    free(ps->text);
    *ps = (struct phones){ 0 };
}

void phones_hash(struct phones *ps, struct hash *h, struct span realm)
{
    for (size_t i = 0; i < ps->n; i++)
        HASH_JOIN(h, ps->p[i].ha1, ps->p[i].name, realm, ps->p[i].password);
}
