/* Redis as it is set up: does it keep what was acknowledged, and from whom is it kept. */
#include <stdlib.h>
#include <string.h>

#include "base/ct.h"
#include "doctor.h"
#include "redis/redis.h"

enum { AHEAD_NOTE_MS = 1000, AHEAD_FAULT_MS = 30 * 1000, FULL_PERCENT = 80 };

/* ---- asking ---- */

struct answer {
    bool done;
    json_t *value; /* NULL: none came, or it was refused */
};

static json_t *json_of(const struct redis_reply *r)
{
    switch (r->type) {
    case REDIS_STRING:
    case REDIS_STATUS:
        return json_stringn(r->str.p ? r->str.p : "", r->str.n);
    case REDIS_INTEGER:
        return json_integer(r->integer);
    case REDIS_ARRAY: {
        json_t *list = json_array();
        for (size_t i = 0; i < r->n; i++) {
            json_t *e = json_of(&r->element[i]);
            json_array_append_new(list, e ? e : json_null());
        }
        return list;
    }
    case REDIS_NIL:
    case REDIS_ERROR:
        break;
    }
    return NULL;
}

static void on_reply(void *arg, const struct redis_reply *reply)
{
    struct answer *a = arg;
    a->done = true;
    a->value = reply ? json_of(reply) : NULL;
}

/* The answer, owned by the caller, or NULL. */
static json_t *ask(struct doctor *d, struct redis *r, size_t argc, const struct span *argv)
{
    struct answer a = { .done = false };
    struct redis_call *call = redis_command(r, on_reply, &a, argc, argv);
    if (call && !doctor_wait(d, &a.done))
        redis_cancel(call);
    return a.value;
}
#define ASK(d, r, ...)                                            \
    ask((d), (r), CS_LEN(((const struct span[]){ __VA_ARGS__ })), \
        (const struct span[]){ __VA_ARGS__ })

static json_t *ask_settings(struct doctor *d, struct redis *r)
{
    static const struct span names[] = { SPAN_INIT("appendfsync"), SPAN_INIT("save"),
                                         SPAN_INIT("bind"), SPAN_INIT("protected-mode") };
    json_t *settings = json_object();
    for (size_t i = 0; i < CS_LEN(names); i++) {
        json_t *pair = ASK(d, r, SPAN("CONFIG"), SPAN("GET"), names[i]);
        if (json_is_string(json_array_get(pair, 1)))
            json_object_set(settings, names[i].p, json_array_get(pair, 1));
        json_decref(pair);
    }
    return settings;
}

/* Seconds and microseconds, as text (TIME); compared with the middle of asking. */
static bool ask_clock(struct doctor *d, struct redis *r, int64_t *ahead_ms)
{
    int64_t before = clock_wall().ms;
    json_t *t = ASK(d, r, SPAN("TIME"));
    int64_t now = (before + clock_wall().ms) / 2;
    const char *s = json_string_value(json_array_get(t, 0));
    const char *us = json_string_value(json_array_get(t, 1));
    bool ok = s && us;
    if (ok)
        *ahead_ms = strtoll(s, NULL, 10) * 1000 + strtoll(us, NULL, 10) / 1000 - now;
    json_decref(t);
    return ok;
}

/* ACL GETUSER answers with names and values in turn; flags is a list of words. */
static bool ask_open_to_all(struct doctor *d, struct redis *r)
{
    json_t *user = ASK(d, r, SPAN("ACL"), SPAN("GETUSER"), SPAN("default")), *flags = NULL, *flag;
    bool on = false, nopass = false;
    size_t i;
    for (i = 0; i + 1 < json_array_size(user); i += 2) {
        const char *name = json_string_value(json_array_get(user, i));
        if (name && strcmp(name, "flags") == 0)
            flags = json_array_get(user, i + 1);
    }
    json_array_foreach(flags, i, flag)
    {
        const char *word = json_string_value(flag);
        on |= word && strcmp(word, "on") == 0;
        nopass |= word && strcmp(word, "nopass") == 0;
    }
    json_decref(user);
    return on && nopass;
}

/* ---- judging ---- */

struct span redis_info(struct span info, struct span name)
{
    while (info.p) {
        struct span line = span_cut(&info, '\n');
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        struct span value = line;
        if (span_eq(span_cut(&value, ':'), name) && value.p)
            return value;
    }
    return SPAN_NULL;
}

static uint64_t info_number(struct span info, const char *name)
{
    uint64_t n = 0;
    return span_u64(redis_info(info, span_str(name)), INT64_MAX, &n) ? 0 : n;
}

static bool info_is(struct span info, const char *name, const char *value)
{
    return span_eq(redis_info(info, span_str(name)), span_str(value));
}

static struct span setting(const struct redis_facts *f, const char *name)
{
    return span_str(json_string_value(json_object_get(f->settings, name)));
}

static void judge_version(struct doctor *d, struct span info)
{
    struct span version = redis_info(info, SPAN("redis_version")), rest = version;
    uint64_t major = 0;
    if (span_u64(span_cut(&rest, '.'), 1000, &major) || major < 6)
        finding(d, LEVEL_FAULT, "redis.version", "Install Redis 6 or later.",
                "Redis " SPAN_FMT " has no users and tells nobody of changes", SPAN_ARG(version));
    else
        finding(d, LEVEL_FINE, "redis.version", NULL, "Redis " SPAN_FMT, SPAN_ARG(version));
}

static void judge_role(struct doctor *d, struct span info)
{
    if (info_is(info, "role", "master"))
        finding(d, LEVEL_FINE, "redis.role", NULL, "it is the master, with %llu replicas",
                (unsigned long long)info_number(info, "connected_slaves"));
    else
        finding(d, LEVEL_FAULT, "redis.role",
                "Configure the address of the master; a replica takes no REGISTER.",
                "this Redis is a replica of " SPAN_FMT,
                SPAN_ARG(redis_info(info, SPAN("master_host"))));
}

static void judge_wait(struct doctor *d, const struct redis_facts *f)
{
    const uint64_t replicas = info_number(f->info, "connected_slaves");
    if (!f->wait)
        return;
    if (replicas < f->wait)
        finding(d, LEVEL_FAULT, "redis.wait", "Bring the replicas back, or lower wait.",
                "each write waits for %u replicas, and %llu are connected: every REGISTER gets 503",
                f->wait, (unsigned long long)replicas);
    else
        finding(d, LEVEL_FINE, "redis.wait", NULL, "%u of %llu replicas confirm each write",
                f->wait, (unsigned long long)replicas);
}

static void judge_writing(struct doctor *d, const struct redis_facts *f)
{
    const bool aof = info_is(f->info, "aof_enabled", "1");
    const struct span fsync = setting(f, "appendfsync"), save = setting(f, "save");
    if (!aof && save.p && save.n == 0)
        finding(d, LEVEL_FAULT, "redis.appendonly", "Set appendonly yes.",
                "Redis writes nothing to disk: users and bindings are gone when it restarts");
    else if (!aof)
        finding(d, LEVEL_FAULT, "redis.appendonly", "Set appendonly yes.",
                "Redis has no append-only file: what was acknowledged since its last snapshot is "
                "lost when it is killed");
    else if (span_eq(fsync, SPAN("everysec")))
        finding(d, LEVEL_NOTE, "redis.appendfsync",
                "Set appendfsync always, or no with replicas and WAIT.",
                "appendfsync is everysec: up to two seconds of acknowledged bindings can be lost");
    else
        finding(d, LEVEL_FINE, "redis.appendonly", NULL, "acknowledged writes are on file");
    if (info_is(f->info, "aof_last_write_status", "err") ||
        info_is(f->info, "aof_last_bgrewrite_status", "err") ||
        info_is(f->info, "rdb_last_bgsave_status", "err"))
        finding(d, LEVEL_FAULT, "redis.disk", "Look at its log and at the space on its disk.",
                "Redis could not write to its disk the last time");
}

static void judge_memory(struct doctor *d, struct span info)
{
    const uint64_t max = info_number(info, "maxmemory"), used = info_number(info, "used_memory");
    const struct span policy = redis_info(info, SPAN("maxmemory_policy"));
    if (max && policy.p && !span_eq(policy, SPAN("noeviction")))
        finding(d, LEVEL_FAULT, "redis.maxmemory_policy", "Set maxmemory-policy noeviction.",
                "when memory is full Redis forgets users and bindings by itself (" SPAN_FMT ")",
                SPAN_ARG(policy));
    else
        finding(d, LEVEL_FINE, "redis.maxmemory_policy", NULL, "it forgets nothing by itself");
    if (max && used > max / 100 * FULL_PERCENT)
        finding(d, LEVEL_WARNING, "redis.memory", "Raise maxmemory, or look at what grows.",
                "%llu of %llu bytes are used; when it is full no phone can register",
                (unsigned long long)used, (unsigned long long)max);
}

static void judge_access(struct doctor *d, const struct redis_facts *f)
{
    const char *const remedy =
        "Turn the default user off, and give registrar and authd users of their own (ACL).";
    if (!f->by_address)
        return; /* the file system says who may open a Unix socket */
    if (!f->loopback && !f->encrypted)
        finding(d, LEVEL_WARNING, "redis.tls",
                "Give redis a tls section, and its server a certificate.",
                "what is said to Redis crosses the network in clear, passwords and bindings");
    if (f->open_to_all && !f->loopback)
        finding(d, LEVEL_FAULT, "redis.access", remedy,
                "whoever reaches this Redis over the network may do everything, without password");
    else if (f->open_to_all)
        finding(d, LEVEL_WARNING, "redis.access", remedy,
                "every user of this machine may do everything in Redis, without password");
    else
        finding(d, LEVEL_FINE, "redis.access", NULL, "it asks for a password");
    if (span_eq(setting(f, "protected-mode"), SPAN("no")) && f->open_to_all)
        finding(d, LEVEL_FAULT, "redis.protected_mode", "Set protected-mode yes.",
                "protected-mode is off, and there is no password");
}

static void judge_clock(struct doctor *d, const struct redis_facts *f)
{
    const int64_t off = f->ahead_ms < 0 ? -f->ahead_ms : f->ahead_ms;
    const char *const remedy = "Let both machines keep time by NTP (chrony, systemd-timesyncd).";
    if (!f->has_clock)
        return;
    if (off >= AHEAD_FAULT_MS)
        finding(d, LEVEL_FAULT, "redis.clock", remedy,
                "Redis's clock is %+.1f s from ours: bindings expire early or late, nonces are "
                "stale at once",
                (double)f->ahead_ms / 1000);
    else if (off >= AHEAD_NOTE_MS)
        finding(d, LEVEL_WARNING, "redis.clock", remedy, "Redis's clock is %+.1f s from ours",
                (double)f->ahead_ms / 1000);
    else
        finding(d, LEVEL_FINE, "redis.clock", NULL, "Redis's clock is ours");
}

void doctor_judge_redis(struct doctor *d, const struct redis_facts *f)
{
    judge_clock(d, f);
    if (!f->info.p) {
        finding(d, LEVEL_NOTE, "redis.hidden",
                "Give --redis-user and --redis-password-file of one who may INFO and CONFIG GET.",
                "this user of Redis may not see how it is set up, as it should be");
        return;
    }
    judge_version(d, f->info);
    judge_role(d, f->info);
    judge_wait(d, f);
    judge_writing(d, f);
    judge_memory(d, f->info);
    judge_access(d, f);
}

/* ---- examining ---- */

static void on_redis(void *arg, bool ready)
{
    *(bool *)arg |= ready;
}

static void examine(struct doctor *d, struct redis *r, const struct redis_settings *server)
{
    json_t *info = ASK(d, r, SPAN("INFO")), *settings = ask_settings(d, r);
    struct redis_facts f = {
        .info = span_of(json_string_value(info), json_string_length(info)),
        .settings = settings,
        .by_address = server->socket == NULL,
        .loopback = addr_is_loopback(&server->address),
        .encrypted = server->tls != NULL,
        .wait = server->wait,
        .open_to_all = ask_open_to_all(d, r),
    };
    f.has_clock = ask_clock(d, r, &f.ahead_ms);
    doctor_judge_redis(d, &f);
    json_decref(info);
    json_decref(settings);
}

static void check_server(struct doctor *d, const struct redis_settings *server)
{
    struct redis_settings as = *server;
    struct redis_access access;
    char place[ADDR_STRLEN];
    struct redis *r = NULL;
    bool ready = false;
    if (d->ask.password_file) {
        as.user = d->ask.user;
        as.password_file = d->ask.password_file;
    }
    as.deadline = d->timeout;
    int err = redis_access_open(&as, &access);
    if (err) {
        finding(d, LEVEL_FAULT, "redis.reachable", "Run this as root, or give --redis-user.",
                "what Redis is asked with cannot be read: %s", cs_strerror(err));
        redis_access_close(&access);
        return;
    }
    err = redis_open(&d->loop, &access.conf, &r);
    if (!err) {
        redis_on_ready(r, on_redis, &ready);
        ready |= redis_is_ready(r);
        if (doctor_wait(d, &ready))
            examine(d, r, server);
        else
            finding(
                d, LEVEL_FAULT, "redis.reachable",
                "Start it, and look at socket or address (the master's), user and password_file.",
                "Redis does not answer at %s, refuses the login, or is a replica",
                server->socket     ? server->socket
                : server->sentinel ? "the master that its sentinels name"
                : server->cluster  ? "the masters of its cluster"
                                   : addr_format(&server->address, place));
        redis_close(&r);
    }
    redis_access_close(&access);
}

void doctor_redis(struct doctor *d)
{
    const struct redis_settings *r = d->registrar ? &d->registrar->redis : NULL;
    const struct redis_settings *a = d->authd ? &d->authd->redis : NULL;
    if (r)
        check_server(d, r);
    if (a && (!r || !redis_settings_agree(a, r)))
        check_server(d, a);
    if (!a || !r)
        return;
    if (!redis_settings_agree(a, r))
        finding(d, LEVEL_WARNING, "redis.two",
                "Configure the same Redis for both, or csctl bindings shows nothing.",
                "registrar and authd have different servers of Redis");
    if (span_eq(a->user, r->user))
        finding(d, LEVEL_WARNING, "redis.users",
                "Give each a user of its own (ACL); the registrar needs bindings only.",
                "registrar and authd are one user of Redis: who takes over the registrar reads and "
                "changes what authd keeps");
    else
        finding(d, LEVEL_FINE, "redis.users", NULL, "registrar and authd have users of their own");
}
