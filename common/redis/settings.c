#include "redis/settings.h"

#include "base/log.h"

#define T struct redis_tls_settings
static const struct conf_key tls_keys[] = {
    CONF_PATH("ca_file", T, ca_file, "CA that Redis's certificate has to come from (PEM).",
              .required = true),
    CONF_PATH("certificate_file", T, certificate_file,
              "Our certificate, when Redis asks for one (PEM)."),
    CONF_PATH("key_file", T, key_file, "Its private key (PEM), which others may not read."),
    CONF_STR("server_name", T, server_name,
             "Name that Redis's certificate has to say; default: the address.", .min = 1,
             .max = 253),
    { 0 },
};

static void tls_check(struct conf_check *c, void *section)
{
    T *t = section;
    if (!t->certificate_file != !t->key_file)
        conf_error(c, NULL, "certificate_file and key_file go together; write both or none");
}
static const struct conf_section tls_section = { sizeof(T), tls_keys, tls_check };

#define S struct redis_sentinel_settings
static const struct conf_key sentinel_keys[] = {
    CONF_STR("master", S, master, "Name the sentinels have for the master.", .required = true,
             .min = 1, .max = 128),
    CONF_ADDRS("addresses", S, addresses, "Where the sentinels are.", .required = true,
               .port = 26379, .at_least = 1, .at_most = 16),
    CONF_STR("user", S, user, "ACL user of the sentinels."),
    CONF_PATH("password_file", S, password_file, "File that holds the password for sentinels."),
    { 0 },
};

static void sentinel_check(struct conf_check *c, void *section)
{
    S *s = section;
    if (s->user.p && !s->password_file)
        conf_error(c, "user", "needs a password_file beside it");
}
static const struct conf_section sentinel_section = { sizeof(S), sentinel_keys, sentinel_check };

#define R struct redis_settings
static const struct conf_key redis_keys[] = {
    CONF_PATH("socket", R, socket, "Unix socket of Redis; or give address, sentinel or cluster."),
    CONF_ADDR("address", R, address, "Address of Redis.", .port = 6379),
    CONF_OPTION("sentinel", R, sentinel, &sentinel_section,
                "Sentinels who name the master, instead of an address; it is followed."),
    CONF_ADDRS("cluster", R, cluster,
               "Some nodes of a Redis Cluster, instead of an address; the others are found by "
               "them.",
               .port = 6379, .at_most = 32),
    CONF_STR("user", R, user, "ACL user of Redis."),
    CONF_PATH("password_file", R, password_file, "File that holds the password."),
    CONF_OPTION("tls", R, tls, &tls_section, "TLS to Redis, and to the sentinels."),
    CONF_DURATION("deadline", R, deadline,
                  "How long a command may take; beyond it Redis counts as away.", .def = "1s",
                  .min = 10 * CONF_MS, .max = CONF_MINUTE),
    CONF_UINT("wait", R, wait,
              "Replicas that must have a binding or a user before it is acknowledged.", .def = "0",
              .max = 16),
    CONF_DURATION("wait_timeout", R, wait_timeout,
                  "How long replicas may take for that; then the answer is 503.", .def = "250ms",
                  .min = 10 * CONF_MS, .max = 30 * CONF_SECOND),
    { 0 },
};

static void redis_check(struct conf_check *c, void *section)
{
    R *r = section;
    bool address = r->address.sa.sa_family != AF_UNSPEC;
    if ((r->socket != NULL) + address + (r->sentinel != NULL) + (r->n_cluster > 0) != 1)
        conf_error(c, NULL, "needs either socket, address, sentinel or cluster");
    if (r->user.p && !r->password_file)
        conf_error(c, "user", "needs a password_file beside it");
    if (r->tls && r->socket)
        conf_error(c, "tls", "is for address, sentinel and cluster; a Unix socket needs none");
    if (r->wait && r->wait_timeout.ms >= r->deadline.ms)
        conf_error(c, "wait_timeout", "must be shorter than deadline");
}
const struct conf_section redis_settings_section = { sizeof(R), redis_keys, redis_check };

static bool have_common(const struct redis_settings *a, const struct redis_settings *b)
{
    for (size_t i = 0; i < a->n_cluster; i++) {
        for (size_t j = 0; j < b->n_cluster; j++) {
            if (addr_eq(&a->cluster[i], &b->cluster[j]))
                return true;
        }
    }
    return false;
}

bool redis_settings_agree(const struct redis_settings *a, const struct redis_settings *b)
{
    if (a->sentinel || b->sentinel)
        return a->sentinel && b->sentinel && span_eq(a->sentinel->master, b->sentinel->master);
    if (a->n_cluster || b->n_cluster)
        return have_common(a, b);
    if (a->socket || b->socket)
        return a->socket && b->socket && strcmp(a->socket, b->socket) == 0;
    return a->address.sa.sa_family == b->address.sa.sa_family &&
           (a->address.sa.sa_family == AF_UNSPEC || addr_eq(&a->address, &b->address));
}

/* ---- access ---- */

static int read_password(const char *file, struct secret *out, const struct secret **used)
{
    if (!file)
        return 0;
    int err = secret_read_file(out, file);
    if (err)
        log_error(&(struct log){ .module = "redis" }, "cannot read the password of Redis",
                  kv_str("file", file), kv_err(err));
    *used = out;
    return err;
}

static int open_tls(const struct redis_tls_settings *t, struct redis_conf *conf)
{
    if (!t)
        return 0;
    conf->server_name = t->server_name.p;
    return tls_context_new(&(struct tls_conf){ .role = TLS_CLIENT,
                                               .ca_file = t->ca_file,
                                               .certificate_file = t->certificate_file,
                                               .key_file = t->key_file },
                           &conf->tls);
}

int redis_access_open(const struct redis_settings *s, struct redis_access *out)
{
    *out = (struct redis_access){ .conf = { .unix_path = s->socket,
                                            .addr = s->address,
                                            .cluster = s->n_cluster ? s->cluster : NULL,
                                            .n_cluster = s->n_cluster,
                                            .username = s->user.p,
                                            .deadline = s->deadline,
                                            .wait = s->wait,
                                            .wait_timeout = s->wait_timeout } };
    int err = read_password(s->password_file, &out->password, &out->conf.password);
    if (!err && s->sentinel) {
        out->sentinels = (struct redis_sentinels){ .master = s->sentinel->master.p,
                                                   .addrs = s->sentinel->addresses,
                                                   .n = s->sentinel->n_addresses,
                                                   .username = s->sentinel->user.p };
        out->conf.sentinels = &out->sentinels;
        err = read_password(s->sentinel->password_file, &out->sentinel_password,
                            &out->sentinels.password);
    }
    return err ? err : open_tls(s->tls, &out->conf);
}

void redis_access_close(struct redis_access *a)
{
    tls_context_unref(&a->conf.tls);
    secret_fini(&a->password);
    secret_fini(&a->sentinel_password);
}
