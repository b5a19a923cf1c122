#include "conf/conf.h"
#include "conf/value.h"

enum { WIDTH = 100, MAX_MARGIN = 128 };

/* ---- the manual ---- */

/* Prints text as comments behind the margin, in lines of WIDTH. */
static void print_comment(FILE *f, const char *margin, struct span text)
{
    size_t room = WIDTH - strlen(margin) - 2;
    while (text.n) {
        size_t n = CS_MIN(text.n, room);
        while (n < text.n && n > 1 && text.p[n] != ' ')
            n--;
        fprintf(f, "%s# " SPAN_FMT "\n", margin, SPAN_ARG(span_head(text, n)));
        text = span_trim(span_skip(text, n));
    }
}

/* One value as YAML understands it: quoted unless it is surely a plain scalar. */
static void write_scalar(struct buf *b, struct span s)
{
    bool plain = s.n > 0 && (ascii_alpha(s.p[0]) || ascii_digit(s.p[0]) || s.p[0] == '/');
    for (size_t i = 0; i < s.n; i++)
        plain = plain && (ascii_alpha(s.p[i]) || ascii_digit(s.p[i]) ||
                          span_find(SPAN(" /._-+@*"), s.p[i]) >= 0 ||
                          (s.p[i] == ':' && i + 1 < s.n && s.p[i + 1] != ' '));
    buf_put(b, plain ? SPAN("") : SPAN("\""));
    if (plain)
        buf_put(b, s);
    else
        buf_json(b, s);
    buf_put(b, plain ? SPAN("") : SPAN("\""));
}

static void write_default(struct buf *b, const struct conf_key *key)
{
    struct span rest = span_str(key->def);
    if (!key->list && key->type != CONF_T_SET) {
        write_scalar(b, rest);
        return;
    }
    for (const char *sep = ""; rest.p; sep = ", ") {
        buf_put(b, span_str(sep));
        write_scalar(b, span_trim(span_cut(&rest, ',')));
    }
}

/* "(duration, 10ms to 1m; default 2s)" */
static void write_facts(struct buf *b, const struct conf_key *key)
{
    buf_printf(b, "(%s", value_type(key));
    if (key->names) {
        buf_putc(b, ' ');
        value_write_names(b, key);
    }
    if (value_is_bounded(key)) {
        buf_lit(b, ", ");
        value_write_range(b, key);
    }
    if (key->at_least)
        buf_printf(b, ", at least %zu", key->at_least);
    if (key->at_most)
        buf_printf(b, ", at most %zu", key->at_most);
    if (key->port)
        buf_printf(b, ", port %u if none is written", key->port);
    if (key->required) {
        buf_lit(b, "; required");
    } else if (key->def) {
        buf_lit(b, "; default ");
        write_default(b, key);
    }
    buf_putc(b, ')');
}

/* The default, or else a value that the key takes. */
static void write_example(struct buf *b, const struct conf_key *key)
{
    const char *open = key->list || key->type == CONF_T_SET ? "[" : "";
    const char *close = *open ? "]" : "";
    buf_put(b, span_str(open));
    if (key->def) {
        write_default(b, key);
    } else {
        switch (key->type) {
        case CONF_T_BOOL:
            buf_lit(b, "false");
            break;
        case CONF_T_UINT:
            buf_u64(b, key->min);
            break;
        case CONF_T_DURATION:
        case CONF_T_SIZE:
            value_write_bound(b, key, key->min);
            break;
        case CONF_T_STR:
            buf_lit(b, "TEXT");
            for (uint64_t n = 4; n < key->min; n++)
                buf_putc(b, 'T');
            break;
        case CONF_T_PATH:
            buf_lit(b, "/path/to/file");
            break;
        case CONF_T_ADDR:
            buf_printf(b, "127.0.0.1:%u", key->port ? key->port : 5060);
            break;
        case CONF_T_CIDR:
            buf_lit(b, "10.0.0.0/8");
            break;
        case CONF_T_ENUM:
        case CONF_T_SET:
            buf_put(b, span_str(key->names[0]));
            break;
        case CONF_T_SECTION:
        case CONF_T_OPTION:
            break;
        }
    }
    buf_put(b, span_str(close));
}

static void print_section(FILE *f, const char *margin, const struct conf_section *section);

/* What may be left out is behind a '#'; without it the line would be right YAML in its place. */
static void print_key(FILE *f, const char *margin, const struct conf_key *key)
{
    char text[4096], inner[MAX_MARGIN];
    struct buf b = BUF_INIT(text);
    bool section = key->type == CONF_T_SECTION || key->type == CONF_T_OPTION;
    bool written = key->required || (key->type == CONF_T_SECTION && !key->list);
    const char *mark = written ? "" : "#";
    buf_printf(&b, "%s ", key->doc);
    write_facts(&b, key);
    print_comment(f, margin, buf_span(&b));
    if (!section) {
        b.n = 0;
        write_example(&b, key);
        fprintf(f, "%s%s%s: " SPAN_FMT "\n", margin, mark, key->name, SPAN_ARG(buf_span(&b)));
        return;
    }
    fprintf(f, "%s%s%s:\n", margin, mark, key->name);
    snprintf(inner, sizeof(inner), "%s%s%s", margin, mark, key->list ? "    " : "  ");
    if (key->list)
        fprintf(f, "%s%s  -\n", margin, mark);
    print_section(f, inner, key->section);
}

static void print_section(FILE *f, const char *margin, const struct conf_section *section)
{
    for (const struct conf_key *k = section->keys; k->name; k++) {
        if (k != section->keys && !*margin)
            fputc('\n', f);
        print_key(f, margin, k);
    }
}

void conf_print(FILE *f, const struct conf_section *root)
{
    print_section(f, "", root);
}
