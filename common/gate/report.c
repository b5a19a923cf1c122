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
        log_warn(&rlog, "authd was not told of all that passed without it", kv_u("requests", r->n));
    list_for_each (it, &r->all)
        report_free(r, container_of(it, struct report, link));
}

void reports_add(struct reports *r, struct flow *f, struct sip_msg *m,
                 const struct gate_facts *facts, struct wall now)
{
    struct report *x = malloc(sizeof(*x));
    if (r->n == REPORTS_MAX || !x)
        log_warn(&rlog, "what passed without authd is not in its audit log",
                 kv_s("call_id", m->call_id));
    if (!x)
        return;
    if (r->n == REPORTS_MAX)
        report_free(r, container_of(r->all.next, struct report, link));
    *x =
        (struct report){ .flow = flow_ref(f), .msg = sip_msg_ref(m), .facts = *facts, .time = now };
    list_push_back(&r->all, &x->link);
    r->n++;
}

static int send_one(const struct report *x, struct ipc_client *authd)
{
    AUTH(Check) check = COUNTERSIGN__AUTH__CHECK__INIT;
    AUTH(Passed) passed = COUNTERSIGN__AUTH__PASSED__INIT;
    AUTH(ToAuthd) msg = COUNTERSIGN__AUTH__TO_AUTHD__INIT;
    char memory[4096];
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory), 0);
    passed.check = &check;
    passed.has_time_ms = true;
    passed.time_ms = (uint64_t)x->time.ms;
    msg.body_case = COUNTERSIGN__AUTH__TO_AUTHD__BODY_PASSED;
    msg.passed = &passed;
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
