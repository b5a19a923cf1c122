/* What a request wants of a user: the JSON of a create, change, password or import, read by one
 * table. No I/O. */
#ifndef CS_AUTHD_REST_WISH_H
#define CS_AUTHD_REST_WISH_H

#include "authd/store/user.h"
#include "authd/token/json.h"

/* Why a request is refused; becomes a problem document (RFC 9457). */
struct fault {
    unsigned status; /* 0: none */
    const char *type, *title;
    char detail[320];
};
/* Returns CS_EPROTO, so that it ends a function. */
int fault_set(struct fault *f, unsigned status, const char *type, const char *title,
              const char *detail, ...) CS_PRINTF(5, 6);
/* The same of one member of the JSON: 422, "<member> <what>." */
int fault_member(struct fault *f, const char *member, const char *what);
int fault_no_memory(struct fault *f);

json_t *fault_to_json(const struct fault *f);
/* As a string; what is not UTF-8 becomes U+FFFD. */
json_t *json_of(struct span s);

/* Which members may stand there. */
enum { WISH_NAME = 1, WISH_FIELDS = 2, WISH_SECRET = 4, WISH_OVERLAP = 8, WISH_NO_SECRET = 16 };

struct wish { /* spans borrow from the JSON or the arena; what was not said is absent */
    struct span name, realm;
    struct span password;
    struct span verifier[ALG_COUNT]; /* HA1 in hex */
    bool has_verifiers, generate, no_password, allow_weak;
    struct wall keep_old_until; /* 0: not at all */
    bool has_enabled, enabled;
    bool has_aors;
    struct span *aors; /* canonical */
    size_t n_aors;
    bool has_max_contacts, has_max_calls;
    unsigned max_contacts, max_calls;
    bool has_display_name;
    struct span display_name;
};

/* What it says is checked as far as it can be without the user's record: types, names, AORs. With
 * WISH_SECRET and not more than one of password, verifiers and generate. */
CS_CHECK int wish_parse(const json_t *j, unsigned allowed, struct arena *a, struct wish *out,
                        struct fault *f);
/* Exactly one way to a secret was said, and a password is good or allowed to be weak. generated
 * gets a password where one was asked for, and is the wish's password then; *weak says that a
 * fault was overlooked. */
CS_CHECK int wish_check_secret(struct wish *w, char generated[USER_PASSWORD_LEN + 1], bool *weak,
                               struct fault *f);
/* Puts on u what the wish says, except its secret. A new user (no AORs and none wished) gets
 * sip:name@realm. */
CS_CHECK int wish_apply(const struct wish *w, bool is_new, struct arena *a, struct user *u,
                        struct fault *f);
/* The old password may be kept for so long: in the future, and not for more than a year. */
CS_CHECK int wish_check_overlap(const struct wish *w, struct wall now, struct fault *f);

/* What verifiers a realm's users have. */
struct wish_realm {
    unsigned algorithms; /* ALG_BITs */
    struct user_also also;
};
/* u->aors must stand. */
CS_CHECK int wish_apply_secret(const struct wish *w, struct vault *v,
                               const struct wish_realm *realm, struct arena *a, struct user *u,
                               struct fault *f);
/* Does u have the wish's secret already? */
bool wish_has_secret(const struct wish *w, struct vault *v, const struct wish_realm *realm,
                     const struct user *u);

/* How the world sees a user. */
json_t *user_to_json(const struct user *u);
/* "MD5", ... of the ALG_BITs, strongest first. */
json_t *algorithms_to_json(unsigned mask);

#endif
