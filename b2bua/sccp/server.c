#include "b2bua/sccp/server.h"

#include <stdlib.h>

enum { UNSENT_MAX = 256 * 1024 };

struct sccp_listener {
    struct sccp *sccp;
    struct listener *listener;
    struct span name;
    bool tls;
};

static void io_write(void *arg, struct span bytes)
{
    stream_write(arg, bytes);
}

static void io_close(void *arg)
{
    stream_close(arg, 0);
}

static X509 *io_certificate(void *arg, X509 **issuer)
{
    return stream_certificate(arg, issuer);
}

static const struct sccp_io io = { io_write, io_close, io_certificate };

static ptrdiff_t on_data(struct stream *s, void *arg, struct span in)
{
    (void)s;
    return sccp_session_data(arg, in);
}

static void on_closed(struct stream *s, void *arg, int reason)
{
    struct sccp_session *session = arg;
    (void)s, (void)reason;
    sccp_session_free(&session);
}

static const struct stream_events events = { NULL, on_data, on_closed };

static int on_accept(void *arg, struct stream *s, void **out)
{
    const struct sccp_listener *ls = arg;
    struct sccp_session *session;
    int err = sccp_session_new(ls->sccp, &io, s, stream_peer(s), stream_local(s), ls->name, ls->tls,
                               &session);
    *out = session;
    return err;
}

int sccp_listen(struct sccp *x, const struct addr *local, struct span name, bool tls,
                struct sccp_listener **out)
{
    static const struct stream_limits limits = { SCCP_FRAME_MAX, UNSENT_MAX };
    struct sccp_listener *ls = calloc(1, sizeof(*ls));
    *out = ls;
    if (!ls)
        return CS_ENOMEM;
    *ls = (struct sccp_listener){ .sccp = x, .name = name, .tls = tls };
    int err = listener_open_tcp(x->loop, local, &limits, &events, on_accept, ls, &ls->listener);
    if (err) {
        free(ls);
        *out = NULL;
    }
    return err;
}

struct listener *sccp_listener_stream(struct sccp_listener *ls)
{
    return ls->listener;
}

void sccp_listener_close(struct sccp_listener **lsp)
{
    struct sccp_listener *ls = *lsp;
    *lsp = NULL;
    if (!ls)
        return;
    listener_close(&ls->listener);
    free(ls);
}
