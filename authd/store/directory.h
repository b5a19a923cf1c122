/* The devices and trunks of the installation, in memory, found by what a client certificate says or
 * by the user whose line a device has. What is given is borrowed until the loop turns. */
#ifndef CS_AUTHD_STORE_DIRECTORY_H
#define CS_AUTHD_STORE_DIRECTORY_H

#include "authd/check/certificate.h"
#include "authd/config.h"
#include "authd/store/trunk.h"
#include "redis/redis.h"

struct directory;

struct directory_env { /* what it points to outlives the directory */
    struct loop *loop;
    struct redis *redis;
    const struct redis_conf *watch; /* of the same server */
    const struct authd_conf *conf;
};

CS_CHECK int directory_new(const struct directory_env *env, struct directory **out);
void directory_free(struct directory **d);
/* fn is called when a device was changed, made or removed. One at a time, NULL for none. */
typedef void directory_fn(void *arg, struct span device);
void directory_listen(struct directory *d, directory_fn *fn, void *arg);
/* All of them are here, and changes are heard of; else nothing can be judged by them. */
bool directory_is_known(const struct directory *d);
/* There are as many as the configuration allows. */
bool directory_is_full(const struct directory *d);

/* Whom a certificate is of: a pin says it before any name, then names in the order of
 * cert_each_name(). A device with pins is found by them alone. */
struct holder {
    enum { HOLDER_NONE, HOLDER_USER, HOLDER_DEVICE, HOLDER_TRUNK } kind;
    struct span aor; /* USER: an address of record that the certificate names; in the arena */
    const struct device *device;
    const struct trunk *trunk;
};
/* aor: what the request is for, or from; of several that the certificate names it is taken, where
 * it is among them. CS_ENOMEM. */
CS_CHECK int directory_holder(const struct directory *d, const struct cert_facts *c,
                              struct span aor, struct arena *a, struct holder *out);

/* By their names; NULL: there is none. */
const struct device *directory_device(const struct directory *d, struct span name);
const struct trunk *directory_trunk(const struct directory *d, struct span name);
/* The device that has this line ("name@realm"): of several the one whose security asks for most,
 * disabled ones only if there is no other. NULL: none has. *n is how many have. */
const struct device *directory_line(const struct directory *d, struct span line, size_t *n);
/* Names of all that have it, in the arena. CS_ENOMEM. */
CS_CHECK int directory_line_names(const struct directory *d, struct span line, struct arena *a,
                                  struct span **out, size_t *n);

#endif
