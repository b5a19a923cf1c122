#include "b2bua/desk/mailbox.h"

#include <stdlib.h>

#include "b2bua/desk/lamps.h"
#include "b2bua/desk/message_summary.h"
#include "b2bua/ua/ua.h"

static const struct log mailbox_log = { .module = "mailbox" };

struct mailbox { /* one that has messages */
    struct map_node node;
    size_t n;
    char aor[];
};

static bool is_of(const struct map_node *n, const void *key)
{
    const struct mailbox *m = container_of(n, struct mailbox, node);
    return span_eq(span_of(m->aor, m->n), *(const struct span *)key);
}

static struct mailbox *find(const struct desks *d, struct span aor)
{
    struct map_node *n = map_find(&d->mailboxes, map_hash(aor), is_of, &aor);
    return n ? container_of(n, struct mailbox, node) : NULL;
}

static int keep(struct desks *d, struct span aor)
{
    struct mailbox *m = calloc(1, sizeof(*m) + aor.n);
    if (!m)
        return CS_ENOMEM;
    m->n = aor.n;
    memcpy(m->aor, aor.p, aor.n);
    int err = map_insert(&d->mailboxes, &m->node, map_hash(aor));
    if (err)
        free(m);
    return err;
}

static void forget(struct desks *d, struct mailbox *m)
{
    map_remove(&d->mailboxes, &m->node);
    free(m);
}

static void show(const struct desks *d, struct span aor)
{
    list_for_each (it, &d->phones) {
        const struct desk *desk = container_of(it, struct desk, link);
        for (size_t i = 0; i < desk->n_lines; i++) {
            if (span_eq(desk->lines[i].aor, aor) && desk->session->state == SCCP_STATE_REGISTERED)
                lamps_show(desk);
        }
    }
}

bool mailbox_has_messages(const struct desk_line *l)
{
    return l->aor.p && find(&l->desk->ua->desks, l->aor);
}

static unsigned take(struct ua *u, const struct sip_msg *m, struct span event)
{
    const struct desk_line *line = desks_line(&u->desks, m->uri.user);
    struct message_summary s;
    if (!span_caseeq(event, SPAN("message-summary")))
        return 489;
    if (!line || !span_caseeq(m->uri.host, span_str(u->node)))
        return 480;
    if (!span_caseeq(sip_hdr_value(m, SIP_HDR_CONTENT_TYPE),
                     SPAN("application/simple-message-summary")))
        return 415;
    if (message_summary_parse(m->body, &s))
        return 400;
    const struct span aor = line->aor;
    struct mailbox *known = find(&u->desks, aor);
    const bool changes = s.waiting != (known != NULL);
    if (s.waiting && !known && keep(&u->desks, aor))
        return 500;
    if (!s.waiting && known)
        forget(&u->desks, known);
    log_info(&mailbox_log, "messages", kv_s("line", aor), kv_b("waiting", s.waiting),
             kv_u("new", s.fresh), kv_u("old", s.old));
    if (changes)
        show(&u->desks, aor);
    return 200;
}

void mailbox_take(struct ua *u, struct tx *tx)
{
    const struct sip_msg *m = tx_request(tx);
    struct span event = sip_hdr_value(m, SIP_HDR_EVENT);
    const unsigned status = take(u, m, span_trim(span_cut(&event, ';')));
    tx_reply(tx, status, status == 489 ? SPAN("Allow-Events: message-summary\r\n") : SPAN_NULL);
}

void mailbox_drop_all(struct ua *u)
{
    map_for_each (it, &u->desks.mailboxes)
        forget(&u->desks, container_of(it, struct mailbox, node));
    map_fini(&u->desks.mailboxes);
}
