/* The YAML that configuration may use, as a tree: mappings, lists and scalars, without anchors,
 * aliases, tags or second documents. Known to conf.c alone. */
#ifndef CS_CONF_YAML_H
#define CS_CONF_YAML_H

#include "base/arena.h"
#include "base/buf.h"

enum node_kind { NODE_SCALAR, NODE_MAP, NODE_LIST };

struct node {
    enum node_kind kind;
    bool plain;                /* SCALAR without quotes */
    unsigned line;             /* of a mapping's member, its key's */
    struct span key;           /* member of a mapping; absent else */
    struct span text;          /* SCALAR, followed by a NUL */
    struct node *first, *last; /* members, in order */
    size_t n;
    struct node *parent, *next;
};

/* A scalar that says nothing: `key:`, `key: ~`, `key: null`. */
bool node_is_null(const struct node *n);
struct node *node_member(const struct node *map, struct span key);

/* The root, NULL when the file says nothing at all. On CS_EPROTO and CS_ELIMIT why tells the reason
 * in words, and line where. Also CS_ENOMEM. */
CS_CHECK int yaml_read(struct span text, struct arena *a, struct node **root, struct buf *why,
                       unsigned *line);

#endif
