/* The last lines of the audit log, in memory, for those who follow it and for those who come back
 * to it. Bounded: what is oldest makes room. Each line has a number; to the outside it is named by
 * that and by this tape, so that another authd, or this one after a restart, knows that it is not
 * its own. */
#ifndef CS_AUTHD_REST_TAPE_H
#define CS_AUTHD_REST_TAPE_H

#include "authd/audit/audit.h"
#include "authd/defence/ban.h"

enum {
    TAPE_LINES = 4096,
    TAPE_BYTES = 2 * 1024 * 1024,
    TAPE_ID_LEN = 16 + 1 + 20, /* of a line's name */
};

enum tape_kind { TAPE_DECISION, TAPE_CHANGE, TAPE_BAN, TAPE_ALARM };

struct tape;
struct tape_line { /* borrowed until tape_add() or tape_clear() */
    uint64_t number;
    enum tape_kind kind;
    Countersign__Auth__Cause cause;
    struct addr source; /* of a decision or an alarm; family none: not known */
    struct cidr net;    /* of a ban */
    struct span user, realm, text;
};

struct tape_filter {  /* absent, or family none: any */
    struct span user; /* name or name@realm */
    struct addr source;
    struct span cause;
    unsigned kinds; /* 1 << enum tape_kind; 0: all */
};

CS_CHECK int tape_new(struct tape **out);
void tape_free(struct tape **t);
/* A line that there is no memory for is missed: it shows in the numbers. */
void tape_add(struct tape *t, const struct audit_line *line);
/* Forgets all; who comes back has lost something. */
void tape_clear(struct tape *t);

/* The number of the next line to come. */
uint64_t tape_end(const struct tape *t);
/* The first line that passes the filter, from *number on, which becomes the number behind it; NULL:
 * none, and *number is the end. CS_ENOENT when lines from *number on are gone. */
CS_CHECK int tape_next(const struct tape *t, const struct tape_filter *f, uint64_t *number,
                       const struct tape_line **out);
void tape_write_id(const struct tape *t, uint64_t number, struct buf *b);
/* Where to go on behind the line of this name. CS_ENOENT: something after it is gone, and *number
 * is the oldest line that is there; CS_EPROTO: this is no line's name. */
CS_CHECK int tape_place(const struct tape *t, struct span id, uint64_t *number);

#endif
