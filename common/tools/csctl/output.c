#include <string.h>

#include "base/buf.h"
#include "csctl.h"

enum { CELL = 512, COLUMNS = 12 };

void print_json(const json_t *j)
{
    json_dumpf(j, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    putchar('\n');
}

/* What a stranger wrote (a User-Agent, a contact) must not command the terminal. */
static void put_text(struct buf *b, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_putc(b, (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f ? '?' : s.p[i]);
}

static void put_value(struct buf *b, const json_t *j)
{
    switch (j ? json_typeof(j) : JSON_NULL) {
    case JSON_STRING:
        put_text(b, span_of(json_string_value(j), json_string_length(j)));
        break;
    case JSON_INTEGER:
        buf_i64(b, json_integer_value(j));
        break;
    case JSON_REAL:
        buf_printf(b, "%g", json_real_value(j));
        break;
    case JSON_TRUE:
        buf_lit(b, "yes");
        break;
    case JSON_FALSE:
        buf_lit(b, "no");
        break;
    case JSON_ARRAY:
        for (size_t i = 0; i < json_array_size(j); i++) {
            if (i)
                buf_put(b, json_is_object(json_array_get(j, i)) ? SPAN("; ") : SPAN(" "));
            put_value(b, json_array_get(j, i));
        }
        break;
    case JSON_OBJECT: {
        const char *name;
        json_t *value;
        size_t n = 0;
        json_object_foreach((json_t *)j, name, value)
        {
            buf_printf(b, "%s%s=", n++ ? " " : "", name);
            put_value(b, value);
        }
        break;
    }
    case JSON_NULL:
        break;
    }
}

const char *text_of(const json_t *j, const char *name, char *text, size_t size)
{
    struct buf b = buf_of(text, size - 1);
    put_value(&b, json_object_get(j, name));
    text[b.n] = '\0';
    return text;
}

/* Columns on the screen: continuation bytes of UTF-8 take none. */
static int width_of(const char *s)
{
    int n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

void print_table(const json_t *rows, const struct column *columns)
{
    char cell[CELL];
    int width[COLUMNS];
    size_t n = 0;
    for (; n < COLUMNS && columns[n].title; n++) {
        width[n] = width_of(columns[n].title);
        for (size_t i = 0; i < json_array_size(rows); i++) {
            text_of(json_array_get(rows, i), columns[n].member, cell, sizeof(cell));
            width[n] = CS_MAX(width[n], width_of(cell));
        }
    }
    for (size_t i = 0; i <= json_array_size(rows); i++) {
        for (size_t k = 0; k < n; k++) {
            const char *text =
                i ? text_of(json_array_get(rows, i - 1), columns[k].member, cell, sizeof(cell))
                  : columns[k].title;
            int pad = k + 1 < n ? width[k] - width_of(text) + 2 : 0;
            printf("%s%*s", text, pad, "");
        }
        putchar('\n');
    }
}

void print_object(const json_t *j, const struct column *columns)
{
    char text[8 * CELL];
    for (; columns->title; columns++) {
        if (json_object_get(j, columns->member))
            printf("%-13s %s\n", columns->title, text_of(j, columns->member, text, sizeof(text)));
    }
}
