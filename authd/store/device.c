#include "authd/store/device.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "authd/store/address_set.h"
#include "authd/store/user.h"
#include "proto/codec.h"
#include "store.pb-c.h"

enum { SCHEMA = 1, HASH_DIGITS = 64 };

const char *const device_security_names[] = { "nonsecure", "authenticated", "encrypted", NULL };
const char *const device_dnd_names[] = { "off", "silent", "reject", NULL };
const char *const device_button_names[] = { "none", "line", "speed-dial", "busy-lamp", NULL };

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

/* At the last @: names may hold one, realms do not. */
void device_line_split(struct span line, struct span *name, struct span *realm)
{
    size_t at = line.n;
    while (at && line.p[at - 1] != '@')
        at--;
    *realm = span_skip(line, at);
    *name = span_head(line, at ? at - 1 : 0);
}

const char *device_line_fault(struct span line)
{
    struct span name, realm;
    device_line_split(line, &name, &realm);
    if (name.n == 0)
        return "must be users, NAME@REALM";
    const char *why = user_name_fault(name);
    return why ? why : user_realm_fault(realm);
}

/* Letters and digits, and these. */
static bool is_of(struct span s, struct span these, size_t max)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_alpha(s.p[i]) && !ascii_digit(s.p[i]) && span_find(these, s.p[i]) < 0)
            return false;
    }
    return s.n <= max;
}

static bool is_text(struct span s, size_t max)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    }
    return s.n <= max;
}

const char *device_label_fault(struct span label)
{
    return is_text(label, DEVICE_MAX_LABEL)
               ? NULL
               : "has a label of more than 120 bytes, or with control characters";
}

const char *device_number_fault(struct span number)
{
    return number.n && is_of(number, SPAN("*#+._@:-"), DEVICE_MAX_NUMBER)
               ? NULL
               : "must be of letters, digits and *#+._@:-, 64 at most";
}

static const char *note_fault(struct span note)
{
    return is_text(note, DEVICE_MAX_NOTE)
               ? NULL
               : "must not be longer than 256 bytes, nor contain control characters";
}

static const char *model_fault(struct span model)
{
    return is_of(model, SPAN("-"), 16) ? NULL : "must be of letters and digits, 16 at most";
}

static const char *softkeys_fault(struct span name)
{
    return is_of(name, SPAN("-_."), 32)
               ? NULL
               : "must be of letters, digits, dots, hyphens and underscores, 32 at most";
}

static const char *zone_fault(struct span zone)
{
    return is_of(zone, SPAN("/_+-"), 64) && !span_starts(zone, SPAN("/"))
               ? NULL
               : "must be a zone like Europe/Berlin";
}

/* D, M and Y, each once, with one sign between; behind them A, where the clock has twelve hours. */
static const char *date_fault(struct span format)
{
    unsigned seen = 0;
    for (size_t i = 0; i < 5 && i < format.n; i++) {
        const ptrdiff_t at =
            i % 2 ? span_find(SPAN("./-"), format.p[i]) : span_find(SPAN("DMY"), format.p[i]);
        if (at < 0)
            seen = 0;
        else if (i % 2 == 0)
            seen |= 1u << at;
    }
    const struct span rest = span_skip(format, CS_MIN(format.n, (size_t)5));
    return !format.n || (seen == 7 && (!rest.n || span_eq(rest, SPAN("A"))))
               ? NULL
               : "must be D, M and Y with ., / or - between them; and A behind for twelve hours";
}

static const char *locale_fault(struct span locale)
{
    return is_of(locale, SPAN("_"), 32) ? NULL : "must be like German_Germany";
}

static const char *set_fault(struct span name)
{
    return name.n ? address_set_name_fault(name) : NULL;
}

static const char *certificate_fault(struct span pem)
{
    if (!pem.n)
        return NULL;
    if (pem.n > DEVICE_MAX_CERTIFICATE)
        return "must not be longer than 8192 bytes";
    BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *x = b ? PEM_read_bio_X509(b, NULL, NULL, (void *)"") : NULL;
    EVP_PKEY *key = x ? X509_get0_pubkey(x) : NULL;
    const bool fits = key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
                      EVP_PKEY_get_bits(key) >= 1024 && EVP_PKEY_get_bits(key) <= 4096;
    X509_free(x);
    BIO_free(b);
    ERR_clear_error();
    return fits ? NULL : "must be a certificate in PEM whose key is RSA of 1024 to 4096 bits";
}

static const char *protocol_fault(struct span s)
{
    return !s.n || span_eq(s, SPAN("sccp")) || span_eq(s, SPAN("sip")) ? NULL
                                                                       : "must be sccp or sip";
}

const struct device_text device_texts[DEVICE_TEXTS] = {
    { "note", offsetof(struct device, note), note_fault },
    { "model", offsetof(struct device, model), model_fault },
    { "softkeys", offsetof(struct device, softkeys), softkeys_fault },
    { "time_zone", offsetof(struct device, time_zone), zone_fault },
    { "date_format", offsetof(struct device, date_format), date_fault },
    { "locale", offsetof(struct device, locale), locale_fault },
    { "address_set", offsetof(struct device, address_set), set_fault },
    { "certificate", offsetof(struct device, certificate), certificate_fault },
    { "protocol", offsetof(struct device, protocol), protocol_fault },
};

static const char *button_fault(const struct device *d, const struct device_button *b)
{
    const bool line = b->kind == DEVICE_BUTTON_LINE;
    const bool dials = b->kind == DEVICE_BUTTON_SPEED_DIAL || b->kind == DEVICE_BUTTON_BUSY_LAMP;
    if (line != (b->user.p != NULL) || dials != (b->number.p != NULL))
        return "have a user where they are a line, and a number where they dial";
    if (line && !device_has_line(d, b->user))
        return "name a user that is none of lines";
    return dials && device_number_fault(b->number) ? device_number_fault(b->number)
                                                   : device_label_fault(b->label);
}

static const char *forward_fault(const struct device *d, size_t i)
{
    const struct device_forward *f = &d->forwards[i];
    const struct span to[] = { f->all, f->busy, f->no_answer };
    if (!device_has_line(d, f->user))
        return "name a user that is none of lines";
    for (size_t k = 0; k < i; k++) {
        if (span_eq(d->forwards[k].user, f->user))
            return "name a user twice";
    }
    for (size_t k = 0; k < CS_LEN(to); k++) {
        if (to[k].p && device_number_fault(to[k]))
            return device_number_fault(to[k]);
    }
    return NULL;
}

const char *device_fault(const struct device *d, const char **member)
{
    const char *why = NULL;
    *member = "buttons";
    if (d->n_buttons > DEVICE_MAX_BUTTONS)
        return "may be up to 64";
    for (size_t i = 0; !why && i < d->n_buttons; i++)
        why = button_fault(d, &d->buttons[i]);
    if (why)
        return why;
    *member = "forwards";
    if (d->n_forwards > d->n_lines)
        return "are more than lines";
    for (size_t i = 0; !why && i < d->n_forwards; i++)
        why = forward_fault(d, i);
    return why;
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
    const char *member;
    bool ok = !device_name_fault(d->name) && d->n_lines <= DEVICE_MAX_LINES &&
              d->n_pins <= DEVICE_MAX_PINS && !device_fault(d, &member);
    for (size_t i = 0; ok && i < DEVICE_TEXTS; i++)
        ok = !device_texts[i].fault(
            *(const struct span *)((const char *)d + device_texts[i].offset));
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

static struct device_button *buttons_of(const Countersign__Store__Device *m, struct arena *a)
{
    struct device_button *list = arena_alloc(a, m->n_button * sizeof(*list));
    for (size_t i = 0; list && i < m->n_button; i++) {
        const Countersign__Store__DeviceButton *b = m->button[i];
        list[i] = (struct device_button){ (enum device_button_kind)b->kind, span_str(b->user),
                                          span_str(b->number), span_str(b->label) };
        if (b->kind > DEVICE_BUTTON_BUSY_LAMP)
            list[i] = (struct device_button){ 0 }; /* of a later version */
    }
    return list;
}

static struct device_forward *forwards_of(const Countersign__Store__Device *m, struct arena *a)
{
    struct device_forward *list = arena_alloc(a, m->n_forward * sizeof(*list));
    for (size_t i = 0; list && i < m->n_forward; i++) {
        const Countersign__Store__DeviceForward *f = m->forward[i];
        list[i] = (struct device_forward){ span_str(f->user), span_str(f->all), span_str(f->busy),
                                           span_str(f->no_answer) };
    }
    return list;
}

int device_decode(struct span record, struct arena *a, struct device *out)
{
    *out = (struct device){ 0 };
    struct span kept = arena_dup(a, record);
    const Countersign__Store__Device *m =
        kept.p ? proto_unpack(&countersign__store__device__descriptor, kept, a) : NULL;
    if (!m || m->schema != SCHEMA || (unsigned)m->security > DEVICE_ENCRYPTED ||
        m->do_not_disturb > DEVICE_DND_REJECT)
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
        .model = span_str(m->model),
        .softkeys = span_str(m->softkeys),
        .time_zone = span_str(m->time_zone),
        .date_format = span_str(m->date_format),
        .locale = span_str(m->locale),
        .address_set = span_str(m->address_set),
        .certificate = span_str(m->certificate),
        .protocol = span_str(m->protocol),
        .buttons = buttons_of(m, a),
        .n_buttons = m->n_button,
        .forwards = forwards_of(m, a),
        .n_forwards = m->n_forward,
        .dnd = (enum device_dnd)m->do_not_disturb,
        .created = { (int64_t)m->created_ms },
        .changed = { (int64_t)m->changed_ms },
        .record = kept,
    };
    if (!d.lines || !d.pins || !d.buttons || !d.forwards)
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

/* What is empty is not written. */
static int put_text(struct span s, struct arena *a, char **out)
{
    *out = s.n ? arena_str(a, s) : NULL;
    return s.n && !*out ? CS_ENOMEM : 0;
}

static int put_buttons(const struct device *d, struct arena *a, Countersign__Store__Device *m)
{
    int err = 0;
    m->button = arena_alloc(a, d->n_buttons * sizeof(void *));
    for (; m->button && !err && m->n_button < d->n_buttons; m->n_button++) {
        const struct device_button *from = &d->buttons[m->n_button];
        Countersign__Store__DeviceButton *b = m->button[m->n_button] = arena_alloc(a, sizeof(*b));
        if (!b)
            return CS_ENOMEM;
        countersign__store__device_button__init(b);
        b->kind = from->kind;
        err = put_text(from->user, a, &b->user) || put_text(from->number, a, &b->number) ||
                      put_text(from->label, a, &b->label)
                  ? CS_ENOMEM
                  : 0;
    }
    return m->button ? err : CS_ENOMEM;
}

static int put_forwards(const struct device *d, struct arena *a, Countersign__Store__Device *m)
{
    int err = 0;
    m->forward = arena_alloc(a, d->n_forwards * sizeof(void *));
    for (; m->forward && !err && m->n_forward < d->n_forwards; m->n_forward++) {
        const struct device_forward *from = &d->forwards[m->n_forward];
        Countersign__Store__DeviceForward *f = m->forward[m->n_forward] =
            arena_alloc(a, sizeof(*f));
        if (!f)
            return CS_ENOMEM;
        countersign__store__device_forward__init(f);
        err = put_text(from->user, a, &f->user) || put_text(from->all, a, &f->all) ||
                      put_text(from->busy, a, &f->busy) ||
                      put_text(from->no_answer, a, &f->no_answer)
                  ? CS_ENOMEM
                  : 0;
    }
    return m->forward ? err : CS_ENOMEM;
}

static int fill(Countersign__Store__Device *m, const struct device *d, struct arena *a)
{
    const struct {
        struct span from;
        char **to;
    } texts[] = {
        { d->name, &m->name },
        { d->note, &m->note },
        { d->model, &m->model },
        { d->softkeys, &m->softkeys },
        { d->time_zone, &m->time_zone },
        { d->date_format, &m->date_format },
        { d->locale, &m->locale },
        { d->address_set, &m->address_set },
        { d->certificate, &m->certificate },
        { d->protocol, &m->protocol },
    };
    m->schema = SCHEMA;
    m->has_enabled = m->has_security = m->has_created_ms = m->has_changed_ms = true;
    m->enabled = d->enabled;
    m->security = (Countersign__Store__DeviceSecurity)d->security;
    m->has_do_not_disturb = d->dnd != DEVICE_DND_OFF;
    m->do_not_disturb = d->dnd;
    m->created_ms = (uint64_t)d->created.ms;
    m->changed_ms = (uint64_t)d->changed.ms;
    int err = 0;
    for (size_t i = 0; !err && i < CS_LEN(texts); i++)
        err = put_text(texts[i].from, a, texts[i].to);
    if (!err)
        err = put_texts(d->lines, d->n_lines, a, &m->line, &m->n_line);
    if (!err)
        err = put_texts(d->pins, d->n_pins, a, &m->pin, &m->n_pin);
    if (!err)
        err = put_buttons(d, a, m);
    return err ? err : put_forwards(d, a, m);
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

bool device_is_sip(const struct device *d)
{
    return span_eq(d->protocol, SPAN("sip"));
}

const struct device_forward *device_forward_of(const struct device *d, struct span line)
{
    for (size_t i = 0; i < d->n_forwards; i++) {
        if (span_eq(d->forwards[i].user, line))
            return &d->forwards[i];
    }
    return NULL;
}
