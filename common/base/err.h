/* Error codes. 0 is success, negative is failure: libuv's codes (which are -errno here) pass
 * through unchanged, ours begin at -10001. */
#ifndef CS_BASE_ERR_H
#define CS_BASE_ERR_H

#define CS_CHECK __attribute__((warn_unused_result))

enum cs_err {
    CS_ENOTSUP = -10001,   /* well-formed, but not something we do */
    CS_EPROTO = -10002,    /* malformed */
    CS_ENOMEM = -10003,    /* no memory, or an arena's limit is reached */
    CS_ELIMIT = -10004,    /* a configured bound is reached */
    CS_ENOENT = -10005,    /* no such thing */
    CS_ECONF = -10006,     /* the configuration is wrong; the message was printed */
    CS_ECLOSED = -10007,   /* the other side, or we, closed it */
    CS_ETIMEOUT = -10008,  /* the deadline passed */
    CS_EDENIED = -10009,   /* not allowed */
    CS_ECONFLICT = -10010, /* somebody else changed it first */
};

/* A short sentence for one of our codes, or strerror() of the negated value. Never NULL. */
const char *cs_strerror(int err);

#endif
