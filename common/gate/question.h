/* Questions of a b2bua on their way to authd and back, each by one message of its kind: signatures,
 * admissions, desk phones and what is kept of them, for gate.c. A question waits for authd to be
 * there, until the deadline; what authd did not answer before it went gets LATER, and so does what
 * is too much. */
#ifndef CS_GATE_QUESTION_H
#define CS_GATE_QUESTION_H

#include "gate/gate.h"
#include "ipc/ipc.h"

struct question;

struct questions {
    struct loop *loop;
    struct ipc_client *ipc;
    struct duration deadline;
    struct list open; /* in the order they were asked */
    struct timer timer;
    struct turn turn;
    size_t n, max;
    uint64_t last_id;
    bool ready, closing;
};

struct question { /* embedded in what is asked; all of it but arena is question.c's */
    struct list link;
    struct questions *all;
    struct mono asked;
    uint64_t id;
    bool sent, refused; /* refused: LATER at the end of this turn */
    /* What kind it is: */
    void (*send)(struct question *q, Countersign__Auth__ToAuthd *msg); /* fills in its body */
    void (*later)(struct question *q); /* ends it, by question_end() first */
    struct arena arena;                /* of its message's texts */
};

void questions_init(struct questions *s, struct loop *l, struct duration deadline, size_t max);
/* Every open one gets LATER. */
void questions_fini(struct questions *s);
/* authd came or went: what waits is asked, or what was asked gets LATER. */
void questions_ready(struct questions *s, struct ipc_client *ipc, bool ready);

/* q has its two functions; an id, among those of no Check, and an arena it gets. */
void question_begin(struct questions *s, struct question *q);
/* Its message is whole. */
void question_ask(struct question *q);
void question_end(struct question *q);
/* The one that was asked under this id; NULL: nobody waits for it. */
struct question *question_of(struct questions *s, uint64_t id);
/* A text of a message, a copy in the arena; false when memory is exhausted. */
CS_CHECK bool question_text(struct question *q, struct span from, char **to);

/* ---- sign.c ---- */
void signs_answer(struct questions *s, const Countersign__Auth__Signed *m);
struct gate_sign *signs_ask(struct questions *s, const struct gate_challenge *c, gate_signed_fn *fn,
                            void *arg);

/* ---- admit.c ---- */
/* False: nobody waits for it any more. */
CS_CHECK bool admits_answer(struct questions *s, const Countersign__Auth__Admitted *m);
struct gate_admit *admits_ask(struct questions *s, const struct gate_call *c, gate_admitted_fn *fn,
                              void *arg);

/* ---- attach.c ---- */
void attaches_answer(struct questions *s, const Countersign__Auth__Attached *m);
struct gate_attach *attaches_ask(struct questions *s, const struct gate_device *d,
                                 gate_attached_fn *fn, void *arg);
void keeps_answer(struct questions *s, const Countersign__Auth__Kept *m);
struct gate_keep *keeps_ask(struct questions *s, const Countersign__Auth__Keep *k, gate_kept_fn *fn,
                            void *arg);

#endif
