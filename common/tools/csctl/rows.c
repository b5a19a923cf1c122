/* The lines of a file to import. CSV as in RFC 4180, with a header line that names the columns;
 * or JSON lines. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ct.h"
#include "base/span.h"
#include "csctl.h"

enum { MAX_ROW = 64 * 1024, MAX_COLUMNS = 32 };

struct rows {
    FILE *f;
    const char *name;
    enum rows_format format;
    unsigned long line; /* read so far */
    char *text, *next;  /* the line, and room for getline() */
    size_t cap, n;
    char *header; /* of CSV */
    const struct csv_column *column[MAX_COLUMNS];
    size_t n_columns;
};

/* ---- what a column means ---- */

typedef const char *put_fn(json_t *user, const char *member, const char *text);

static const char *put_text(json_t *user, const char *member, const char *text)
{
    json_t *j = json_string(text);
    if (!j)
        return "is not UTF-8";
    json_object_set_new(user, member, j);
    return NULL;
}

static const char *put_verifier(json_t *user, const char *member, const char *text)
{
    if (!json_object_get(user, "verifiers"))
        json_object_set_new(user, "verifiers", json_object());
    return put_text(json_object_get(user, "verifiers"), member, text);
}

static const char *put_words(json_t *user, const char *member, const char *text)
{
    struct span left = span_str(text);
    json_t *list = json_array();
    json_object_set_new(user, member, list);
    while (left.p) {
        struct span word = span_cut(&left, ' ');
        if (word.n && json_array_append_new(list, json_stringn(word.p, word.n)))
            return "is not UTF-8";
    }
    return NULL;
}

static const char *put_number(json_t *user, const char *member, const char *text)
{
    uint64_t n;
    if (span_u64(span_str(text), 1000000, &n))
        return "is not a number";
    json_object_set_new(user, member, json_integer((json_int_t)n));
    return NULL;
}

static const char *put_bool(json_t *user, const char *member, const char *text)
{
    static const char *const yes[] = { "true", "yes", "1" }, *const no[] = { "false", "no", "0" };
    for (size_t i = 0; i < CS_LEN(yes); i++) {
        bool is_yes = span_caseeq(span_str(text), span_str(yes[i]));
        if (!is_yes && !span_caseeq(span_str(text), span_str(no[i])))
            continue;
        json_object_set_new(user, member, json_boolean(is_yes));
        return NULL;
    }
    return "is neither true nor false";
}

static const struct csv_column {
    const char *title, *member;
    put_fn *put;
} columns[] = {
    { "user", "user", put_text },
    { "realm", "realm", put_text },
    { "password", "password", put_text },
    { "md5", "MD5", put_verifier },
    { "sha-256", "SHA-256", put_verifier },
    { "sha-512-256", "SHA-512-256", put_verifier },
    { "aors", "aors", put_words },
    { "display_name", "display_name", put_text },
    { "max_contacts", "max_contacts", put_number },
    { "max_calls", "max_calls", put_number },
    { "enabled", "enabled", put_bool },
};

/* ---- lines ---- */

/* The next line that is not empty, without its end. False at the end of the file. */
static bool read_line(struct rows *r)
{
    for (;;) {
        ssize_t n = getline(&r->text, &r->cap, r->f);
        if (n < 0)
            return false;
        r->line++;
        r->n = (size_t)n;
        while (r->n && (r->text[r->n - 1] == '\n' || r->text[r->n - 1] == '\r'))
            r->text[--r->n] = '\0';
        if (r->line == 1 && span_starts(span_of(r->text, r->n), SPAN("\xef\xbb\xbf"))) {
            r->n -= 3; /* the mark that some spreadsheets write */
            memmove(r->text, r->text + 3, r->n + 1);
        }
        if (r->n)
            return true;
    }
}

/* Cuts the next field off *p, unquoted in place. NULL at the end, or with *why set. */
static char *next_field(char **p, const char **why)
{
    char *in = *p, *out, *start;
    if (!in)
        return NULL;
    start = out = in;
    if (*in != '"') {
        in += strcspn(in, ",");
        *p = *in ? in + 1 : NULL;
        *in = '\0';
        return start;
    }
    bool closed = false;
    for (in++; *in && !closed; in++) {
        if (*in == '"' && in[1] != '"')
            closed = true;
        else
            *out++ = *in == '"' ? *in++ : *in;
    }
    if (!closed)
        *why = "has a quote that is not closed on this line";
    else if (*in && *in != ',')
        *why = "has something behind a closing quote";
    *p = *in ? in + 1 : NULL;
    *out = '\0';
    return *why ? NULL : start;
}

static int read_header(struct rows *r)
{
    const char *why = NULL;
    char *p = r->header = strdup(r->text), *title;
    bool has_user = false;
    while ((title = next_field(&p, &why))) {
        const struct csv_column *found = NULL;
        for (size_t i = 0; i < CS_LEN(columns); i++) {
            if (span_caseeq(span_trim(span_str(title)), span_str(columns[i].title)))
                found = &columns[i];
        }
        if (!found || r->n_columns == MAX_COLUMNS) {
            complain("%s:%lu: there is no column \"%s\"; csctl user import --help names them",
                     r->name, r->line, title);
            return -1;
        }
        has_user = has_user || found == &columns[0];
        r->column[r->n_columns++] = found;
    }
    if (!why && has_user)
        return 0;
    complain("%s:%lu: the header line %s", r->name, r->line, why ? why : "names no column user");
    return -1;
}

struct rows *rows_open(FILE *f, const char *name, enum rows_format format)
{
    struct rows *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->f = f;
    r->name = name;
    r->format = format;
    if (r->format == ROWS_GUESS) {
        int c;
        do {
            c = getc(f);
            r->line += c == '\n';
        } while (c == ' ' || c == '\n' || c == '\r');
        ungetc(c, f);
        r->format = c == '{' ? ROWS_JSONL : ROWS_CSV;
    }
    if (r->format == ROWS_CSV && (!read_line(r) || read_header(r))) {
        if (!r->header)
            complain("%s: there is no header line", name);
        rows_free(&r);
    }
    return r;
}

void rows_free(struct rows **rp)
{
    struct rows *r = *rp;
    if (!r)
        return;
    *rp = NULL;
    if (r->text)
        ct_wipe(r->text, r->cap);
    free(r->text);
    free(r->header);
    free(r);
}

/* ---- rows ---- */

static int csv_row(struct rows *r, json_t *user, const char **why)
{
    char *p = r->text, *field;
    size_t i = 0;
    while ((field = next_field(&p, why))) {
        if (i == r->n_columns) {
            *why = "has more fields than the header line";
            return -1;
        }
        const struct csv_column *c = r->column[i++];
        const char *fault = *field ? c->put(user, c->member, field) : NULL;
        if (fault) {
            static char text[128];
            snprintf(text, sizeof(text), "%s %s", c->title, fault);
            *why = text;
            return -1;
        }
    }
    return *why ? -1 : 1;
}

int rows_next(struct rows *r, json_t **user, unsigned long *line, const char **why)
{
    static char text[256];
    *why = NULL;
    *user = NULL;
    if (!read_line(r))
        return 0;
    *line = r->line;
    if (r->n > MAX_ROW || strlen(r->text) != r->n) {
        *why = r->n > MAX_ROW ? "is too long" : "contains a NUL";
        return -1;
    }
    if (r->format == ROWS_JSONL) {
        json_error_t err;
        *user = json_loadb(r->text, r->n, JSON_REJECT_DUPLICATES, &err);
        if (json_is_object(*user))
            return 1;
        snprintf(text, sizeof(text), "is no JSON object%s%s", *user ? "" : ": ",
                 *user ? "" : err.text);
        *why = text;
    } else {
        *user = json_object();
        if (csv_row(r, *user, why) > 0)
            return 1;
    }
    json_decref(*user);
    *user = NULL;
    return -1;
}
