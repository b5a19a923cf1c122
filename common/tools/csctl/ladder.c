#include "ladder.h"

enum { LINE = LADDER_MARGIN + LADDER_LANES * LADDER_WIDTH };

size_t ladder_lane(struct ladder *l, struct span name, bool *is_new)
{
    char text[LADDER_NAME];
    span_copy(text, sizeof(text), name);
    *is_new = false;
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->name[i], text) == 0)
            return i;
    }
    if (l->n == LADDER_LANES)
        return l->n - 1;
    *is_new = true;
    memcpy(l->name[l->n], text, sizeof(text));
    return l->n++;
}

static char plain(char c)
{
    return (unsigned char)c < 0x20 || (unsigned char)c >= 0x7f ? '?' : c;
}

/* Over what stands there, cut to room. */
static void put(char *line, size_t at, size_t room, struct span s)
{
    for (size_t i = 0; i < CS_MIN(s.n, room); i++)
        line[at + i] = i + 1 == room && s.n > room ? '~' : plain(s.p[i]);
}

static size_t place(size_t lane)
{
    return LADDER_MARGIN + lane * LADDER_WIDTH;
}

static void put_line(struct buf *b, struct span line)
{
    while (line.n && line.p[line.n - 1] == ' ')
        line.n--;
    buf_put(b, line);
}

void ladder_head(const struct ladder *l, struct buf *b)
{
    char line[LINE];
    memset(line, ' ', sizeof(line));
    for (size_t i = 0; i < l->n; i++)
        put(line, place(i), LADDER_WIDTH - 2, span_str(l->name[i]));
    put_line(b, span_of(line, sizeof(line)));
    buf_putc(b, '\n');
}

void ladder_write(const struct ladder *l, const struct ladder_step *s, struct buf *b)
{
    char line[LINE];
    const size_t left = place(CS_MIN(s->from, s->to)), right = place(CS_MAX(s->from, s->to));
    const size_t room = right - left - 5;
    memset(line, ' ', sizeof(line));
    put(line, 0, LADDER_MARGIN - 1, s->at);
    for (size_t i = 0; i < l->n; i++)
        line[place(i)] = '|';
    memset(line + left + 1, '-', right - left - 1);
    line[s->from < s->to ? right - 1 : left + 1] = s->from < s->to ? '>' : '<';
    put(line, left + 3, room, s->text);
    put_line(b, span_of(line, sizeof(line)));
    if (s->note.n) {
        buf_lit(b, "  ");
        for (size_t i = 0; i < s->note.n; i++)
            buf_putc(b, plain(s->note.p[i]));
    }
    buf_putc(b, '\n');
}
