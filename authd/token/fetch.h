/* HTTP requests to issuers and backends, by libcurl on our loop. It follows no redirect, takes no
 * proxy from the environment, verifies https against the authorities named, and holds answers to a
 * size and a time. Names are resolved in curl's own thread, so nothing blocks. */
#ifndef CS_AUTHD_TOKEN_FETCH_H
#define CS_AUTHD_TOKEN_FETCH_H

#include "base/ct.h"
#include "net/loop.h"

struct fetcher;
struct fetch;

struct fetch_request {                       /* borrowed for the call of fetch_start() */
    const char *url;                         /* issuer_url_fault() finds none in it */
    const char *ca_file;                     /* NULL: the system's */
    const char *accept;                      /* media type */
    struct span form;                        /* POST of this body; absent: GET. May be secret */
    const char *type;                        /* media type of that; NULL: urlencoded */
    const char *certificate_file, *key_file; /* of our own, in PEM; NULL: none */
    struct span authorization;               /* value of that header; absent: none. Secret */
    size_t max;                              /* bytes of an answer */
    struct duration timeout;
};

struct fetch_answer { /* borrowed for the callback */
    int err; /* 0: it is of status 200; else CS_EPROTO, CS_ELIMIT, CS_ETIMEOUT, CS_ECLOSED */
    unsigned status; /* of HTTP; 0: there was none */
    const char *why; /* for logs: what went wrong, "" for nothing */
    struct span body;
    int64_t max_age_s; /* Cache-Control: max-age; -1: it did not say; 0 also for no-store */
};
typedef void fetch_fn(void *arg, const struct fetch_answer *answer);

/* max_open: requests under way; a quarter of them to one host. */
CS_CHECK int fetcher_new(struct loop *l, size_t max_open, struct fetcher **out);
/* What is under way is forgotten without a callback. */
void fetcher_close(struct fetcher **f);

/* fn is called once, in a later turn. CS_ELIMIT when too many are under way, CS_ENOMEM. */
CS_CHECK int fetch_start(struct fetcher *f, const struct fetch_request *r, fetch_fn *fn, void *arg,
                         struct fetch **out);
/* fn will not be called. */
void fetch_cancel(struct fetch **f);

#endif
