#include "registrar/nodes.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/list.h"
#include "base/metric.h"
#include "base/rand.h"
#include "proto/codec.h"
#include "store.pb-c.h"

#define STORE(name) Countersign__Store__##name
#define KEY         "cs:{nodes}"

enum {
    SCHEMA = 1,
    RETRY_MS = 20,      /* while Redis is not there */
    LOOK_MS = 1000,     /* between two looks at who is there */
    LOOKS = 3,          /* to one sign of life */
    LIFETIME_MS = 9000, /* and a look: nobody is believed in for more than ten seconds */
    NODES_MAX = 1024,
    KEY_MAX = 128
};

static const struct log nlog = { .module = "nodes" };

struct node {
    struct list link;
    char *name;
    char *socket;    /* NULL: not on this machine */
    char *tls_name;  /* NULL: not by TLS */
    char *addresses; /* each followed by a comma */
    struct addr tls;
    uint32_t id;
    bool present;      /* in the list that is being read */
    bool added;        /* by configuration, for good */
    struct mono until; /* of who starts with us: so long it need not have said a thing; 0: it has */
};

struct nodes {
    struct loop *loop;
    struct redis *redis;
    struct siptp *tp;
    struct nodes_conf conf;
    char machine[65];
    uint64_t epoch;
    struct timer beat;
    unsigned looks;
    struct list all;                          /* but ourselves */
    struct redis_call *said, *names, *values; /* NULL: not asked */
    bool known;                               /* Redis has answered once */
    bool ours;                                /* our name stood there with our epoch */
};

/* ---- what is known ---- */

static void node_free(struct node *n)
{
    list_remove(&n->link);
    free(n->name);
    free(n->socket);
    free(n->tls_name);
    free(n->addresses);
    free(n);
}

static struct node *find(const struct nodes *ns, uint32_t id)
{
    list_for_each (it, &ns->all) {
        struct node *n = container_of(it, struct node, link);
        if (n->id == id)
            return n;
    }
    return NULL;
}

static struct node *node_new(struct nodes *ns, struct span name)
{
    struct node *n = calloc(1, sizeof(*n));
    if (n)
        n->name = strndup(name.p, name.n);
    if (!n || !n->name) {
        free(n);
        return NULL;
    }
    n->id = siptp_node_id(name);
    list_init(&n->link);
    list_push_back(&ns->all, &n->link);
    return n;
}

static struct node *add(struct nodes *ns, struct span name, const struct siptp_link_target *to)
{
    struct node *n = node_new(ns, name);
    if (!n)
        return NULL;
    n->socket = to->path ? strdup(to->path) : NULL;
    n->tls_name = to->path ? NULL : strdup(to->name);
    n->addresses = strdup("");
    if (!to->path)
        n->tls = *to->addr;
    return (n->socket || n->tls_name) && n->addresses ? n : NULL;
}

int nodes_add(struct nodes *ns, struct span name, const struct siptp_link_target *to)
{
    struct node *n = add(ns, name, to);
    if (!n)
        return CS_ENOMEM;
    n->added = true;
    return 0;
}

int nodes_expect(struct nodes *ns, struct span name, const struct siptp_link_target *to)
{
    struct node *n = add(ns, name, to);
    if (!n)
        return CS_ENOMEM;
    n->until = mono_add(loop_now(ns->loop), DURATION_MS(LIFETIME_MS + LOOK_MS));
    return 0;
}

bool nodes_is_added(const struct nodes *ns, uint32_t id)
{
    const struct node *n = find(ns, id);
    return n && n->added;
}

bool nodes_are_known(const struct nodes *ns)
{
    return ns->known;
}

bool nodes_hear(const struct nodes *ns, struct span host, uint16_t port)
{
    char text[300];
    struct buf b = BUF_INIT(text);
    if (list_empty(&ns->all))
        return false;
    buf_put(&b, host);
    buf_putc(&b, ':');
    buf_u64(&b, port);
    list_for_each (it, &ns->all) {
        struct span rest = span_str(container_of(it, struct node, link)->addresses);
        while (rest.n) {
            if (buf_ok(&b) && span_caseeq(span_cut(&rest, ','), buf_span(&b)))
                return true;
        }
    }
    return false;
}

int nodes_link(struct nodes *ns, uint32_t id, struct flow **out)
{
    const struct node *n = find(ns, id);
    if (!n || (!n->socket && !n->tls_name)) /* a b2bua that calls are not given to came by itself */
        return siptp_link_find(ns->tp, id, out);
    *out = NULL;
    struct siptp_link_target to = { .path = n->socket, .addr = &n->tls, .name = n->tls_name };
    return siptp_link_to(ns->tp, id, &to, out);
}

/* ---- what Redis says ---- */

static void replace(char **text, const char *by)
{
    if (*text && by && strcmp(*text, by) == 0)
        return;
    free(*text);
    *text = by ? strdup(by) : NULL;
}

static void take_in(struct nodes *ns, const STORE(Node) * said)
{
    const struct span name = span_str(said->name);
    uint32_t id = siptp_node_id(name);
    struct node *n = find(ns, id);
    const bool was_there = n && !n->until.ns;
    if (id == siptp_node(ns->tp) || (!n && !(n = node_new(ns, name))))
        return;
    if (!was_there)
        log_info(&nlog, "a registrar appeared", kv_str("name", n->name),
                 kv_str("link", said->link ? said->link : "none"),
                 kv_str("tls", said->tls ? said->tls : "none"));
    n->until = (struct mono){ 0 };
    n->present = true;
    bool near = said->link && said->machine && strcmp(said->machine, ns->machine) == 0;
    bool tls = said->tls && said->tls_name && addr_parse(span_str(said->tls), 0, &n->tls) == 0;
    replace(&n->socket, near ? said->link : NULL);
    replace(&n->tls_name, tls ? said->tls_name : NULL);
    char all[2048];
    struct buf b = BUF_INIT(all);
    for (size_t i = 0; i < said->n_address; i++) {
        buf_put(&b, span_str(said->address[i]));
        buf_putc(&b, ',');
    }
    buf_putc(&b, 0);
    replace(&n->addresses, buf_ok(&b) ? all : NULL);
}

/* Those that were not said to be there are gone. */
static void forget_absent(struct nodes *ns)
{
    list_for_each (it, &ns->all) {
        struct node *n = container_of(it, struct node, link);
        if (n->present || n->added || mono_before(loop_now(ns->loop), n->until))
            continue;
        log_info(&nlog, "a registrar is gone", kv_str("name", n->name));
        redis_do(ns->redis, redis_ignore, NULL, SPAN("SREM"), SPAN(KEY), span_str(n->name));
        siptp_link_close(ns->tp, n->id);
        node_free(n);
    }
    ns->known = true;
}

/* Of MGET: those whose key has expired are NIL. */
static void on_values(void *arg, const struct redis_reply *reply)
{
    struct nodes *ns = arg;
    ns->values = NULL;
    if (!reply || reply->type != REDIS_ARRAY)
        return; /* nobody is taken for gone because Redis is */
    for (size_t i = 0; i < reply->n; i++) {
        struct arena a;
        arena_init(&a, NULL, 0, 64 * 1024);
        STORE(Node) *said =
            reply->element[i].type == REDIS_STRING
                ? proto_unpack(&countersign__store__node__descriptor, reply->element[i].str, &a)
                : NULL;
        if (said && said->schema == SCHEMA)
            take_in(ns, said);
        arena_fini(&a);
    }
    forget_absent(ns);
}

static void on_names(void *arg, const struct redis_reply *reply)
{
    struct nodes *ns = arg;
    struct arena a;
    ns->names = NULL;
    if (!reply || reply->type != REDIS_ARRAY)
        return;
    list_for_each (it, &ns->all)
        container_of(it, struct node, link)->present = false;
    if (!reply->n) {
        forget_absent(ns);
        return;
    }
    size_t n = CS_MIN(reply->n, (size_t)NODES_MAX);
    arena_init(&a, NULL, 0, 0);
    struct span *argv = arena_alloc(&a, (n + 1) * sizeof(*argv));
    for (size_t i = 0; argv && i < n; i++) {
        char key[KEY_MAX];
        struct buf b = BUF_INIT(key);
        buf_lit(&b, KEY ":");
        buf_put(&b, reply->element[i].str);
        argv[i + 1] = arena_dup(&a, buf_span(&b));
        if (!argv[i + 1].p)
            argv = NULL;
    }
    if (argv) {
        argv[0] = SPAN("MGET");
        ns->values = redis_command(ns->redis, on_values, ns, n + 1, argv);
    }
    arena_fini(&a);
}

/* ---- our own sign of life ---- */

static struct span our_key(const struct nodes *ns, struct buf *b)
{
    buf_lit(b, KEY ":");
    buf_put(b, ns->conf.name);
    return buf_span(b);
}

/* The value it replaces: ours, unless two go by one name. */
static void on_said(void *arg, const struct redis_reply *reply)
{
    struct nodes *ns = arg;
    struct arena a;
    ns->said = NULL;
    if (!reply || reply->type != REDIS_STRING) {
        ns->ours |= reply && reply->type == REDIS_NIL;
        return;
    }
    arena_init(&a, NULL, 0, 64 * 1024);
    STORE(Node) *old = proto_unpack(&countersign__store__node__descriptor, reply->str, &a);
    if (old && old->epoch != ns->epoch && ns->ours) /* at first it may be our predecessor's */
        log_warn(&nlog, "another registrar has our name; give each its own node:",
                 kv_s("node", ns->conf.name));
    ns->ours = true;
    arena_fini(&a);
}

static void say(struct nodes *ns)
{
    char key[KEY_MAX], ms[24];
    char packed[8192];
    struct buf kb = BUF_INIT(key), mb = BUF_INIT(ms), pb = BUF_INIT(packed);
    STORE(Node) node = COUNTERSIGN__STORE__NODE__INIT;
    node.schema = SCHEMA;
    node.name = (char *)ns->conf.name.p;
    node.epoch = ns->epoch;
    node.link = (char *)ns->conf.link;
    node.machine = ns->machine;
    node.tls = (char *)ns->conf.tls;
    node.tls_name = (char *)ns->conf.tls_name;
    node.address = ns->conf.addresses;
    node.n_address = ns->conf.n_addresses;
    proto_pack(&pb, &node.base);
    struct span k = our_key(ns, &kb);
    buf_u64(&mb, LIFETIME_MS);
    if (!buf_ok(&pb) || !buf_ok(&kb))
        return;
    ns->said = redis_do(ns->redis, on_said, ns, SPAN("SET"), k, buf_span(&pb), SPAN("PX"),
                        buf_span(&mb), SPAN("GET"));
    redis_do(ns->redis, redis_ignore, NULL, SPAN("SADD"), SPAN(KEY), ns->conf.name);
}

static void on_beat(struct timer *t)
{
    struct nodes *ns = container_of(t, struct nodes, beat);
    bool ready = redis_is_ready(ns->redis);
    timer_start_about(ns->loop, &ns->beat, DURATION_MS(ready ? LOOK_MS : RETRY_MS));
    if (!ready)
        return;
    if (ns->looks++ % LOOKS == 0 && (ns->conf.link || ns->conf.tls) && !ns->said)
        say(ns);
    if (!ns->names && !ns->values)
        ns->names = redis_do(ns->redis, on_names, ns, SPAN("SMEMBERS"), SPAN(KEY));
}

/* A path means the same to processes of one machine that see one file system: the boot's id, and
 * the device and number of the folder that the socket is in. */
static void name_machine(struct nodes *ns)
{
    struct buf b = BUF_INIT(ns->machine);
    char boot[37] = "", folder[256];
    struct stat st = { 0 };
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (f) {
        if (!fgets(boot, sizeof(boot), f))
            boot[0] = 0;
        fclose(f);
    }
    span_copy(folder, sizeof(folder), span_str(ns->conf.link));
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = 0;
    if (stat(slash ? folder : ".", &st))
        st.st_ino = 0;
    buf_put(&b, span_str(boot));
    buf_putc(&b, '/');
    buf_u64(&b, (uint64_t)st.st_dev);
    buf_putc(&b, '/');
    buf_u64(&b, (uint64_t)st.st_ino);
    ns->machine[CS_MIN(b.n, sizeof(ns->machine) - 1)] = 0;
}

int nodes_open(struct loop *l, struct redis *redis, struct siptp *tp, const struct nodes_conf *conf,
               struct nodes **out)
{
    struct nodes *ns = calloc(1, sizeof(*ns));
    *out = ns;
    if (!ns)
        return CS_ENOMEM;
    ns->loop = l;
    ns->redis = redis;
    ns->tp = tp;
    ns->conf = *conf;
    rand_bytes(&ns->epoch, sizeof(ns->epoch));
    list_init(&ns->all);
    name_machine(ns);
    timer_init(&ns->beat, on_beat);
    timer_start(l, &ns->beat, DURATION_MS(0));
    return 0;
}

void nodes_close(struct nodes **np)
{
    char key[KEY_MAX];
    struct buf b = BUF_INIT(key);
    struct nodes *ns = *np;
    struct redis_call *const calls[] = { ns ? ns->said : NULL, ns ? ns->names : NULL,
                                         ns ? ns->values : NULL };
    *np = NULL;
    if (!ns)
        return;
    for (size_t i = 0; i < CS_LEN(calls); i++) {
        if (calls[i])
            redis_cancel(calls[i]);
    }
    if (ns->conf.link || ns->conf.tls)
        redis_do(ns->redis, redis_ignore, NULL, SPAN("DEL"), our_key(ns, &b));
    timer_stop(ns->loop, &ns->beat);
    list_for_each (it, &ns->all)
        node_free(container_of(it, struct node, link));
    free(ns);
}
