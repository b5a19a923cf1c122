#include "gate/report.h"

#include <stdlib.h>

#include "base/log.h"
#include "gate/facts.h"

#define AUTH(name) Countersign__Auth__##name

enum { REPORTS_MAX = 1000 };

struct report {
    struct list link;
    struct flow *flow;
    struct sip_msg *msg;
    struct gate_facts facts;
    Countersign__Auth__Cause cause;
    unsigned status;
    struct wall time;
};

static const struct log rlog = { .module = "gate" };

static void report_free(struct reports *r, struct report *x)
{
    list_remove(&x->link);
    flow_unref(&x->flow);
    sip_msg_unref(&x->msg);
    free(x);
    r->n--;
}

void reports_init(struct reports *r)
{
    list_init(&r->all);
    r->n = 0;
}

void reports_fini(struct reports *r)
{
    if (r->n)
        log_warn(&rlog, "authd was not told of all that was decided without it",
                 kv_u("requests", r->n));
    list_for_each (it, &r->all)
        report_free(r, container_of(it, struct report, link));
}

void reports_add(struct reports *r, struct flow *f, struct sip_msg *m,
                 const struct gate_facts *facts, Countersign__Auth__Cause cause, unsigned status,
                 struct wall now)
{
    struct report *x = malloc(sizeof(*x));
    if (r->n == REPORTS_MAX || !x)
        log_warn(&rlog, "what was decided without authd is not in its audit log",
                 kv_s("call_id", m->call_id));
    if (!x)
        return;
    if (r->n == REPORTS_MAX)
        report_free(r, container_of(r->all.next, struct report, link));
    *x = (struct report){ .flow = flow_ref(f),
                          .msg = sip_msg_ref(m),
                          .facts = *facts,
                          .cause = cause,
                          .status = status,
                          .time = now };
    list_push_back(&r->all, &x->link);
    r->n++;
}

static int send_one(const struct report *x, struct ipc_client *authd)
{
    AUTH(Check) check = COUNTERSIGN__AUTH__CHECK__INIT;
    AUTH(Told) told = COUNTERSIGN__AUTH__TOLD__INIT;
    AUTH(ToAuthd) msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    char memory[4096];
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory), 0);
    told.check = &check;
    told.has_time_ms = told.has_cause = true;
    told.time_ms = (uint64_t)x->time.ms;
    told.cause = x->cause;
    told.has_status = x->status != 0;
    told.status = x->status;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_TOLD;
    msg.told = &told;
    int err = facts_fill(&check, x->flow, x->msg, &x->facts, &arena);
    if (!err)
        err = ipc_client_send(authd, &msg);
    arena_fini(&arena);
    return err;
}

void reports_send(struct reports *r, struct ipc_client *authd)
{
    while (!list_empty(&r->all)) {
        struct report *x = container_of(r->all.next, struct report, link);
        if (send_one(x, authd))
            break;
        report_free(r, x);
    }
}
