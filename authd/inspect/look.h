/* A look at one key, or at one entry of an index: what the files of inspect/ share. */
#ifndef CS_AUTHD_INSPECT_LOOK_H
#define CS_AUTHD_INSPECT_LOOK_H

#include "authd/inspect/inspect.h"
#include "authd/store/user.h"

struct look;
typedef void look_fn(struct look *l);
/* r is a reply of any type, an error of a wrong one, too; never NULL. */
typedef void answer_fn(struct look *l, const struct redis_reply *r, void *arg);

struct look {
    struct inspection *owner;
    const struct inspect_env *env;
    struct arena *arena;
    look_fn *fn;
    const struct kind *kind; /* of a key; NULL: an entry */
    struct span key, entry;  /* entry absent: of the key itself */
    struct span name;        /* between the braces of the key; or an entry's own */
    const char *prefix;      /* of the records that an index names */
    struct wall until;       /* an entry's score */
    bool suspect;
};

/* What there may be: by how its key begins, or all of it where that ends in neither ':' nor '{'. */
enum stay { STAYS, EXPIRES };
struct kind {
    struct span key, get; /* get: GET, HGETALL, SMEMBERS; absent: its content says nothing */
    enum stay stay;
    answer_fn *judge;
};

/* Asks Redis; fn gets the answer, NULL: nobody wants it. */
void look_ask(struct look *l, answer_fn *fn, void *arg, size_t argc, const struct span *argv);
#define look_do(l, fn, arg, ...)                                               \
    look_ask((l), (fn), (arg), CS_LEN(((const struct span[]){ __VA_ARGS__ })), \
             (const struct span[]){ __VA_ARGS__ })
/* Something is wrong. entry and detail are copied, and may be absent. repair is done when it is
 * wanted, f->repaired is its to set. */
typedef void repair_fn(struct look *l, struct finding *f);
void look_found(struct look *l, enum flaw flaw, struct span entry, struct span detail,
                repair_fn *repair);
/* Memory is exhausted. */
void look_no_memory(struct look *l);
/* prefix{name} in the arena; absent when memory is exhausted, which is noted. */
struct span look_key(struct look *l, const char *prefix, struct span name, const char *behind);

/* The message of a record; NULL: it was told what is wrong. */
const void *look_message(struct look *l, const ProtobufCMessageDescriptor *type, struct span bytes);

extern const struct kind inspect_kinds[];
extern const size_t inspect_n_kinds;

/* ---- of keys ---- */
answer_fn look_user, look_temporary, look_aor, look_device, look_trunk, look_set, look_certificate,
    look_ban, look_node, look_location;
/* ---- of entries ---- */
look_fn look_listed, look_member, look_lacking, look_revocation, look_revoking, look_event,
    look_named_set;

#endif
