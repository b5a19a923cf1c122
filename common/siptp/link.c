#include <stdlib.h>

#include "siptp/impl.h"

/* FNV-1a: names are the operator's, so nobody looks for two that meet. */
uint32_t siptp_node_id(struct span name)
{
    uint32_t h = 2166136261U;
    for (size_t i = 0; i < name.n; i++)
        h = (h ^ (unsigned char)name.p[i]) * 16777619U;
    return h ? h : 1;
}

uint32_t siptp_node(const struct siptp *tp)
{
    return tp->node;
}

/* Which node is at the other end: it says so in its Via, and is believed. */
void link_learn_peer(struct flow *f, const struct sip_msg *m)
{
    if (!f->peer && m->is_request)
        f->peer = siptp_node_id(m->via.host);
}

static int admit(const struct siptp *tp, const struct stream *s)
{
    uid_t uid;
    int err = stream_peer_uid(s, &uid);
    if (!err && uid == tp->link_uid)
        return 0;
    log_warn(&(struct log){ .module = "link" }, "refused: not of our uid",
             kv_u("uid", err ? 0 : uid));
    return UV_EACCES;
}

static int link_accept(void *arg, struct stream *s, void **out)
{
    struct siptp_listener *ls = arg;
    struct conn *c;
    int err = admit(ls->tp, s);
    if (!err)
        err = conn_new(ls, s, NULL, NULL, &c);
    if (err)
        return err;
    conn_arm(c);
    *out = c;
    return 0;
}

static void link_opened(struct stream *s, void *arg)
{
    struct conn *c = arg;
    if (c->flow.open && admit(c->flow.tp, s))
        conn_close(c, UV_EACCES);
    else
        conn_events.opened(s, arg);
}

static const struct stream_events *link_events(void)
{
    static struct stream_events events;
    events = conn_events;
    events.opened = link_opened;
    return &events;
}

static int listener_new(struct siptp *tp, struct siptp_listener **out)
{
    struct siptp_listener *ls = calloc(1, sizeof(*ls));
    if (!ls)
        return CS_ENOMEM;
    list_init(&ls->link);
    ls->tp = tp;
    ls->transport = SIP_LINK;
    ls->name = strdup("link");
    ls->sent_by = strndup(tp->conf.node.p ? tp->conf.node.p : "", tp->conf.node.n);
    if (!ls->name || !ls->sent_by) {
        siptp_listener_free(ls);
        return CS_ENOMEM;
    }
    ls->host = span_str(ls->sent_by);
    ls->port = sip_transport_port(SIP_LINK);
    *out = ls;
    return 0;
}

int siptp_listen_link(struct siptp *tp, const char *path, uid_t uid)
{
    struct siptp_listener *ls;
    int err = listener_new(tp, &ls);
    if (err)
        return err;
    tp->link_uid = uid;
    err = listener_open_unix(tp->loop, path, 0600, &tp->link_limits, link_events(), link_accept, ls,
                             &ls->tcp);
    if (err) {
        siptp_listener_free(ls);
        return err;
    }
    tp->link_listener = ls;
    return 0;
}

int siptp_link_to(struct siptp *tp, uint32_t node, const char *path, struct flow **out)
{
    *out = NULL;
    if (!tp->events || !tp->link_listener)
        return CS_ECLOSED;
    list_for_each (it, &tp->links) {
        struct conn *c = container_of(it, struct conn, link);
        if (c->flow.peer == node) {
            *out = flow_ref(&c->flow);
            return 0;
        }
    }
    struct conn *c;
    struct stream *s = NULL;
    int err = conn_new(tp->link_listener, NULL, NULL, NULL, &c);
    if (err)
        return err;
    c->flow.peer = node;
    err = stream_connect_unix(tp->loop, path, &tp->link_limits, link_events(), c, &s);
    return conn_begin(c, s, err, out);
}
