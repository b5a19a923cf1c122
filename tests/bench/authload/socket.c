#include <stdio.h>
#include <stdlib.h>

#include "ipc/ipc.h"
#include "way.h"

struct socket_way {
    struct way way;
    struct ipc_client *client;
    const struct asker *asker;
    const struct way_events *events;
    void *arg;
    bool was_ready, closing;
};

static void on_ready(void *arg, bool ready)
{
    struct socket_way *w = arg;
    if (w->closing)
        return;
    if (ready) {
        w->was_ready = true;
        w->events->ready(w->arg);
    } else if (w->was_ready) {
        fputs("authload: authd closed the socket\n", stderr);
        w->events->broken(w->arg);
    }
}

static void on_message(void *arg, const Countersign__Auth__FromAuthd *msg)
{
    struct socket_way *w = arg;
    if (msg->body_case != COUNTERSIGN__AUTH__FROM_AUTHD__BODY_VERDICT)
        return; /* bans and the like */
    const Countersign__Auth__Verdict *v = msg->verdict;
    char text[64];
    unsigned slot = (unsigned)v->id;
    if (v->kind == COUNTERSIGN__AUTH__VERDICT_KIND__ACCEPT)
        w->events->answered(w->arg, slot, ANSWER_ACCEPT, SPAN_NULL);
    else if (v->kind == COUNTERSIGN__AUTH__VERDICT_KIND__CHALLENGE && v->n_challenge > 0)
        w->events->answered(w->arg, slot, ANSWER_CHALLENGE, span_str(v->challenge[0]));
    else {
        snprintf(text, sizeof(text), "verdict %d, cause %d", (int)v->kind, (int)v->cause);
        w->events->answered(w->arg, slot, ANSWER_WRONG, span_str(text));
    }
}

static const struct ipc_client_events client_events = { on_ready, on_message };

static void ask(struct way *way, unsigned slot, const struct question *q)
{
    struct socket_way *w = container_of(way, struct socket_way, way);
    Countersign__Auth__ToAuthd msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    struct question_check c;
    question_to_check(q, w->asker, &c);
    c.check.id = slot;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_CHECK;
    msg.check = &c.check;
    int err = ipc_client_send(w->client, &msg);
    if (err) {
        fprintf(stderr, "authload: nothing can be asked: %s\n", cs_strerror(err));
        w->events->broken(w->arg);
    }
}

static void close_socket(struct way *way)
{
    struct socket_way *w = container_of(way, struct socket_way, way);
    w->closing = true;
    ipc_client_close(&w->client);
    free(w);
}

struct way *way_socket(struct loop *l, const char *path, const struct asker *asker,
                       const struct way_events *events, void *arg)
{
    const struct ipc_client_conf conf = {
        .path = path,
        .node = "authload",
        .role = COUNTERSIGN__AUTH__ROLE__ROLE_REGISTRAR,
    };
    struct socket_way *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    *w = (struct socket_way){
        .way = { ask, close_socket }, .asker = asker, .events = events, .arg = arg
    };
    if (ipc_client_open(l, &conf, &client_events, w, &w->client)) {
        free(w);
        return NULL;
    }
    return &w->way;
}
