/* What the files of a check share. */
#ifndef CS_AUTHD_CHECK_CHECK_IMPL_H
#define CS_AUTHD_CHECK_CHECK_IMPL_H

#include "authd/check/check.h"

/* Each of these answers, and the check is gone. */
void check_answer(struct check *c, Countersign__Auth__Verdict *v, Countersign__Auth__Cause because);
void check_later(struct check *c, Countersign__Auth__Cause cause);
void check_reject(struct check *c, Countersign__Auth__Cause cause,
                  Countersign__Auth__Cause because);

/* A check of these facts, judged by nobody yet; NULL: no memory. */
struct check *check_begin(struct checker *k, const Countersign__Auth__Check *m,
                          const struct check_asker *asker, void *owner);
/* Judges it. Answers, now or later. */
void check_judge(struct check *c, const Countersign__Auth__Check *m);

/* From here on the check outlives the message it was made of. */
CS_CHECK int check_outlive(struct check *c);
/* u absent: accepted without identity. The grant lives in the check's arena. */
CS_CHECK int check_grant(struct check *c, const struct user *u);
/* Commits the nonce count, if there is one to commit, and asks for the target. Both leave with the
 * other commands of this turn; then it is accepted. */
void check_accept(struct check *c, Countersign__Auth__Cause cause);

/* Who is to blame for what is wrong with the credentials. */
struct suspect check_suspect(const struct check *c);
/* Wrong credentials, whatever is wrong with them: the same status, headers and bytes. */
void check_refuse_wrong(struct check *c, Countersign__Auth__Cause cause);
/* The response is right, by this user's verifier; the rest is about what it may do. */
void check_proceed(struct check *c, const struct user *u);
/* The former name of the group's realm while it is good; absent: it has none. */
struct span check_former(const struct check *c);

/* ---- check_user.c ---- */
/* Finds the user of the credentials and judges them: answers, now or later. */
void check_user(struct check *c);

/* The same by what was remembered of the user when Redis was lost. */
void check_recalled(struct check *c);

/* ---- check_grace.c ---- */
/* Redis is away, and this request may pass nevertheless. */
bool check_has_grace(const struct check *c);
/* What a nonce is made for. */
struct span check_nonce_realm(const struct check *c);
/* c->nonce of the credentials; CS_EPROTO: none of ours. c->other_nonce: a good one, but of an
 * outage that is over, or of before this one: it is stale. */
CS_CHECK int check_nonce(struct check *c);
/* realms_lacking(), or what it was when Redis was lost. */
bool check_offers(const struct check *c, struct span realm, unsigned *lacking);

/* ---- check_backend.c ---- */
/* The same where the group has a backend. */
void check_backend(struct check *c);

/* ---- check_peer.c ---- */
/* A server showed u's credentials and is From none of u's addresses: answers, now or later. */
void check_peer(struct check *c, const struct user *u);

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
/* What c->proof says is good. user: whose it is; absent: whom its address names. */
void check_proceed_with_token(struct check *c, struct span realm, struct span user);

/* ---- check_ticket.c ---- */
/* The same of a ticket, in c->token, on the connection c->flow. */
void check_ticket(struct check *c);

/* ---- check_attach.c ---- */
/* The desk phone c->device, whose group is known. Answers, now or later. */
void check_attach(struct check *c, const Countersign__Auth__Check *m);
/* Goes on with the next of its lines. */
void attach_read_line(struct check *c);
/* One of the lines that were read so far is this user. */
bool attach_has_line(const struct attach *t, struct span name, struct span realm);

/* ---- check_file.c ---- */
/* Of a file of this device: c->attach->passwords says whether it has passwords. OK, or why it may
 * not leave. */
Countersign__Auth__Cause check_file(struct check *c, const struct device *d);
/* The user of a line, which l stands for, has another password from now on, and l says it; then the
 * next line is read. Or answers. */
void check_give_password(struct check *c, const struct user *u, Countersign__Auth__DeviceLine *l);
/* Of who has c->attach. */
void check_wipe_passwords(struct check *c);

/* ---- check_pass.c ---- */
/* A REGISTER over the trusted link. Answers, now or later. */
void check_pass(struct check *c, const Countersign__Auth__Check *m);

/* ---- check_certificate.c ---- */
/* The user in c->cred, for whom somebody else vouches. Answers, now or later. */
void check_named_user(struct check *c);
/* Looks at the certificate of the request: the fault of c->certified, which it fills.
 * STORE_UNAVAILABLE: nobody can say. */
Countersign__Auth__Cause check_look(struct check *c, const Countersign__Auth__Check *m);
/* Judges by the certificate alone, which is good. Answers, now or later. */
void check_certificate(struct check *c);
/* Whether user, certificate and device of what is to be granted belong together, and the device
 * may be used so; the grant says then what it rests on. OK, or why not; STORE_UNAVAILABLE as above.
 */
Countersign__Auth__Cause check_party(struct check *c);
/* It was accepted: its certificate, if it rests on one, was seen. */
void check_seen(const struct check *c);

#endif
