#include "b2bua/sccp/codec.h"

#include "b2bua/sccp/table.h"
#include "b2bua/sccp/text.h"

static uint32_t little(const char *p, size_t n)
{
    uint32_t v = 0;
    while (n--)
        v = v << 8 | (unsigned char)p[n];
    return v;
}

static void store(char *p, size_t n, uint32_t v)
{
    for (size_t i = 0; i < n; i++, v >>= 8)
        p[i] = (char)v;
}

/* A number of a struct, of 1, 2 or 4 bytes there. */
static void keep(char *to, size_t size, uint32_t v)
{
    if (size == 1)
        *(uint8_t *)to = (uint8_t)v;
    else if (size == 2)
        *(uint16_t *)to = (uint16_t)v;
    else
        *(uint32_t *)to = v;
}

static uint32_t kept(const char *from, size_t size)
{
    return size == 1   ? *(const uint8_t *)from
           : size == 2 ? *(const uint16_t *)from
                       : *(const uint32_t *)from;
}

ptrdiff_t sccp_frame(struct span in, struct sccp_frame *out)
{
    *out = (struct sccp_frame){ 0 };
    if (in.n < 4)
        return 0;
    uint32_t length = little(in.p, 4);
    if (length < SCCP_LENGTH_LEAST || length > SCCP_LENGTH_MOST)
        return CS_EPROTO;
    if (in.n < length + 8)
        return 0;
    out->version = little(in.p + 4, 4);
    out->id = little(in.p + 8, 4);
    out->body = span_of(in.p + SCCP_HEADER, length - 4);
    return (ptrdiff_t)length + 8;
}

/* ---- reading ---- */

struct reader {
    struct span in;
    size_t at;
    unsigned version;
    bool optional; /* the rest may be missing, */
    bool missing;  /* and is */
    size_t length; /* that was told of what is left; 0: none was */
    int err;
};

/* The next n bytes; NULL: they are not there. */
static const char *take(struct reader *r, size_t n)
{
    if (r->missing || r->err)
        return NULL;
    if (n > r->in.n - r->at) {
        r->missing = r->optional;
        r->err = r->optional ? 0 : CS_EPROTO;
        return NULL;
    }
    r->at += n;
    return r->in.p + r->at - n;
}

static struct span until_nul(const char *p, size_t n)
{
    const char *nul = memchr(p, 0, n);
    return span_of(p, nul ? (size_t)(nul - p) : n);
}

static void read_packed(struct reader *r, struct span *out)
{
    if (r->missing || r->err)
        return;
    struct span text = until_nul(r->in.p + r->at, r->in.n - r->at);
    if (take(r, text.n + 1))
        *out = text;
}

/* IPv4 in 4 bytes, IPv6 in 16, or a word for the family and 16, of which IPv4 is the first 4. */
static void read_address(struct reader *r, size_t width, struct addr *out)
{
    const char *p = take(r, width);
    if (!p)
        return;
    uint32_t family = width == 4 ? SCCP_ADDRESS_V4 : SCCP_ADDRESS_V6;
    if (width == 20) {
        family = little(p, 4);
        p += 4;
    }
    if (family > SCCP_ADDRESS_V6 ||
        addr_from_bytes(span_of(p, family == SCCP_ADDRESS_V4 ? 4 : 16), out))
        *out = (struct addr){ 0 };
}

/* The line of EnblocCall stands behind a number of 24 bytes, or of 25 and then aligned or not. */
static void read_loose(struct reader *r, uint32_t *out)
{
    size_t left = r->missing ? 0 : r->in.n - r->at;
    const char *p = r->in.p + r->at;
    if (left >= 8)
        *out = little(p + 4, 4) ? little(p + 4, 4) : little(p + 1, 4);
    else if (left >= 4)
        *out = little(p, 4);
    r->at = r->in.n;
}

static uint32_t read_length(struct reader *r, size_t most)
{
    const char *p = take(r, 4);
    uint32_t n = p ? little(p, 4) : 0;
    if (n > most)
        r->err = CS_EPROTO;
    return n;
}

static void read_data(struct reader *r, size_t n, struct span *out)
{
    const char *p = take(r, n);
    if (p)
        *out = span_of(p, n);
}

static void read_fields(struct reader *r, const struct sccp_field *f, char *to);

static void read_one(struct reader *r, const struct sccp_field *f, char *to)
{
    const char *p;
    switch (f->kind) {
    case SCCP_FIELD_NUMBER:
    case SCCP_FIELD_COUNT:
        p = take(r, f->width);
        if (p && f->kind == SCCP_FIELD_COUNT)
            keep(to, f->size, CS_MIN(little(p, f->width), (uint32_t)f->count));
        else if (p)
            keep(to, f->size, little(p, f->width));
        break;
    case SCCP_FIELD_LOOSE:
        read_loose(r, (uint32_t *)to);
        break;
    case SCCP_FIELD_TEXT:
    case SCCP_FIELD_LABEL:
        p = take(r, f->width);
        if (p)
            *(struct span *)to = until_nul(p, f->width);
        break;
    case SCCP_FIELD_PACKED:
    case SCCP_FIELD_PACKED_LABEL:
        read_packed(r, (struct span *)to);
        break;
    case SCCP_FIELD_ADDRESS:
        read_address(r, f->width, (struct addr *)to);
        break;
    case SCCP_FIELD_BYTES:
    case SCCP_FIELD_SECRET:
        p = take(r, f->width);
        if (p)
            memcpy(to, p, f->width);
        break;
    case SCCP_FIELD_DATA:
        read_data(r, read_length(r, f->width), (struct span *)to);
        break;
    case SCCP_FIELD_LENGTH:
        r->length = read_length(r, f->width);
        break;
    case SCCP_FIELD_REST:
        read_data(r, r->length ? r->length : r->in.n - r->at, (struct span *)to);
        break;
    case SCCP_FIELD_RECORD:
        read_fields(r, f->fields(), to);
        break;
    case SCCP_FIELD_ZERO:
        p = take(r, f->width);
        (void)p;
        break;
    case SCCP_FIELD_FROM:
        r->optional = true;
        r->missing |= r->in.n < f->width;
        break;
    }
}

static size_t times(const struct sccp_field *f)
{
    return f->kind == SCCP_FIELD_COUNT ? 1 : f->count;
}

static void read_fields(struct reader *r, const struct sccp_field *f, char *to)
{
    for (; f->name; f++) {
        if (!sccp_field_is_in(f, r->version))
            continue;
        for (size_t i = 0; i < times(f); i++)
            read_one(r, f, to + f->place + i * f->size);
    }
}

int sccp_decode(const struct sccp_frame *f, unsigned version, struct sccp_message *out)
{
    const struct sccp_row *row = sccp_row_of_id(f->id);
    struct reader r = { .in = f->body, .version = version };
    *out = (struct sccp_message){ .id = f->id };
    if (!row || !row->fields)
        return CS_ENOTSUP;
    read_fields(&r, row->fields(), (char *)&out->keep_alive);
    if (r.err) {
        *out = (struct sccp_message){ .id = f->id };
        return r.err;
    }
    out->kind = row->kind;
    return 0;
}

/* ---- writing ---- */

struct writer {
    struct buf *b;
    const struct sccp_dialect *d;
};

static char *room(struct writer *w, size_t n)
{
    struct buf *b = w->b;
    if (b->full || n > b->cap - b->n) {
        b->full = true;
        return NULL;
    }
    memset(b->p + b->n, 0, n);
    b->n += n;
    return b->p + b->n - n;
}

static void write_packed(struct writer *w, size_t most, struct span text, bool labels)
{
    size_t before = w->b->n;
    char *p = room(w, most + 1);
    if (p)
        w->b->n = before + sccp_text_write(p, most, text, w->d->utf8, labels) + 1;
    if (p)
        w->b->p[w->b->n - 1] = 0;
}

static void write_address(struct writer *w, size_t width, const struct addr *a)
{
    char *p = room(w, width);
    if (!p || a->sa.sa_family == AF_UNSPEC)
        return;
    bool six = a->sa.sa_family == AF_INET6;
    struct span host = addr_host_bytes(a);
    if (width == (six ? 4 : 16)) {
        w->b->full = true; /* no other address stands for it */
        return;
    }
    if (width == 20) {
        store(p, 4, six ? SCCP_ADDRESS_V6 : SCCP_ADDRESS_V4);
        p += 4;
    }
    memcpy(p, host.p, host.n);
}

static void write_length(struct writer *w, size_t most, struct span data)
{
    char *p = room(w, 4);
    if (data.n > most)
        w->b->full = true;
    if (p)
        store(p, 4, (uint32_t)data.n);
}

static void write_fields(struct writer *w, const struct sccp_field *f, const char *from);

static void write_one(struct writer *w, const struct sccp_field *f, const char *from)
{
    bool labels = f->kind == SCCP_FIELD_LABEL || f->kind == SCCP_FIELD_PACKED_LABEL;
    char *p;
    switch (f->kind) {
    case SCCP_FIELD_NUMBER:
    case SCCP_FIELD_COUNT:
        p = room(w, f->width);
        if (p)
            store(p, f->width, kept(from, f->size));
        break;
    case SCCP_FIELD_LOOSE: /* aligned, behind the fourth byte that the number has since version 19
                            */
        p = room(w, w->d->version > 18 ? 8 : 4);
        if (p)
            store(p + (w->d->version > 18 ? 4 : 0), 4, kept(from, f->size));
        break;
    case SCCP_FIELD_TEXT:
    case SCCP_FIELD_LABEL:
        p = room(w, f->width);
        if (p)
            sccp_text_write(p, f->width - 1U, *(const struct span *)from, w->d->utf8, labels);
        break;
    case SCCP_FIELD_PACKED:
    case SCCP_FIELD_PACKED_LABEL:
        write_packed(w, f->width, *(const struct span *)from, labels);
        break;
    case SCCP_FIELD_ADDRESS:
        write_address(w, f->width, (const struct addr *)from);
        break;
    case SCCP_FIELD_BYTES:
    case SCCP_FIELD_SECRET:
        buf_put(w->b, span_of(from, f->width));
        break;
    case SCCP_FIELD_LENGTH:
        write_length(w, f->width, *(const struct span *)from);
        break;
    case SCCP_FIELD_DATA:
        write_length(w, f->width, *(const struct span *)from);
        /* fall through */
    case SCCP_FIELD_REST:
        buf_put(w->b, *(const struct span *)from);
        break;
    case SCCP_FIELD_RECORD:
        write_fields(w, f->fields(), from);
        break;
    case SCCP_FIELD_ZERO:
        room(w, f->width);
        break;
    case SCCP_FIELD_FROM:
        break;
    }
}

static void write_fields(struct writer *w, const struct sccp_field *f, const char *from)
{
    for (; f->name; f++) {
        if (!sccp_field_is_in(f, w->d->version))
            continue;
        for (size_t i = 0; i < times(f); i++)
            write_one(w, f, from + f->place + i * f->size);
    }
}

void sccp_encode(struct buf *b, const struct sccp_dialect *d, enum sccp_kind kind,
                 const void *fields)
{
    const struct sccp_row *row = sccp_row_of_kind(kind, d->version);
    struct writer w = { b, d };
    size_t start = b->n;
    char *head = room(&w, SCCP_HEADER);
    if (!row)
        b->full = true;
    if (!row || !head)
        goto out;
    write_fields(&w, row->fields(), fields);
    room(&w, -(b->n - start) & 3); /* bodies are padded to four bytes */
    size_t length = b->n - start - 8;
    if (length > SCCP_LENGTH_MOST)
        b->full = true;
    store(head, 4, (uint32_t)length);
    store(head + 4, 4, row->basic || d->version < 10 ? 0 : d->version);
    store(head + 8, 4, row->id);
out:
    if (b->full)
        b->n = start;
}
