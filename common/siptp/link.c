#include <stdlib.h>
#include <unistd.h>

#include "base/process.h"
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
    for (size_t i = 0; !err && i < tp->n_link_uids; i++) {
        if (uid == tp->link_uids[i])
            return 0;
    }
    log_warn(&(struct log){ .module = "link" }, "refused: this uid is not admitted",
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

/* Of a Unix socket that we connected to. */
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

static int link_watch(const struct stream *s)
{
    return stream_watch_peer(s, DURATION_MS(SIPTP_LINK_SILENCE_MS));
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

/* The one listener of all links. */
static int link_listener(struct siptp *tp, struct siptp_listener **out)
{
    int err = tp->link_listener ? 0 : listener_new(tp, &tp->link_listener);
    *out = tp->link_listener;
    return err;
}

int siptp_link_admit(struct siptp *tp, uid_t uid)
{
    if (tp->n_link_uids == CS_LEN(tp->link_uids))
        return CS_ELIMIT;
    tp->link_uids[tp->n_link_uids++] = uid;
    return 0;
}

int siptp_link_admit_users(struct siptp *tp, const struct span *users, size_t n)
{
    uid_t uid;
    gid_t gid;
    int err = siptp_link_admit(tp, geteuid());
    for (size_t i = 0; i < n && !err; i++) {
        err = process_user(users[i], &uid, &gid);
        if (!err)
            err = siptp_link_admit(tp, uid);
    }
    return err;
}

int siptp_listen_link(struct siptp *tp, const char *path)
{
    struct siptp_listener *ls;
    int err = link_listener(tp, &ls);
    return err ? err
               : listener_open_unix(tp->loop, path, tp->n_link_uids > 1 ? 0660 : 0600,
                                    &tp->link_limits, link_events(), link_accept, ls, &ls->tcp);
}

/* Accepted from another machine; who is cut off from us shall not keep what waits for him. */
static int link_accept_tls(void *arg, struct stream *s, void **out)
{
    int err = link_watch(s);
    return err ? err : conn_accept(arg, s, out);
}

int siptp_listen_link_tls(struct siptp *tp, const struct addr *local, struct tls_context *server,
                          struct tls_context *client, struct addr *bound)
{
    struct siptp_listener *ls;
    int err = link_listener(tp, &ls);
    if (!err)
        err = listener_open_tcp(tp->loop, local, &tp->link_limits, &conn_events, link_accept_tls,
                                ls, &tp->link_tls);
    if (err)
        return err;
    listener_start_tls(tp->link_tls, server);
    tp->link_client = tls_context_ref(client);
    *bound = *listener_local(tp->link_tls);
    return 0;
}

void siptp_link_use_tls(struct siptp *tp, struct tls_context *server, struct tls_context *client)
{
    struct tls_context *old = tp->link_client;
    if (!tp->link_tls)
        return;
    listener_start_tls(tp->link_tls, server);
    tp->link_client = tls_context_ref(client);
    tls_context_unref(&old);
}

static int connect_to(struct siptp *tp, struct conn *c, const struct siptp_link_target *to,
                      struct stream **s)
{
    if (to->path)
        return stream_connect_unix(tp->loop, to->path, &tp->link_limits, link_events(), c, s);
    if (!tp->link_client)
        return CS_ENOTSUP;
    int err = stream_connect_tcp(tp->loop, to->addr, NULL, &tp->link_limits, &conn_events, c, s);
    if (err)
        return err;
    int broken = link_watch(*s);
    if (!broken)
        broken = stream_start_tls(*s, tp->link_client, to->name);
    if (broken) /* closed() says so later */
        stream_close(*s, broken);
    return 0;
}

int siptp_link_find(struct siptp *tp, uint32_t node, struct flow **out)
{
    *out = NULL;
    list_for_each (it, &tp->links) {
        struct conn *c = container_of(it, struct conn, link);
        if (c->flow.peer == node) {
            *out = flow_ref(&c->flow);
            return 0;
        }
    }
    return CS_ENOENT;
}

int siptp_link_to(struct siptp *tp, uint32_t node, const struct siptp_link_target *to,
                  struct flow **out)
{
    *out = NULL;
    if (!tp->events || !tp->link_listener)
        return CS_ECLOSED;
    if (siptp_link_find(tp, node, out) == 0)
        return 0;
    struct conn *c;
    struct stream *s = NULL;
    int err = conn_new(tp->link_listener, NULL, NULL, NULL, &c);
    if (err)
        return err;
    c->flow.peer = node;
    err = connect_to(tp, c, to, &s);
    return conn_begin(c, s, err, out);
}

void siptp_link_close(struct siptp *tp, uint32_t node)
{
    list_for_each (it, &tp->links) {
        struct conn *c = container_of(it, struct conn, link);
        if (c->flow.peer == node)
            conn_close(c, UV_ETIMEDOUT);
    }
}
