#include "b2bua/desk/forward.h"

#include "b2bua/desk/keep.h"
#include "b2bua/ua/ua.h"
#include "sip/write.h"

static const struct sccp_line *record_of(const struct desk_line *l)
{
    return &l->desk->session->device->lines[l - l->desk->lines];
}

struct span forward_to(const struct desk_line *l, enum forward when)
{
    const struct sccp_line *r = record_of(l);
    const struct span to = when == FORWARD_ALL    ? r->forward_all
                           : when == FORWARD_BUSY ? r->forward_busy
                                                  : r->forward_no_answer;
    return to.n ? to : SPAN_NULL;
}

struct span forward_of_line(const struct desks *d, struct span aor)
{
    list_for_each (it, &d->phones) {
        const struct desk *desk = container_of(it, struct desk, link);
        for (size_t i = 0; i < desk->n_lines; i++) {
            const struct desk_line *l = &desk->lines[i];
            const struct span to =
                l->aor.p && span_eq(l->aor, aor) ? forward_to(l, FORWARD_ALL) : SPAN_NULL;
            if (to.p)
                return to;
        }
    }
    return SPAN_NULL;
}

void forward_set(const struct desk_line *l, struct span to)
{
    char user[256], number[NUMBER_MAX + 1];
    Countersign__Auth__Keep m = COUNTERSIGN__AUTH__KEEP__INIT;
    span_copy(user, sizeof(user), record_of(l)->user);
    span_copy(number, sizeof(number), to);
    m.user = user;
    m.forward_all = number;
    keep_send(l->desk, &m);
}

void forward_write(struct buf *b, const struct desk_line *l, struct span to)
{
    buf_lit(b, "Contact: <sip:");
    sip_user_write(b, to);
    buf_putc(b, '@');
    buf_put(b, l->desk->ua->conf->domains[0]);
    buf_lit(b, ">\r\n");
}
