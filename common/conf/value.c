#include "conf/value.h"

#include <arpa/inet.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit durations[] = {
    { "d", CONF_DAY },    { "h", CONF_HOUR }, { "m", CONF_MINUTE },
    { "s", CONF_SECOND }, { "ms", CONF_MS },  { NULL, 0 },
};
static const struct unit sizes[] = {
    { "g", CONF_GIB }, { "m", CONF_MIB }, { "k", CONF_KIB }, { "", 1 }, { NULL, 0 },
};

/* What people write instead. */
static const struct word {
    const char *said, *unit;
} duration_words[] = {
    { "", "s" },       { "sec", "s" },     { "secs", "s" },         { "second", "s" },
    { "seconds", "s" }, { "msec", "ms" },  { "milliseconds", "ms" }, { "min", "m" },
    { "mins", "m" },   { "minute", "m" },  { "minutes", "m" },      { "hr", "h" },
    { "hrs", "h" },    { "hour", "h" },    { "hours", "h" },        { "day", "d" },
    { "days", "d" },   { NULL, NULL },
}, size_words[] = {
    { "b", "" },   { "byte", "" }, { "bytes", "" }, { "kb", "k" },  { "kib", "k" },
    { "mb", "m" }, { "mib", "m" }, { "gb", "g" },   { "gib", "g" }, { NULL, NULL },
};

/* ---- numbers with units ---- */

static struct span take_digits(struct span *s)
{
    size_t n = 0;
    while (n < s->n && ascii_digit(s->p[n]))
        n++;
    struct span digits = span_head(*s, n);
    *s = span_skip(*s, n);
    return digits;
}

static int read_units(struct span text, const struct unit *units, uint64_t *out)
{
    struct span rest = text, digits = take_digits(&rest);
    for (const struct unit *u = units; u->name; u++) {
        if (!span_eq(rest, span_str(u->name)))
            continue;
        if (digits.n == 0)
            return CS_EPROTO;
        if (span_u64(digits, (uint64_t)INT64_MAX / u->factor, out))
            *out = UINT64_MAX; /* above any bound */
        else
            *out *= u->factor;
        return 0;
    }
    return CS_EPROTO;
}

/* "5 Minutes" was meant as 5m. */
static void suggest_units(struct buf *why, struct span text, const struct unit *units,
                          const struct word *words, const char *otherwise)
{
    struct span rest = span_trim(text), digits = take_digits(&rest);
    const char *unit = NULL;
    rest = span_trim(rest);
    for (const struct unit *u = units; u->name; u++) {
        if (span_caseeq(rest, span_str(u->name)))
            unit = u->name;
    }
    for (const struct word *w = words; !unit && w->said; w++) {
        if (span_caseeq(rest, span_str(w->said)))
            unit = w->unit;
    }
    if (digits.n && unit)
        buf_printf(why, "; write " SPAN_FMT "%s", SPAN_ARG(digits), unit);
    else
        buf_put(why, span_str(otherwise));
}

static void write_units(struct buf *b, const struct unit *u, uint64_t v, const char *zero)
{
    if (v == 0) {
        buf_put(b, span_str(zero));
        return;
    }
    while (v % u->factor)
        u++;
    buf_u64(b, v / u->factor);
    buf_put(b, span_str(u->name));
}

void value_write_bound(struct buf *b, const struct conf_key *key, uint64_t bound)
{
    if (key->type == CONF_T_DURATION)
        write_units(b, durations, bound, "0s");
    else if (key->type == CONF_T_SIZE)
        write_units(b, sizes, bound, "0");
    else
        buf_u64(b, bound);
}

void value_write_names(struct buf *b, const struct conf_key *key)
{
    for (unsigned i = 0; key->names[i]; i++) {
        buf_put(b, i ? SPAN(", ") : SPAN(""));
        buf_put(b, span_str(key->names[i]));
    }
}

const char *value_type(const struct conf_key *key)
{
    static const char *const one[] = { "true or false", "number",  "duration", "size",
                                       "text",          "file",    "address",  "network",
                                       "one of",        "list of", "section",  "section" };
    static const char *const many[] = {
        "list",          "list of numbers", "list of durations", "list of sizes",
        "list of texts", "list of files",   "list of addresses", "list of networks",
        "list of",       "list of",         "list of sections",  "list of sections"
    };
    return (key->list ? many : one)[key->type];
}

bool value_is_bounded(const struct conf_key *key)
{
    return (key->type == CONF_T_UINT || key->type == CONF_T_DURATION || key->type == CONF_T_SIZE ||
            key->type == CONF_T_STR) &&
           (key->min || key->max);
}

void value_write_range(struct buf *b, const struct conf_key *key)
{
    if (key->type == CONF_T_STR && key->min == 1 && !key->max) {
        buf_lit(b, "not empty");
        return;
    }
    if (!key->max) {
        buf_lit(b, "at least ");
        value_write_bound(b, key, key->min);
    } else if (!key->min) {
        buf_lit(b, "at most ");
        value_write_bound(b, key, key->max);
    } else {
        value_write_bound(b, key, key->min);
        buf_lit(b, " to ");
        value_write_bound(b, key, key->max);
    }
    if (key->type == CONF_T_STR)
        buf_lit(b, " characters");
}

/* ---- nearest names ---- */

enum { LONGEST = 48 };

/* Edits that lead from a to b, a swap of neighbours being one (Damerau and Levenshtein). */
static size_t distance(struct span a, struct span b)
{
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *above = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.n; j++)
        above[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t same = ascii_lower(a.p[i - 1]) == ascii_lower(b.p[j - 1]);
            size_t best = above[j - 1] + !same;
            best = CS_MIN(best, above[j] + 1);
            best = CS_MIN(best, now[j - 1] + 1);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                best = CS_MIN(best, before[j - 2] + 1);
            now[j] = best;
        }
        size_t *spare = before;
        before = above;
        above = now;
        now = spare;
    }
    return above[b.n];
}

size_t value_distance(struct span wrong, struct span name)
{
    if (wrong.n > LONGEST || name.n > LONGEST || wrong.n == 0)
        return SIZE_MAX;
    if (wrong.n >= 3 && (span_casestarts(name, wrong) || span_casestarts(wrong, name)))
        return 1;
    size_t d = distance(wrong, name);
    return d <= CS_MAX(name.n / 3, 1) ? d : SIZE_MAX;
}

static int read_name(const struct conf_key *key, struct span text, unsigned *out, struct buf *why)
{
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (unsigned i = 0; key->names[i]; i++) {
        if (span_eq(text, span_str(key->names[i]))) {
            *out = i;
            return 0;
        }
        size_t d = value_distance(text, span_str(key->names[i]));
        if (d < best) {
            best = d;
            nearest = key->names[i];
        }
    }
    buf_lit(why, " is not one of ");
    value_write_names(why, key);
    if (nearest)
        buf_printf(why, "; did you mean %s?", nearest);
    return CS_EPROTO;
}

/* ---- one function for each type; why goes on where the quoted value ended ---- */

static int in_bounds(const struct conf_key *key, uint64_t v, uint64_t max, struct buf *why)
{
    if (key->max && key->max < max)
        max = key->max;
    if (v >= key->min && v <= max)
        return 0;
    buf_put(why, v < key->min ? SPAN(" is too small; at least ") : SPAN(" is too large; at most "));
    value_write_bound(why, key, v < key->min ? key->min : max);
    return CS_EPROTO;
}

static int read_bool(struct span text, bool *out, struct buf *why)
{
    static const char *const yes[] = { "yes", "on", "1", "y", "true" };
    static const char *const no[] = { "no", "off", "0", "n", "false" };
    *out = span_eq(text, SPAN("true"));
    if (*out || span_eq(text, SPAN("false")))
        return 0;
    buf_lit(why, " is neither true nor false");
    for (size_t i = 0; i < CS_LEN(yes); i++) {
        if (span_caseeq(text, span_str(yes[i])))
            buf_lit(why, "; write true");
        if (span_caseeq(text, span_str(no[i])))
            buf_lit(why, "; write false");
    }
    return CS_EPROTO;
}

static void store_uint(void *at, size_t width, uint64_t v)
{
    uint8_t u8 = (uint8_t)v;
    uint16_t u16 = (uint16_t)v;
    uint32_t u32 = (uint32_t)v;
    memcpy(at,
           width == 1   ? (void *)&u8
           : width == 2 ? (void *)&u16
           : width == 4 ? (void *)&u32
                        : &v,
           width);
}

static int read_uint(const struct conf_key *key, struct span text, void *at, struct buf *why)
{
    uint64_t v, fits = key->width >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * key->width)) - 1;
    if (span_u64(text, UINT64_MAX, &v)) {
        buf_lit(why, " is not a number; write decimal digits alone");
        return CS_EPROTO;
    }
    if (in_bounds(key, v, fits, why))
        return CS_EPROTO;
    store_uint(at, key->width, v);
    return 0;
}

static int read_duration(const struct conf_key *key, struct span text, struct duration *out,
                         struct buf *why)
{
    uint64_t v;
    if (read_units(text, durations, &v)) {
        buf_lit(why, " is not a duration");
        suggest_units(why, text, durations, duration_words,
                      "; write a number and ms, s, m, h or d, such as 30s");
        return CS_EPROTO;
    }
    if (in_bounds(key, v, INT64_MAX / 1000000, why)) /* it must fit in nanoseconds, too */
        return CS_EPROTO;
    *out = DURATION_MS((int64_t)v);
    return 0;
}

static int read_size(const struct conf_key *key, struct span text, size_t *out, struct buf *why)
{
    uint64_t v;
    if (read_units(text, sizes, &v)) {
        buf_lit(why, " is not a size");
        suggest_units(why, text, sizes, size_words,
                      "; write a number of bytes, or with k, m or g, such as 64k");
        return CS_EPROTO;
    }
    if (in_bounds(key, v, INT64_MAX, why))
        return CS_EPROTO;
    *out = (size_t)v;
    return 0;
}

static int check_text(const struct conf_key *key, struct span text, struct buf *why)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] >= ' ' && text.p[i] != 0x7f)
            continue;
        buf_lit(why, " has control characters or several lines");
        return CS_EPROTO;
    }
    uint64_t max = key->max ? key->max : SIZE_MAX;
    if (text.n >= key->min && text.n <= max)
        return 0;
    if (text.n == 0)
        buf_lit(why, " is empty");
    else if (text.n < key->min)
        buf_printf(why, " is too short; at least %zu characters", (size_t)key->min);
    else
        buf_printf(why, " is too long; at most %zu characters", (size_t)max);
    return CS_EPROTO;
}

static int read_str(const struct conf_key *key, struct span text, struct arena *a, struct span *out,
                    struct buf *why)
{
    if (check_text(key, text, why))
        return CS_EPROTO;
    *out = arena_dup(a, text);
    return out->p ? 0 : CS_ENOMEM;
}

static int read_path(const struct conf_key *key, struct span text, struct span folder,
                     struct arena *a, const char **out, struct buf *why)
{
    if (check_text(key, text, why))
        return CS_EPROTO;
    if (text.n == 0) {
        buf_lit(why, " is empty; write a file name");
        return CS_EPROTO;
    }
    if (text.p[0] == '/')
        folder = SPAN("");
    char *p = arena_alloc(a, folder.n + text.n + 1);
    if (!p)
        return CS_ENOMEM;
    struct buf b = buf_of(p, folder.n + text.n + 1);
    buf_put(&b, folder);
    buf_put(&b, text);
    buf_putc(&b, '\0');
    *out = p;
    return 0;
}

static int read_addr(const struct conf_key *key, struct span text, struct addr *out,
                     struct buf *why)
{
    struct addr other;
    if (addr_parse(text, key->port, out) || addr_parse(text, (uint16_t)(key->port + 1), &other)) {
        buf_lit(why, " is not an address; write an IP address and a port, such as 127.0.0.1:5060 "
                     "or [::1]:5060");
        return CS_EPROTO;
    }
    if (key->port || addr_port(out) == addr_port(&other)) /* port 0 may be written */
        return 0;
    addr_set_port(&other, 5060);
    buf_lit(why, " has no port; write one, such as ");
    addr_write(why, &other);
    return CS_EPROTO;
}

/* 10.1.2.3/8 was meant as 10.0.0.0/8. */
static void suggest_cidr(struct span text, struct buf *why)
{
    struct span rest = text;
    struct addr a;
    uint64_t bits;
    unsigned char host[16];
    if (addr_parse_host(span_cut(&rest, '/'), 0, &a))
        return;
    struct span bytes = addr_host_bytes(&a);
    if (!rest.p || span_u64(rest, bytes.n * 8, &bits))
        return;
    memcpy(host, bytes.p, bytes.n);
    for (size_t i = (size_t)bits; i < bytes.n * 8; i++)
        host[i / 8] &= (unsigned char)~(0x80u >> i % 8);
    char shown[INET6_ADDRSTRLEN];
    if (inet_ntop(a.sa.sa_family, host, shown, sizeof(shown)))
        buf_printf(why, "; write %s/%u", shown, (unsigned)bits);
}

static int read_cidr(struct span text, struct cidr *out, struct buf *why)
{
    if (!cidr_parse(text, out))
        return 0;
    buf_lit(why, " is not a network, such as 10.0.0.0/8 or 2001:db8::/32");
    suggest_cidr(text, why);
    return CS_EPROTO;
}

/* A value in an error message: quoted, without control characters, not too long. */
void value_quote(struct buf *b, struct span text)
{
    buf_putc(b, '"');
    buf_json(b, span_head(text, 64));
    buf_put(b, text.n > 64 ? SPAN("...\"") : SPAN("\""));
}

int value_read(const struct conf_key *key, struct span text, struct span folder, struct arena *a,
               void *at, struct buf *why)
{
    unsigned i;
    value_quote(why, text);
    switch (key->type) {
    case CONF_T_BOOL:
        return read_bool(text, at, why);
    case CONF_T_UINT:
        return read_uint(key, text, at, why);
    case CONF_T_DURATION:
        return read_duration(key, text, at, why);
    case CONF_T_SIZE:
        return read_size(key, text, at, why);
    case CONF_T_STR:
        return read_str(key, text, a, at, why);
    case CONF_T_PATH:
        return read_path(key, text, folder, a, at, why);
    case CONF_T_ADDR:
        return read_addr(key, text, at, why);
    case CONF_T_CIDR:
        return read_cidr(text, at, why);
    case CONF_T_ENUM:
        if (read_name(key, text, &i, why))
            return CS_EPROTO;
        memcpy(at, &i, sizeof(i));
        return 0;
    case CONF_T_SET:
        if (read_name(key, text, &i, why))
            return CS_EPROTO;
        if (key->width == sizeof(uint64_t))
            *(uint64_t *)at |= UINT64_C(1) << i;
        else
            *(unsigned *)at |= 1u << i;
        return 0;
    case CONF_T_SECTION:
    case CONF_T_OPTION:
        break;
    }
    buf_lit(why, " stands where keys belong");
    return CS_EPROTO;
}
