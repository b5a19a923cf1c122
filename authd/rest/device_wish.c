#include "authd/rest/device_wish.h"

/* ---- the members ---- */

struct reading {
    struct span realm; /* of lines that say none */
    struct arena *a;
    struct device_wish *w;
    struct fault *f;
};
typedef int member_fn(const json_t *j, struct reading *r);

static int take_name(const json_t *j, struct reading *r)
{
    r->w->said.name = json_text(j);
    const char *why = device_name_fault(r->w->said.name);
    return why ? fault_member(r->f, "device", why) : 0;
}

static int take_enabled(const json_t *j, struct reading *r)
{
    if (!json_is_boolean(j))
        return fault_member(r->f, "enabled", "must be true or false");
    r->w->has_enabled = true;
    r->w->said.enabled = json_is_true(j);
    return 0;
}

/* Its place among the names, or -1. */
static int among(const char *const *names, const json_t *j)
{
    for (int i = 0; names[i]; i++) {
        if (json_is_string(j) && span_eq(json_text(j), span_str(names[i])))
            return i;
    }
    return -1;
}

static int take_security(const json_t *j, struct reading *r)
{
    const int i = among(device_security_names, j);
    r->w->has_security = true;
    r->w->said.security = (enum device_security)i;
    return i < 0 ? fault_member(r->f, "security", "must be nonsecure, authenticated or encrypted")
                 : 0;
}

static int take_dnd(const json_t *j, struct reading *r)
{
    const int i = among(device_dnd_names, j);
    r->w->has_dnd = true;
    r->w->said.dnd = (enum device_dnd)i;
    return i < 0 ? fault_member(r->f, "do_not_disturb", "must be off, silent or reject") : 0;
}

/* NULL, or why it names no user; without a realm it is of the one that is named first. */
static const char *line_of(const json_t *j, struct reading *r, struct span *out)
{
    *out = json_is_string(j) ? json_text(j) : SPAN_NULL;
    if (out->n && span_find(*out, '@') < 0 && r->realm.p) {
        const size_t n = out->n + 1 + r->realm.n;
        struct buf b = buf_of(arena_alloc(r->a, n), n);
        if (!b.p)
            return "cannot be kept: out of memory";
        buf_put(&b, *out);
        buf_putc(&b, '@');
        buf_put(&b, r->realm);
        *out = buf_span(&b);
    }
    return out->p ? device_line_fault(*out) : "must be strings";
}

static int take_lines(const json_t *j, struct reading *r)
{
    const size_t n = json_array_size(j);
    struct span *list = arena_alloc(r->a, n * sizeof(*list));
    if (n > DEVICE_MAX_LINES)
        return fault_member(r->f, "lines", "may be up to 64");
    for (size_t i = 0; list && i < n; i++) {
        const char *why = line_of(json_array_get(j, i), r, &list[i]);
        if (why)
            return fault_member(r->f, "lines", why);
    }
    r->w->has_lines = true;
    r->w->said.lines = list;
    r->w->said.n_lines = n;
    return list ? 0 : fault_no_memory(r->f);
}

static int take_pins(const json_t *j, struct reading *r)
{
    const size_t n = json_array_size(j);
    struct span *list = arena_alloc(r->a, n * sizeof(*list));
    if (n > DEVICE_MAX_PINS)
        return fault_member(r->f, "pins", "may be up to 16");
    for (size_t i = 0; list && i < n; i++) {
        struct span text = json_text(json_array_get(j, i));
        int err = text.p ? pin_of(text, r->a, &list[i]) : CS_EPROTO;
        if (err == CS_ENOMEM)
            return fault_no_memory(r->f);
        if (err)
            return fault_member(r->f, "pins",
                                "must be sha256:HEX of a certificate or spki:HEX of its key");
    }
    r->w->has_pins = true;
    r->w->said.pins = list;
    r->w->said.n_pins = n;
    return list ? 0 : fault_no_memory(r->f);
}

/* The members of an object of an array that are texts; "kind" apart. An empty one is not said. */
struct part {
    const char *name;
    struct span *to;
    bool line;
};

static int take_parts(const json_t *j, const char *member, const struct part *parts, size_t n,
                      struct reading *r)
{
    const char *name;
    json_t *value;
    if (!json_is_object(j))
        return fault_member(r->f, member, "must be objects");
    json_object_foreach((json_t *)j, name, value)
    {
        size_t i = 0;
        if (strcmp(name, "kind") == 0 && parts[0].name[0] == 'k')
            continue;
        while (i < n && strcmp(parts[i].name, name) != 0)
            i++;
        if (i == n)
            return fault_member(r->f, member, "have a member that is not known here");
        if (!json_is_string(value))
            return fault_member(r->f, member, "have members that are strings");
        const char *why = parts[i].line ? line_of(value, r, parts[i].to) : NULL;
        if (why)
            return fault_member(r->f, member, why);
        if (!parts[i].line)
            *parts[i].to = json_string_length(value) ? json_text(value) : SPAN_NULL;
    }
    return 0;
}

static int take_button(const json_t *j, struct reading *r, struct device_button *out)
{
    struct span kind;
    const struct part parts[] = { { "kind", &kind, false },
                                  { "user", &out->user, true },
                                  { "number", &out->number, false },
                                  { "label", &out->label, false } };
    const int i = among(device_button_names, json_object_get(j, "kind"));
    *out =
        (struct device_button){ .kind = i < 0 ? DEVICE_BUTTON_NONE : (enum device_button_kind)i };
    int err = take_parts(j, "buttons", parts, CS_LEN(parts), r);
    return err ? err
           : i < 0
               ? fault_member(r->f, "buttons", "have a kind: none, line, speed-dial or busy-lamp")
               : 0;
}

static int take_buttons(const json_t *j, struct reading *r)
{
    const size_t n = json_array_size(j);
    struct device_button *list = arena_alloc(r->a, n * sizeof(*list));
    int err = 0;
    if (!list)
        return fault_no_memory(r->f);
    for (size_t i = 0; !err && i < n; i++)
        err = take_button(json_array_get(j, i), r, &list[i]);
    r->w->has_buttons = true;
    r->w->said.buttons = list;
    r->w->said.n_buttons = n;
    return err;
}

static int take_forwards(const json_t *j, struct reading *r)
{
    const size_t n = json_array_size(j);
    struct device_forward *list = arena_zalloc(r->a, n * sizeof(*list));
    int err = 0;
    if (!list)
        return fault_no_memory(r->f);
    for (size_t i = 0; !err && i < n; i++) {
        const struct part parts[] = { { "user", &list[i].user, true },
                                      { "all", &list[i].all, false },
                                      { "busy", &list[i].busy, false },
                                      { "no_answer", &list[i].no_answer, false } };
        err = take_parts(json_array_get(j, i), "forwards", parts, CS_LEN(parts), r);
    }
    r->w->has_forwards = true;
    r->w->said.forwards = list;
    r->w->said.n_forwards = n;
    return err;
}

static struct span *text_at(struct device *d, size_t i)
{
    return (struct span *)((char *)d + device_texts[i].offset);
}

static int take_text(const json_t *j, size_t i, struct reading *r)
{
    if (!json_is_string(j))
        return fault_member(r->f, device_texts[i].name, "must be a string");
    const char *why = device_texts[i].fault(json_text(j));
    r->w->has_text[i] = true;
    *text_at(&r->w->said, i) = json_text(j);
    return why ? fault_member(r->f, device_texts[i].name, why) : 0;
}

static const struct {
    const char *name;
    bool create; /* there alone */
    json_type type;
    member_fn *fn;
    const char *what;
} members[] = {
    { "device", true, JSON_STRING, take_name, "must be a string" },
    { "enabled", false, JSON_NULL, take_enabled, NULL }, /* JSON has two types for it */
    { "security", false, JSON_STRING, take_security, "must be a string" },
    { "lines", false, JSON_ARRAY, take_lines, "must be an array of strings" },
    { "pins", false, JSON_ARRAY, take_pins, "must be an array of strings" },
    { "buttons", false, JSON_ARRAY, take_buttons, "must be an array of objects" },
    { "forwards", false, JSON_ARRAY, take_forwards, "must be an array of objects" },
    { "do_not_disturb", false, JSON_STRING, take_dnd, "must be a string" },
};

static int take_member(const char *name, const json_t *value, bool create, struct reading *r)
{
    for (size_t i = 0; i < CS_LEN(members); i++) {
        if (strcmp(members[i].name, name) != 0 || (members[i].create && !create))
            continue;
        if (members[i].what && json_typeof(value) != members[i].type)
            return fault_member(r->f, name, members[i].what);
        return members[i].fn(value, r);
    }
    for (size_t i = 0; i < DEVICE_TEXTS; i++) {
        if (strcmp(device_texts[i].name, name) == 0)
            return take_text(value, i, r);
    }
    return fault_set(r->f, 422, "unknown-member", "Unknown member", "\"%.60s\" is not known here.",
                     name);
}

int device_wish_parse(const json_t *j, bool create, struct span realm, struct arena *a,
                      struct device_wish *out, struct fault *f)
{
    const char *name;
    json_t *value;
    struct reading r = { .realm = realm, .a = a, .w = out, .f = f };
    *out = (struct device_wish){ 0 };
    *f = (struct fault){ 0 };
    json_object_foreach((json_t *)j, name, value)
    {
        int err = take_member(name, value, create, &r);
        if (err)
            return err;
    }
    return create && !out->said.name.p ? fault_member(f, "device", "is missing") : 0;
}

static void keep_forwards(struct device *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n_forwards; i++) {
        if (device_has_line(d, d->forwards[i].user))
            d->forwards[n++] = d->forwards[i];
    }
    d->n_forwards = n;
}

void device_wish_apply(const struct device_wish *w, struct device *d)
{
    const struct device *s = &w->said;
    if (w->has_enabled)
        d->enabled = s->enabled;
    if (w->has_security)
        d->security = s->security;
    if (w->has_dnd)
        d->dnd = s->dnd;
    if (w->has_lines) {
        d->lines = s->lines;
        d->n_lines = s->n_lines;
        keep_forwards(d);
    }
    if (w->has_pins) {
        d->pins = s->pins;
        d->n_pins = s->n_pins;
    }
    if (w->has_buttons) {
        d->buttons = s->buttons;
        d->n_buttons = s->n_buttons;
    }
    if (w->has_forwards) {
        d->forwards = s->forwards;
        d->n_forwards = s->n_forwards;
    }
    for (size_t i = 0; i < DEVICE_TEXTS; i++) {
        if (w->has_text[i])
            *text_at(d, i) = *text_at((struct device *)s, i);
    }
}

/* ---- how the world sees it ---- */

static json_t *texts_to_json(const struct span *list, size_t n)
{
    json_t *j = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(j, json_of(list[i]));
    return j;
}

static void set_text(json_t *j, const char *name, struct span s)
{
    if (s.p)
        json_object_set_new(j, name, json_of(s));
}

static json_t *buttons_to_json(const struct device *d)
{
    json_t *list = json_array();
    for (size_t i = 0; i < d->n_buttons; i++) {
        const struct device_button *b = &d->buttons[i];
        json_t *j = json_object();
        json_object_set_new(j, "kind", json_string(device_button_names[b->kind]));
        set_text(j, "user", b->user);
        set_text(j, "number", b->number);
        set_text(j, "label", b->label);
        json_array_append_new(list, j);
    }
    return list;
}

static json_t *forwards_to_json(const struct device *d)
{
    json_t *list = json_array();
    for (size_t i = 0; i < d->n_forwards; i++) {
        const struct device_forward *f = &d->forwards[i];
        json_t *j = json_object();
        set_text(j, "user", f->user);
        set_text(j, "all", f->all);
        set_text(j, "busy", f->busy);
        set_text(j, "no_answer", f->no_answer);
        json_array_append_new(list, j);
    }
    return list;
}

json_t *device_to_json(const struct device *d)
{
    char created[WALL_STRLEN], changed[WALL_STRLEN];
    json_t *j = json_object();
    wall_format(d->created, created);
    wall_format(d->changed, changed);
    json_object_set_new(j, "device", json_of(d->name));
    json_object_set_new(j, "enabled", json_boolean(d->enabled));
    json_object_set_new(j, "security", json_string(device_security_names[d->security]));
    json_object_set_new(j, "lines", texts_to_json(d->lines, d->n_lines));
    json_object_set_new(j, "pins", texts_to_json(d->pins, d->n_pins));
    json_object_set_new(j, "buttons", buttons_to_json(d));
    json_object_set_new(j, "forwards", forwards_to_json(d));
    json_object_set_new(j, "do_not_disturb", json_string(device_dnd_names[d->dnd]));
    for (size_t i = 0; i < DEVICE_TEXTS; i++) {
        const struct span s = *text_at((struct device *)d, i);
        json_object_set_new(j, device_texts[i].name, json_of(s.p ? s : SPAN("")));
    }
    json_object_set_new(j, "created", json_string(created));
    json_object_set_new(j, "changed", json_string(changed));
    return j;
}
