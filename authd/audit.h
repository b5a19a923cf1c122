/* The audit log: one line of JSON for each decision, with the same fields whatever the method. What
 * a turn decided is written at its end, in one write. */
#ifndef CS_AUTHD_AUDIT_H
#define CS_AUTHD_AUDIT_H

#include "authd/ban.h"
#include "authd/decision.h"
#include "net/loop.h"

struct audit;

/* path NULL: stderr. The file is made with mode 0640 and appended to. */
CS_CHECK int audit_open(struct loop *l, const char *path, struct audit **out);
void audit_close(struct audit **a);
void audit_write(struct audit *a, const struct decision *d);
/* A ban that is put or lifted: what is "banned", "cooled_off" or "lifted". */
void audit_ban(struct audit *a, struct wall time, const char *what, const struct ban *b);
/* After the file was moved away. On failure the old file stays in use. */
CS_CHECK int audit_reopen(struct audit *a);

#endif
