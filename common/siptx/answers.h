/* Final answers of finished server transactions, kept for retransmissions of their requests (the
 * Completed state of RFC 3261, figure 8, over UDP): bytes in a ring, the oldest dropped first. */
#ifndef CS_SIPTX_ANSWERS_H
#define CS_SIPTX_ANSWERS_H

#include "base/clock.h"
#include "base/span.h"

/* 128 bits of SipHash under the process's key stand for the texts of 17.1.3 and 17.2.3: nobody
 * outside can make two meet. */
struct tx_key {
    uint64_t a, b;
};

struct answer_slot;
struct answers {
    char *mem;
    size_t cap;
    size_t head, tail; /* where the next one goes; the oldest */
    size_t end;        /* behind the last one before the ring begins again */
    size_t n;
    bool wrapped; /* head is before tail */
    /* An index by key, so that looking in vain, which is the rule, touches one cache line. */
    struct answer_slot *slots;
    size_t n_slots;
};

CS_CHECK int answers_init(struct answers *a, size_t cap);
void answers_fini(struct answers *a);
/* Keeps text until then. False if it is too long ever to be kept. */
bool answers_keep(struct answers *a, struct tx_key key, struct span text, struct mono now,
                  struct mono until);
/* The text, borrowed until the next answers_keep(); absent if it is not there any more. */
struct span answers_find(const struct answers *a, struct tx_key key, struct mono now);

#endif
