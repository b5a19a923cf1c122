#include "conf/conf.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/value.h"
#include "conf/yaml.h"

enum { MAX_REPORTS = 100, MAX_LINE = 2048 };

struct walk {
    const char *file;
    struct span folder;
    struct arena *arena; /* of the result */
    conf_report_fn *report;
    void *arg;
    unsigned errors;
    int fatal; /* CS_ENOMEM */
};

/* Where we are, for messages: peer_groups[2].digest. */
struct place {
    const struct place *up; /* NULL: the root */
    struct span name;       /* absent: an element of up's list */
    size_t index;
};

struct conf_check {
    struct walk *walk;
    const struct node *node; /* NULL: the section was not written */
    unsigned line;
    const struct place *place;
};

static void read_section(struct walk *w, const struct conf_section *section,
                         const struct node *node, unsigned line, const struct place *place,
                         void *out);

/* ---- reporting ---- */

static void write_place(struct buf *b, const struct place *p)
{
    if (!p->up)
        return;
    write_place(b, p->up);
    if (!p->name.p) {
        buf_printf(b, "[%zu]", p->index);
        return;
    }
    if (p->up->up)
        buf_putc(b, '.');
    buf_json(b, span_head(p->name, 64));
}

static void report(struct walk *w, unsigned line, const struct place *place, struct span message)
{
    char text[MAX_LINE + 4];
    struct buf b = buf_of(text, MAX_LINE);
    if (++w->errors > MAX_REPORTS)
        return;
    buf_put(&b, span_str(w->file));
    if (line)
        buf_printf(&b, ":%u", line);
    buf_lit(&b, ": ");
    if (w->errors == MAX_REPORTS) {
        buf_lit(&b, "more is wrong, but is not shown");
    } else {
        write_place(&b, place);
        buf_put(&b, place->up ? SPAN(": ") : SPAN(""));
        buf_put(&b, span_head(message, b.cap - b.n));
    }
    text[b.n] = '\0';
    w->report(w->arg, text);
}

static void complain(struct walk *w, unsigned line, const struct place *place, const char *fmt, ...)
    CS_PRINTF(4, 5);
static void complain(struct walk *w, unsigned line, const struct place *place, const char *fmt, ...)
{
    char text[MAX_LINE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    report(w, line, place, span_str(text));
}

static void print_report(void *arg, const char *line)
{
    (void)arg;
    fprintf(stderr, "%s\n", line);
}

/* ---- values ---- */

static void *member(void *out, size_t at)
{
    return (char *)out + at;
}

static void read_value(struct walk *w, const struct conf_key *key, struct span text, unsigned line,
                       const struct place *place, void *at)
{
    char words[1024];
    struct buf why = BUF_INIT(words);
    int err = value_read(key, text, w->folder, w->arena, at, &why);
    if (err == CS_EPROTO)
        report(w, line, place, buf_span(&why));
    else if (err)
        w->fatal = err;
}

static void read_scalar(struct walk *w, const struct conf_key *key, const struct node *node,
                        const struct place *place, void *at)
{
    if (node->kind != NODE_SCALAR)
        complain(w, node->line, place, "one value is expected here, not a %s",
                 node->kind == NODE_LIST ? "list" : "section");
    else if (node_is_null(node))
        complain(w, node->line, place, "has no value; write one, or remove the line");
    else
        read_value(w, key, node->text, node->line, place, at);
}

/* What a list must not say twice: the text of an element, or of its section's first key. */
static struct span identity(const struct conf_key *key, const struct node *element)
{
    if (key->type == CONF_T_SECTION)
        element = element->kind == NODE_MAP
                      ? node_member(element, span_str(key->section->keys[0].name))
                      : NULL;
    return element && element->kind == NODE_SCALAR ? element->text : SPAN_NULL;
}

static void check_unique(struct walk *w, const struct conf_key *key, const struct node *list,
                         const struct node *element, const struct place *place)
{
    struct span id = identity(key, element);
    for (const struct node *n = list->first; n != element && id.p; n = n->next) {
        if (!span_eq(identity(key, n), id))
            continue;
        char words[512];
        struct buf b = BUF_INIT(words);
        value_quote(&b, id);
        buf_printf(&b, " is there already, in line %u", n->line);
        report(w, element->line, place, buf_span(&b));
        return;
    }
}

static void not_a_list(struct walk *w, const struct conf_key *key, const struct node *node,
                       const struct place *place)
{
    char words[512];
    struct buf b = BUF_INIT(words);
    if (node->kind == NODE_SCALAR && key->type != CONF_T_SECTION) {
        buf_lit(&b, "a list is expected; write [");
        buf_json(&b, span_head(node->text, 64));
        buf_putc(&b, ']');
    } else {
        buf_lit(&b, "a list is expected; begin each element with \"- \"");
    }
    report(w, node->line, place, buf_span(&b));
}

static void read_list(struct walk *w, const struct conf_key *key, const struct node *node,
                      const struct place *place, void *out)
{
    bool empty = node_is_null(node);
    if (node->kind != NODE_LIST && !empty) {
        not_a_list(w, key, node, place);
        return;
    }
    if (node->n < key->at_least)
        complain(w, node->line, place, "at least %zu needed", key->at_least);
    if (key->at_most && node->n > key->at_most)
        complain(w, node->line, place, "%zu are too many; at most %zu", node->n, key->at_most);
    char *array = NULL;
    if (key->type != CONF_T_SET) {
        array = arena_zalloc(w->arena, node->n * key->width);
        if (!array) {
            w->fatal = CS_ENOMEM;
            return;
        }
        *(void **)member(out, key->at) = array;
        *(size_t *)member(out, key->n_at) = node->n;
    }
    size_t i = 0;
    for (const struct node *n = node->first; n; n = n->next, i++) {
        struct place element = { place, SPAN_NULL, i };
        if (key->unique)
            check_unique(w, key, node, n, &element);
        if (key->type == CONF_T_SECTION)
            read_section(w, key->section, n, n->line, &element, array + i * key->width);
        else if (key->type == CONF_T_SET)
            read_scalar(w, key, n, &element, member(out, key->at));
        else
            read_scalar(w, key, n, &element, array + i * key->width);
    }
}

static void read_key(struct walk *w, const struct conf_key *key, const struct node *node,
                     const struct place *place, void *out)
{
    void *at = member(out, key->at);
    if (key->list || key->type == CONF_T_SET) {
        read_list(w, key, node, place, out);
    } else if (key->type == CONF_T_SECTION) {
        assert(key->width == key->section->size);
        read_section(w, key->section, node, node->line, place, at);
    } else if (key->type == CONF_T_OPTION) {
        void *section = arena_zalloc(w->arena, key->section->size);
        if (!section) {
            w->fatal = CS_ENOMEM;
            return;
        }
        *(void **)at = section;
        read_section(w, key->section, node, node->line, place, section);
    } else {
        read_scalar(w, key, node, place, at);
    }
}

/* ---- defaults ---- */

/* A default that its own key refuses is our mistake. */
static void read_default(struct walk *w, const struct conf_key *key, struct span text, void *at)
{
    unsigned errors = w->errors;
    struct place root = { 0 };
    read_value(w, key, text, 0, &root, at);
    assert(w->errors == errors);
}

static void read_default_list(struct walk *w, const struct conf_key *key, void *out)
{
    size_t n = 1;
    for (const char *p = key->def; *p; p++)
        n += *p == ',';
    char *array = key->type == CONF_T_SET ? NULL : arena_zalloc(w->arena, n * key->width);
    if (!array && key->type != CONF_T_SET) {
        w->fatal = CS_ENOMEM;
        return;
    }
    struct span rest = span_str(key->def);
    for (size_t i = 0; i < n; i++)
        read_default(w, key, span_trim(span_cut(&rest, ',')),
                     array ? array + i * key->width : member(out, key->at));
    if (array) {
        *(void **)member(out, key->at) = array;
        *(size_t *)member(out, key->n_at) = n;
    }
}

static void set_default(struct walk *w, const struct conf_key *key, unsigned line,
                        const struct place *place, void *out)
{
    if (key->required)
        complain(w, line, place, "is missing and must be set: %s", key->doc);
    else if (key->type == CONF_T_SECTION && !key->list)
        read_section(w, key->section, NULL, line, place, member(out, key->at));
    else if (!key->def)
        return;
    else if (key->list || key->type == CONF_T_SET)
        read_default_list(w, key, out);
    else
        read_default(w, key, span_str(key->def), member(out, key->at));
}

/* ---- sections ---- */

static const struct conf_key *find_key(const struct conf_section *section, struct span name)
{
    for (const struct conf_key *k = section->keys; k->name; k++) {
        if (span_eq(name, span_str(k->name)))
            return k;
    }
    return NULL;
}

static void unknown_key(struct walk *w, const struct conf_section *section, const struct node *n,
                        const struct place *place)
{
    char text[MAX_LINE];
    struct buf b = BUF_INIT(text);
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (const struct conf_key *k = section->keys; k->name; k++) {
        size_t d = value_distance(n->key, span_str(k->name));
        if (d < best) {
            best = d;
            nearest = k->name;
        }
    }
    buf_lit(&b, "there is no such key");
    if (nearest)
        buf_printf(&b, "; did you mean %s?", nearest);
    buf_put(&b, nearest ? SPAN(" Allowed here: ") : SPAN("; allowed here: "));
    for (const struct conf_key *k = section->keys; k->name; k++) {
        buf_put(&b, k == section->keys ? SPAN("") : SPAN(", "));
        buf_put(&b, span_str(k->name));
    }
    report(w, n->line, place, buf_span(&b));
}

static void read_section(struct walk *w, const struct conf_section *section,
                         const struct node *node, unsigned line, const struct place *place,
                         void *out)
{
    unsigned errors = w->errors;
    if (node && node->kind != NODE_MAP) {
        if (!node_is_null(node)) {
            complain(w, line, place, "keys are expected here, each as \"key: value\"");
            return;
        }
        node = NULL; /* a section of which every line is a comment */
    }
    for (const struct node *n = node ? node->first : NULL; n; n = n->next) {
        const struct conf_key *key = find_key(section, n->key);
        struct place inner = { place, n->key, 0 };
        if (key)
            read_key(w, key, n, &inner, out);
        else if (!section->part)
            unknown_key(w, section, n, &inner);
    }
    for (const struct conf_key *key = section->keys; key->name; key++) {
        struct place inner = { place, span_str(key->name), 0 };
        if (!node || !node_member(node, inner.name))
            set_default(w, key, line, &inner, out);
    }
    if (section->check && w->errors == errors && !w->fatal) {
        struct conf_check c = { w, node, line, place };
        section->check(&c, out);
    }
}

struct arena *conf_arena(struct conf_check *c)
{
    return c->walk->arena;
}

/* The line of "a.b[2].c" below node, or of the last part of it that was written. */
static unsigned line_of(const struct node *node, unsigned line, struct span key)
{
    while (node && key.p) {
        struct span part = span_cut(&key, '.');
        struct span index = part, name = span_cut(&index, '[');
        uint64_t i;
        node = node->kind == NODE_MAP ? node_member(node, name) : NULL;
        if (!node)
            break;
        line = node->line;
        if (!index.p || span_u64(span_cut(&index, ']'), SIZE_MAX, &i))
            continue;
        const struct node *element = node->first;
        while (element && i--)
            element = element->next;
        node = element;
        line = node ? node->line : line;
    }
    return line;
}

void conf_error(struct conf_check *c, const char *key, const char *fmt, ...)
{
    char text[MAX_LINE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    struct place inner = { c->place, span_str(key), 0 };
    report(c->walk, line_of(c->node, c->line, inner.name), key ? &inner : c->place, span_str(text));
}

bool conf_is_written(const struct conf_check *c, const char *key)
{
    const struct node *node = c->node;
    struct span rest = span_str(key);
    while (node && rest.p)
        node = node->kind == NODE_MAP ? node_member(node, span_cut(&rest, '.')) : NULL;
    return node != NULL;
}

/* ---- entry points ---- */

static int parse(struct walk *w, struct span text, const struct conf_section *root, void *out)
{
    char words[512];
    struct buf why = BUF_INIT(words);
    struct place top = { 0 };
    struct arena tree;
    struct node *node;
    unsigned line;
    arena_init(&tree, NULL, 0, 0); /* the text, and so this, is bounded by CONF_MAX_FILE */
    int err = yaml_read(text, &tree, &node, &why, &line);
    if (err == CS_EPROTO)
        report(w, line, &top, buf_span(&why));
    else if (err)
        w->fatal = err;
    else
        read_section(w, root, node, node ? node->line : 1, &top, out);
    arena_fini(&tree);
    if (w->fatal || w->errors)
        memset(out, 0, root->size);
    return w->errors ? CS_ECONF : w->fatal;
}

static struct walk walk_of(const char *name, struct arena *a, conf_report_fn *fn, void *arg)
{
    const char *slash = strrchr(name, '/');
    return (struct walk){
        .file = name,
        .folder = span_of(name, slash ? (size_t)(slash - name) + 1 : 0),
        .arena = a,
        .report = fn ? fn : print_report,
        .arg = arg,
    };
}

int conf_parse(struct span text, const char *name, const struct conf_section *root, struct arena *a,
               void *out, conf_report_fn *fn, void *arg)
{
    struct walk w = walk_of(name, a, fn, arg);
    struct place top = { 0 };
    memset(out, 0, root->size);
    if (text.n <= CONF_MAX_FILE)
        return parse(&w, text, root, out);
    complain(&w, 0, &top, "is larger than 1 MiB; data such as users belongs into Redis");
    return CS_ECONF;
}

static int read_all(int fd, char *p, size_t cap, size_t *n)
{
    ssize_t got;
    *n = 0;
    while (*n < cap && (got = read(fd, p + *n, cap - *n)) != 0) {
        if (got < 0 && errno != EINTR)
            return -errno;
        *n += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

static const char *remedy(int err)
{
    switch (err) {
    case -ENOENT:
        return "; --print-config writes one to begin with";
    case -EACCES:
        return "; it must be readable for the user that this program runs as";
    default:
        return "";
    }
}

int conf_load(const char *path, const struct conf_section *root, struct arena *a, void *out,
              conf_report_fn *fn, void *arg)
{
    struct walk w = walk_of(path, a, fn, arg);
    struct place top = { 0 };
    struct stat st = { 0 };
    size_t n = 0;
    memset(out, 0, root->size);
    char *text = malloc(CONF_MAX_FILE + 1);
    if (!text)
        return CS_ENOMEM;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hang us */
    int err = fd < 0 || fstat(fd, &st) ? -errno : 0;
    if (!err && !S_ISREG(st.st_mode))
        complain(&w, 0, &top, "is not a file");
    else if (!err && st.st_mode & S_IWOTH)
        complain(&w, 0, &top, "can be changed by anybody; chmod o-w");
    else if (err || (err = read_all(fd, text, CONF_MAX_FILE + 1, &n)))
        complain(&w, 0, &top, "cannot be read: %s%s", strerror(-err), remedy(err));
    else
        err = conf_parse(span_of(text, n), path, root, a, out, fn, arg);
    if (fd >= 0)
        close(fd);
    free(text);
    return w.errors ? CS_ECONF : err;
}

unsigned conf_line(const char *path, const char *key)
{
    char words[128];
    struct buf why = BUF_INIT(words);
    struct arena tree;
    struct node *root = NULL;
    unsigned line = 0;
    size_t n = 0;
    char *text = malloc(CONF_MAX_FILE);
    int fd = text ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    arena_init(&tree, NULL, 0, 0);
    if (fd >= 0 && read_all(fd, text, CONF_MAX_FILE, &n) == 0 &&
        yaml_read(span_of(text, n), &tree, &root, &why, &line) == 0)
        line = line_of(root, 0, span_str(key));
    if (fd >= 0)
        close(fd);
    arena_fini(&tree);
    free(text);
    return line;
}
