/* Which Redis, as configuration says it, and what redis_open() needs made of that. The same section
 * for every daemon. */
#ifndef CS_REDIS_SETTINGS_H
#define CS_REDIS_SETTINGS_H

#include "conf/conf.h"
#include "redis/redis.h"

struct redis_tls_settings {
    const char *ca_file, *certificate_file, *key_file;
    struct span server_name;
};

struct redis_sentinel_settings {
    struct span master;
    struct addr *addresses;
    size_t n_addresses;
    struct span user;
    const char *password_file;
};

struct redis_settings {
    const char *socket;                       /* or NULL: */
    struct addr address;                      /* or AF_UNSPEC: */
    struct redis_sentinel_settings *sentinel; /* or NULL: */
    struct addr *cluster;                     /* n_cluster of its nodes */
    size_t n_cluster;
    struct span user; /* absent: none (ACL) */
    const char *password_file;
    struct redis_tls_settings *tls; /* NULL: plain */
    struct duration deadline;
    unsigned wait;
    struct duration wait_timeout;
};

/* For CONF_SECTION("redis", struct x, redis, &redis_settings_section, ...), with a struct
 * redis_settings redis. */
extern const struct conf_section redis_settings_section;

/* Whether both lead to the same data, as far as that can be told without asking: clusters have a
 * node in common. */
bool redis_settings_agree(const struct redis_settings *a, const struct redis_settings *b);

struct redis_access {
    struct redis_conf conf; /* for redis_open() and redis_watch() */
    struct redis_sentinels sentinels;
    struct secret password, sentinel_password;
};

/* Reads the passwords and certificates. The settings stay the caller's and outlive *out. On error
 * the reason was logged, and *out is to be closed all the same. */
CS_CHECK int redis_access_open(const struct redis_settings *s, struct redis_access *out);
/* When the clients are closed. */
void redis_access_close(struct redis_access *a);

#endif
