#include "authd/device.h"

#include "authd/user.h"
#include "proto/codec.h"
#include "store.pb-c.h"

enum { SCHEMA = 1, HASH_DIGITS = 64 };

const char *const device_security_names[] = { "nonsecure", "authenticated", "encrypted", NULL };

/* ---- texts ---- */

const char *device_name_fault(struct span name)
{
    if (name.n == 0)
        return "must not be empty";
    if (name.n > DEVICE_MAX_NAME)
        return "must not be longer than 64 bytes";
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!ascii_alpha(c) && !ascii_digit(c) && span_find(SPAN("-_."), c) < 0)
            return "must be of letters, digits, dots, hyphens and underscores";
    }
    return NULL;
}

const char *device_line_fault(struct span line)
{
    struct span realm = line, name;
    /* the last @: names may have one, realms have none */
    for (name = line; name.n && name.p[name.n - 1] != '@'; name.n--)
        ;
    if (name.n < 2)
        return "must be users, NAME@REALM";
    realm = span_skip(line, name.n);
    name.n--;
    const char *why = user_name_fault(name);
    return why ? why : user_realm_fault(realm);
}

const char *device_note_fault(struct span note)
{
    if (note.n > DEVICE_MAX_NOTE)
        return "must not be longer than 256 bytes";
    for (size_t i = 0; i < note.n; i++) {
        if ((unsigned char)note.p[i] < 0x20 || note.p[i] == 0x7f)
            return "must not contain control characters";
    }
    return NULL;
}

int pin_of(struct span text, struct arena *a, struct span *out)
{
    struct span digits = text, scheme = span_cut(&digits, ':');
    const bool known = span_caseeq(scheme, SPAN("sha256")) || span_caseeq(scheme, SPAN("spki"));
    char *p = known && digits.p ? arena_alloc(a, PIN_MAX) : NULL;
    struct buf b = buf_of(p, p ? PIN_MAX : 0);
    *out = SPAN_NULL;
    if (known && digits.p && !p)
        return CS_ENOMEM;
    for (size_t i = 0; known && i < scheme.n; i++)
        buf_putc(&b, ascii_lower(scheme.p[i]));
    buf_putc(&b, ':');
    const size_t head = b.n;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] == ':')
            continue;
        if (ascii_hex(digits.p[i]) < 0)
            return CS_EPROTO;
        buf_putc(&b, ascii_lower(digits.p[i]));
    }
    if (!buf_ok(&b) || b.n != head + HASH_DIGITS)
        return CS_EPROTO;
    *out = buf_span(&b);
    return 0;
}

static bool is_pin(struct span text)
{
    const bool key = span_starts(text, SPAN("spki:"));
    const struct span digits = span_skip(text, key ? 5 : 7);
    if ((!key && !span_starts(text, SPAN("sha256:"))) || digits.n != HASH_DIGITS)
        return false;
    for (size_t i = 0; i < digits.n; i++) {
        if (ascii_hex(digits.p[i]) < 0)
            return false;
    }
    return true;
}

/* ---- encoding ---- */

/* So that whoever makes a key or a copy of them needs no check. */
static bool fits(const struct device *d)
{
    bool ok = !device_name_fault(d->name) && d->n_lines <= DEVICE_MAX_LINES &&
              d->n_pins <= DEVICE_MAX_PINS && !device_note_fault(d->note);
    for (size_t i = 0; ok && i < d->n_lines; i++)
        ok = !device_line_fault(d->lines[i]);
    for (size_t i = 0; ok && i < d->n_pins; i++)
        ok = is_pin(d->pins[i]);
    return ok;
}

static struct span *spans_of(char *const *texts, size_t n, struct arena *a)
{
    struct span *list = arena_alloc(a, n * sizeof(*list));
    for (size_t i = 0; list && i < n; i++)
        list[i] = span_str(texts[i]);
    return list;
}

int device_decode(struct span record, struct arena *a, struct device *out)
{
    *out = (struct device){ 0 };
    struct span kept = arena_dup(a, record);
    const Countersign__Store__Device *m =
        kept.p ? proto_unpack(&countersign__store__device__descriptor, kept, a) : NULL;
    if (!m || m->schema != SCHEMA || (unsigned)m->security > DEVICE_ENCRYPTED)
        return CS_EPROTO;
    struct device d = {
        .name = span_str(m->name),
        .enabled = m->has_enabled && m->enabled,
        .security = (enum device_security)m->security,
        .lines = spans_of(m->line, m->n_line, a),
        .n_lines = m->n_line,
        .pins = spans_of(m->pin, m->n_pin, a),
        .n_pins = m->n_pin,
        .note = span_str(m->note),
        .created = { (int64_t)m->created_ms },
        .changed = { (int64_t)m->changed_ms },
        .record = kept,
    };
    if (!d.lines || !d.pins)
        return CS_ENOMEM;
    if (!fits(&d))
        return CS_EPROTO;
    *out = d;
    return 0;
}

static int put_texts(const struct span *list, size_t n, struct arena *a, char ***out, size_t *n_out)
{
    *out = arena_alloc(a, n * sizeof(**out));
    for (*n_out = 0; *out && *n_out < n; ++*n_out) {
        (*out)[*n_out] = arena_str(a, list[*n_out]);
        if (!(*out)[*n_out])
            return CS_ENOMEM;
    }
    return *out ? 0 : CS_ENOMEM;
}

static int fill(Countersign__Store__Device *m, const struct device *d, struct arena *a)
{
    m->schema = SCHEMA;
    m->name = arena_str(a, d->name);
    m->note = d->note.n ? arena_str(a, d->note) : NULL;
    m->has_enabled = m->has_security = m->has_created_ms = m->has_changed_ms = true;
    m->enabled = d->enabled;
    m->security = (Countersign__Store__DeviceSecurity)d->security;
    m->created_ms = (uint64_t)d->created.ms;
    m->changed_ms = (uint64_t)d->changed.ms;
    if (!m->name || (d->note.n && !m->note))
        return CS_ENOMEM;
    int err = put_texts(d->lines, d->n_lines, a, &m->line, &m->n_line);
    return err ? err : put_texts(d->pins, d->n_pins, a, &m->pin, &m->n_pin);
}

int device_encode(const struct device *d, struct buf *out)
{
    char first[4096];
    struct arena a;
    arena_init(&a, first, sizeof(first), 0);
    Countersign__Store__Device m = COUNTERSIGN__STORE__DEVICE__INIT;
    int err = fits(d) ? fill(&m, d, &a) : CS_ELIMIT;
    if (!err) {
        const size_t before = out->n;
        proto_pack(out, &m.base);
        err = buf_ok(out) && out->n - before <= DEVICE_MAX_RECORD ? 0 : CS_ELIMIT;
    }
    arena_fini(&a);
    return err;
}

bool device_has_line(const struct device *d, struct span line)
{
    for (size_t i = 0; i < d->n_lines; i++) {
        if (span_eq(d->lines[i], line))
            return true;
    }
    return false;
}
