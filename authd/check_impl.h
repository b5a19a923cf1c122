/* What the files of a check share. */
#ifndef CS_AUTHD_CHECK_IMPL_H
#define CS_AUTHD_CHECK_IMPL_H

#include "authd/check.h"

/* Each of these answers, and the check is gone. */
void check_answer(struct check *c, Countersign__Auth__Verdict *v, Countersign__Auth__Cause because);
void check_later(struct check *c, Countersign__Auth__Cause cause);
void check_reject(struct check *c, Countersign__Auth__Cause cause,
                  Countersign__Auth__Cause because);

/* From here on the check outlives the message it was made of. */
CS_CHECK int check_outlive(struct check *c);
/* u absent: accepted without identity. The grant lives in the check's arena. */
CS_CHECK int check_grant(struct check *c, const struct user *u);
/* Commits the nonce count, if there is one to commit, and asks for the target. Both leave with the
 * other commands of this turn; then it is accepted. */
void check_accept(struct check *c, Countersign__Auth__Cause cause);

/* ---- check_revoked.c ---- */
/* Completes c->tags and with them the grant. True: it rests on something that is revoked, or that
 * may be, and was answered. */
bool check_is_revoked(struct check *c);

/* ---- check_token.c ---- */
/* The right password of a temporary user is as good as the token it was given for. */
void check_session(struct check *c, const Countersign__Store__Session *s);
/* Answers: the token, or what stands for it, is not good enough. */
void check_refuse_token(struct check *c, Countersign__Auth__Cause cause);
/* Answers, now or later. repeated: more than one token was shown. */
void check_token(struct check *c, bool repeated);
void check_token_wakes(struct waiter *w);

#endif
