#include "conf/yaml.h"

#include <yaml.h>

#include "conf/value.h"

enum { MAX_KEYS = 1000, MAX_ELEMENTS = 10000 }; /* so that looking each up in the others is quick */

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct node *root, *at; /* at: the mapping or list that is open */
    struct span key;        /* read, waiting for its value */
    unsigned key_line, depth, documents;
    struct buf *why;
    unsigned line;
};

bool node_is_null(const struct node *n)
{
    return n->kind == NODE_SCALAR && n->plain &&
           (n->text.n == 0 || span_eq(n->text, SPAN("~")) || span_eq(n->text, SPAN("null")));
}

struct node *node_member(const struct node *map, struct span key)
{
    for (struct node *n = map->first; n; n = n->next) {
        if (span_eq(n->key, key))
            return n;
    }
    return NULL;
}

static int refuse(struct reader *r, const char *why)
{
    buf_put(r->why, span_str(why));
    return CS_EPROTO;
}

/* Puts a new node where the text stands. */
static int add(struct reader *r, enum node_kind kind, struct node **out)
{
    struct node *n = arena_zalloc(r->arena, sizeof(*n));
    if (!n)
        return CS_ENOMEM;
    *out = n;
    n->kind = kind;
    n->line = r->line;
    n->parent = r->at;
    if (!r->at) {
        r->root = n;
        return 0;
    }
    if (r->at->kind == NODE_MAP) {
        if (!r->key.p)
            return refuse(r, "a key must be a plain word");
        n->key = r->key;
        n->line = r->key_line;
        r->key = SPAN_NULL;
    }
    if (r->at->n == (r->at->kind == NODE_MAP ? MAX_KEYS : MAX_ELEMENTS))
        return refuse(r, "more than any list or section of ours may have; data such as users "
                         "belongs into Redis");
    if (r->at->last)
        r->at->last->next = n;
    else
        r->at->first = n;
    r->at->last = n;
    r->at->n++;
    return 0;
}

static int on_scalar(struct reader *r, const yaml_event_t *e)
{
    struct node *n;
    struct span text = arena_dup(r->arena, span_of(e->data.scalar.value, e->data.scalar.length));
    if (!text.p)
        return CS_ENOMEM;
    if (e->data.scalar.anchor)
        return refuse(r, "anchors (&name) are not used here; write the value out");
    if (e->data.scalar.tag)
        return refuse(r, "tags (!name) are not used here");
    if (r->at && r->at->kind == NODE_MAP && !r->key.p) {
        const struct node *before = node_member(r->at, text);
        r->key = text;
        r->key_line = r->line;
        if (!before)
            return 0;
        value_quote(r->why, text);
        buf_printf(r->why, " is said twice; first in line %u", before->line);
        return CS_EPROTO;
    }
    int err = add(r, NODE_SCALAR, &n);
    if (!err) {
        n->text = text;
        n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    }
    return err;
}

static int on_start(struct reader *r, enum node_kind kind, const void *anchor, const void *tag)
{
    struct node *n;
    if (anchor)
        return refuse(r, "anchors (&name) are not used here; write the value out");
    if (tag)
        return refuse(r, "tags (!name) are not used here");
    if (++r->depth > CONF_MAX_DEPTH)
        return refuse(r, "nested deeper than any key of ours");
    int err = add(r, kind, &n);
    if (!err)
        r->at = n;
    return err;
}

static int on_end(struct reader *r)
{
    r->depth--;
    r->at = r->at->parent;
    return 0;
}

static int on_event(struct reader *r, const yaml_event_t *e)
{
    r->line = (unsigned)e->start_mark.line + 1;
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        return r->documents++ ? refuse(r, "a second document begins (---); one is enough") : 0;
    case YAML_ALIAS_EVENT:
        return refuse(r, "aliases (*name) are not used here; write the value out");
    case YAML_SCALAR_EVENT:
        return on_scalar(r, e);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(r, NODE_LIST, e->data.sequence_start.anchor, e->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return on_start(r, NODE_MAP, e->data.mapping_start.anchor, e->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_end(r);
    default:
        return 0;
    }
}

/* What libyaml says, with the remedy for what people do most. */
static int explain(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return CS_ENOMEM;
    r->line = (unsigned)p->problem_mark.line + 1;
    buf_lit(r->why, "this is not YAML: ");
    buf_put(r->why, span_str(p->problem ? p->problem : "unreadable"));
    if (p->context && p->context_mark.line + 1 != r->line)
        buf_printf(r->why, " (%s that began in line %zu)", p->context, p->context_mark.line + 1);
    if (p->problem && strstr(p->problem, "tab"))
        buf_lit(r->why, "; indent with spaces");
    else if (p->problem && strstr(p->problem, "cannot start any token"))
        buf_lit(r->why, "; indent with spaces, not tabs, and quote what begins with @, ` or %");
    return CS_EPROTO;
}

int yaml_read(struct span text, struct arena *a, struct node **root, struct buf *why,
              unsigned *line)
{
    struct reader r = { .arena = a, .why = why, .line = 1 };
    int err = 0;
    *root = NULL;
    if (!yaml_parser_initialize(&r.parser))
        return CS_ENOMEM;
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
    for (bool end = false; !err && !end;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r.parser, &event)) {
            err = explain(&r);
            break;
        }
        end = event.type == YAML_STREAM_END_EVENT;
        err = on_event(&r, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&r.parser);
    *line = r.line;
    if (!err)
        *root = r.root;
    return err;
}
