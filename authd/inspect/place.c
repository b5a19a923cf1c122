#include "authd/inspect/place.h"

#include "base/buf.h"

int place_parse(struct span text, size_t n_steps, struct place *p)
{
    uint64_t generation, step, sub;
    struct span rest = text;
    if (span_u64(span_cut(&rest, '.'), UINT64_MAX, &generation) ||
        span_u64(span_cut(&rest, '.'), n_steps - 1, &step) ||
        span_u64(span_cut(&rest, '.'), UINT32_MAX, &sub) || !rest.n || rest.n >= PLACE_AT_MAX)
        return CS_EPROTO;
    for (size_t k = 0; k < rest.n; k++) {
        if (!ascii_digit(rest.p[k]) && rest.p[k] != '-')
            return CS_EPROTO;
    }
    p->generation = generation;
    p->step = (size_t)step;
    p->sub = (size_t)sub;
    span_copy(p->at, sizeof(p->at), rest);
    return 0;
}

void place_write(const struct place *p, char out[PLACE_TEXT_MAX])
{
    struct buf b = buf_of(out, PLACE_TEXT_MAX - 1);
    buf_u64(&b, p->generation);
    buf_printf(&b, ".%zu.%zu.%s", p->step, p->sub, p->at);
    out[b.n] = '\0';
}
