#include "b2bua/media/ports.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct range { /* of one address */
    struct addr addr;
    size_t next;
    unsigned char *taken; /* by number of the pair */
};

struct ports {
    pthread_mutex_t lock; /* next, taken, n_taken */
    uint16_t first;
    size_t pairs, n_taken, n;
    struct range range[];
};

int ports_new(const struct ports_conf *conf, struct ports **out)
{
    const unsigned first = conf->first + (conf->first & 1u);
    const size_t pairs = conf->last > first ? ((size_t)conf->last - first + 1) / 2 : 0;
    struct ports *p = calloc(1, sizeof(*p) + conf->n_addresses * sizeof(p->range[0]));
    *out = p;
    if (!p)
        return CS_ENOMEM;
    pthread_mutex_init(&p->lock, NULL);
    p->first = (uint16_t)first;
    p->pairs = pairs;
    p->n = conf->n_addresses;
    for (size_t i = 0; i < p->n; i++) {
        p->range[i].addr = conf->addresses[i];
        p->range[i].taken = calloc(pairs ? pairs : 1, 1);
        if (!p->range[i].taken) {
            ports_free(out);
            return CS_ENOMEM;
        }
    }
    return 0;
}

void ports_free(struct ports **pp)
{
    struct ports *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        free(p->range[i].taken);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static int open_at(const struct addr *local)
{
    int fd = socket(local->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, &local->sa, addr_len(local)) == 0)
        return fd;
    int err = -errno;
    if (fd >= 0)
        close(fd);
    return err;
}

static int open_pair(const struct range *r, uint16_t port, struct port_pair *out)
{
    struct addr rtcp = r->addr;
    out->local = r->addr;
    addr_set_port(&out->local, port);
    addr_set_port(&rtcp, (uint16_t)(port + 1));
    out->rtp = open_at(&out->local);
    if (out->rtp < 0)
        return out->rtp;
    out->rtcp = open_at(&rtcp);
    if (out->rtcp >= 0)
        return 0;
    close(out->rtp);
    return out->rtcp;
}

static int take(struct ports *p, size_t address, struct port_pair *out)
{
    struct range *r = &p->range[address];
    for (size_t tried = 0; tried < p->pairs; tried++) {
        const size_t i = r->next;
        r->next = (i + 1) % p->pairs;
        if (r->taken[i])
            continue;
        int err = open_pair(r, (uint16_t)(p->first + 2 * i), out);
        if (err == -EADDRINUSE)
            continue; /* somebody else's */
        if (err)
            return err;
        r->taken[i] = 1;
        out->address = address;
        p->n_taken++;
        return 0;
    }
    return CS_ELIMIT;
}

int ports_take(struct ports *p, size_t address, struct port_pair *out)
{
    pthread_mutex_lock(&p->lock);
    int err = take(p, address, out);
    pthread_mutex_unlock(&p->lock);
    return err;
}

void ports_give_back(struct ports *p, struct port_pair *pair)
{
    struct range *r = &p->range[pair->address];
    close(pair->rtp);
    close(pair->rtcp);
    pthread_mutex_lock(&p->lock);
    r->taken[(addr_port(&pair->local) - p->first) / 2] = 0;
    p->n_taken--;
    pthread_mutex_unlock(&p->lock);
    pair->rtp = pair->rtcp = -1;
}

size_t ports_taken(struct ports *p)
{
    pthread_mutex_lock(&p->lock);
    const size_t n = p->n_taken;
    pthread_mutex_unlock(&p->lock);
    return n;
}
