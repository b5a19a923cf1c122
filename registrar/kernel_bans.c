#include "registrar/kernel_bans.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/metric.h"
#include "base/netset.h"
#include "net/packets.h"
#include "registrar/bouncer.h"

enum { ADDED, REMOVED, FAILED }; /* of REG_KERNEL_BAN_CHANGES */
enum {
    SECOND_MS = 1000,
    LOOK = 10, /* seconds between two looks at the sets: who loads his rules again empties them */
    SWEEP = 2, /* until what was not told again is taken out */
    NEAR_MS = 2000 /* its end, so that it may be gone when it is looked for */
};

static const struct log klog = { .module = "bans" };

struct kept {
    struct netset_member at;
    struct mono until;
    bool there; /* ordered to be */
    bool stale; /* forgotten, and not told again yet */
};

struct kernel_bans {
    struct loop *loop;
    struct packets *bouncer;
    struct netset all;
    struct timer second;
    unsigned look, sweep; /* seconds left; of sweep 0: none is due */
    bool ready;           /* the sets are there */
    int told;             /* why not, as was said aloud */
};

/* ---- orders ---- */

static bool order(struct kernel_bans *k, enum bouncer_what what, const struct kept *b)
{
    struct bouncer_order o;
    struct duration rest = b ? mono_since(loop_now(k->loop), b->until) : DURATION_MS(0);
    bouncer_write(&o, what, b ? &b->at.net : NULL, rest);
    if (k->bouncer && packets_send(k->bouncer, span_of(&o, sizeof(o))) == 0)
        return true;
    metric_inc(M_REG_KERNEL_BAN_CHANGES, FAILED);
    return false;
}

static void take_out(struct kernel_bans *k, struct kept *b)
{
    if (!b->there)
        return;
    b->there = false;
    metric_add(M_REG_KERNEL_BANS, 0, -1);
    order(k, BOUNCER_REMOVE, b);
}

static void put_in(struct kernel_bans *k, struct kept *b)
{
    if (!order(k, BOUNCER_ADD, b))
        return;
    if (!b->there)
        metric_add(M_REG_KERNEL_BANS, 0, 1);
    b->there = true;
}

/* ---- networks in one another ---- */

static struct kept *kept_of(struct map_node *n)
{
    return container_of(container_of(n, struct netset_member, node), struct kept, at);
}

static bool is_covered(const struct kernel_bans *k, const struct kept *b)
{
    size_t family = addr_host_bytes(&b->at.net.net).n;
    for (size_t i = 0; i < k->all.n_lengths; i++) {
        const struct netset_length *l = &k->all.lengths[i];
        struct cidr wider = cidr_of(&b->at.net.net, l->bits);
        if (l->family == family && l->bits < b->at.net.bits && netset_get(&k->all, &wider, 0, 0))
            return true;
    }
    return false;
}

static bool may_cover(const struct kernel_bans *k, const struct cidr *net)
{
    size_t family = addr_host_bytes(&net->net).n;
    for (size_t i = 0; i < k->all.n_lengths; i++) {
        if (k->all.lengths[i].family == family && k->all.lengths[i].bits > net->bits)
            return true;
    }
    return false;
}

typedef void inside_fn(struct kernel_bans *k, struct kept *b);

static void each_inside(struct kernel_bans *k, const struct cidr *net, inside_fn *fn)
{
    if (!may_cover(k, net))
        return;
    map_for_each (it, &k->all.map) {
        struct kept *b = kept_of(it);
        if (b->at.net.bits > net->bits && cidr_contains(net, &b->at.net.net))
            fn(k, b);
    }
}

static void place(struct kernel_bans *k, struct kept *b)
{
    if (!k->ready || is_covered(k, b))
        return;
    each_inside(k, &b->at.net, take_out);
    put_in(k, b);
}

static void place_again(struct kernel_bans *k, struct kept *b)
{
    if (!b->there)
        place(k, b);
}

static void drop(struct kernel_bans *k, struct kept *b)
{
    const struct cidr net = b->at.net;
    take_out(k, b);
    netset_remove(&k->all, &b->at);
    free(b);
    each_inside(k, &net, place_again);
}

/* ---- what is told ---- */

static void forget(struct kernel_bans *k)
{
    map_for_each (it, &k->all.map)
        kept_of(it)->stale = true;
    k->sweep = SWEEP;
}

void kernel_bans_take(struct kernel_bans *k, const struct gate_ban *ban)
{
    if (!ban) {
        forget(k);
        return;
    }
    struct netset_member *m = netset_get(&k->all, &ban->net, 0, 0);
    struct kept *b = m ? container_of(m, struct kept, at) : NULL;
    if (ban->port)
        return;
    if (!ban->rest.ms || ban->partly) {
        if (b)
            drop(k, b);
        return;
    }
    if (!b) {
        b = calloc(1, sizeof(*b));
        if (!b)
            return;
        b->at.net = ban->net;
        if (netset_add(&k->all, &b->at)) {
            free(b);
            return;
        }
    }
    b->until = mono_add(loop_now(k->loop), ban->rest);
    b->stale = false;
    place(k, b);
}

/* ---- time ---- */

/* One that should be there stands for all. */
static void look(struct kernel_bans *k)
{
    k->look = LOOK;
    if (!k->ready) {
        order(k, BOUNCER_BEGIN, NULL);
        return;
    }
    struct mono soon = mono_add(loop_now(k->loop), DURATION_MS(NEAR_MS));
    map_for_each (it, &k->all.map) {
        const struct kept *b = kept_of(it);
        if (b->there && mono_before(soon, b->until)) {
            order(k, BOUNCER_LOOK, b);
            return;
        }
    }
}

static void on_second(struct timer *t)
{
    struct kernel_bans *k = container_of(t, struct kernel_bans, second);
    bool sweep = k->sweep && --k->sweep == 0;
    struct mono now = loop_now(k->loop);
    map_for_each (it, &k->all.map) {
        struct kept *b = kept_of(it);
        if (!mono_before(now, b->until) || (sweep && b->stale))
            drop(k, b);
    }
    if (--k->look == 0)
        look(k);
    if (k->bouncer)
        timer_start(k->loop, &k->second, DURATION_MS(SECOND_MS));
}

/* ---- answers ---- */

static const char *remedy(int err)
{
    switch (err) {
    case UV_EPERM:
        return "give CAP_NET_ADMIN to the start of the registrar, or take limits.nftables away";
    case CS_ENOENT:
        return "make the table and its sets, as deploy/nftables does";
    case CS_ECONF:
        return "the sets are of type ipv4_addr and ipv6_addr, with flags interval, timeout";
    default:
        return "see the reason";
    }
}

/* None of them is there. */
static void lose(struct kernel_bans *k)
{
    k->ready = false;
    map_for_each (it, &k->all.map) {
        struct kept *b = kept_of(it);
        metric_add(M_REG_KERNEL_BANS, 0, -(int)b->there);
        b->there = false;
    }
}

static void not_ready(struct kernel_bans *k, int err)
{
    if (k->told != err)
        log_warn(&klog, "bans are not in the packet filter; we drop what is banned ourselves",
                 kv_err(err), kv_str("what_to_do", remedy(err)));
    k->told = err;
    lose(k);
}

static void begun(struct kernel_bans *k, int err)
{
    if (err) {
        not_ready(k, err);
        return;
    }
    lose(k);
    log_info(&klog, "bans are put into the packet filter");
    k->told = 0;
    k->ready = true;
    map_for_each (it, &k->all.map)
        place_again(k, kept_of(it));
}

static void failed(struct kernel_bans *k, const struct bouncer_order *o, int err)
{
    struct cidr net;
    if (bouncer_net(o, &net))
        return;
    struct netset_member *m = netset_get(&k->all, &net, 0, 0);
    struct kept *b = m ? container_of(m, struct kept, at) : NULL;
    if (o->what == BOUNCER_LOOK) {
        if (b && b->there) /* it was not taken out meanwhile */
            order(k, BOUNCER_BEGIN, NULL);
        return;
    }
    metric_inc(M_REG_KERNEL_BAN_CHANGES, FAILED);
    if (b && b->there && o->what == BOUNCER_ADD) {
        b->there = false;
        metric_add(M_REG_KERNEL_BANS, 0, -1);
    }
    if (err == UV_ENOENT && o->what == BOUNCER_ADD) /* the table or the set */
        not_ready(k, CS_ENOENT);
    else
        log_debug(&klog, "the packet filter refuses a change", kv_err(err));
}

static void on_answer(void *arg, struct span message)
{
    struct kernel_bans *k = arg;
    struct bouncer_answer a;
    if (!message.p) {
        log_error(&klog, "the process that changes the packet filter is gone; we drop what is "
                         "banned ourselves until the next start");
        packets_close(&k->bouncer);
        return;
    }
    if (message.n != sizeof(a))
        return;
    memcpy(&a, message.p, sizeof(a));
    if (a.order.what == BOUNCER_BEGIN)
        begun(k, a.err);
    else if (a.err)
        failed(k, &a.order, a.err);
    else if (a.order.what != BOUNCER_LOOK)
        metric_inc(M_REG_KERNEL_BAN_CHANGES, a.order.what == BOUNCER_ADD ? ADDED : REMOVED);
}

/* ---- life ---- */

int kernel_bans_open(struct loop *l, int fd, struct kernel_bans **out)
{
    struct kernel_bans *k = calloc(1, sizeof(*k));
    *out = k;
    if (!k) {
        close(fd);
        return CS_ENOMEM;
    }
    k->loop = l;
    netset_init(&k->all);
    timer_init(&k->second, on_second);
    int err = packets_open(l, fd, on_answer, k, &k->bouncer);
    if (err)
        kernel_bans_close(out);
    else
        look(k);
    if (!err)
        timer_start(l, &k->second, DURATION_MS(SECOND_MS));
    return err;
}

void kernel_bans_close(struct kernel_bans **kp)
{
    struct kernel_bans *k = *kp;
    *kp = NULL;
    if (!k)
        return;
    timer_stop(k->loop, &k->second);
    if (k->bouncer)
        packets_close(&k->bouncer);
    map_for_each (it, &k->all.map) {
        struct kept *b = kept_of(it);
        netset_remove(&k->all, &b->at);
        free(b);
    }
    netset_fini(&k->all);
    free(k);
}
