#include "authd/rest/device_wish.h"

static struct span text_of(const json_t *j)
{
    return span_of(json_string_value(j), json_string_length(j));
}

static int no_memory(struct fault *f)
{
    return fault_set(f, 503, "overloaded", "Out of memory", "Try again later.");
}

/* ---- the members ---- */

typedef int member_fn(const json_t *j, struct arena *a, struct device_wish *w, struct fault *f);

static int take_name(const json_t *j, struct arena *a, struct device_wish *w, struct fault *f)
{
    (void)a;
    w->name = text_of(j);
    const char *why = device_name_fault(w->name);
    return why ? fault_member(f, "device", why) : 0;
}

static int take_enabled(const json_t *j, struct arena *a, struct device_wish *w, struct fault *f)
{
    (void)a;
    if (!json_is_boolean(j))
        return fault_member(f, "enabled", "must be true or false");
    w->has_enabled = true;
    w->enabled = json_is_true(j);
    return 0;
}

static int take_security(const json_t *j, struct arena *a, struct device_wish *w, struct fault *f)
{
    (void)a;
    w->has_security = true;
    for (unsigned i = 0; device_security_names[i]; i++) {
        w->security = (enum device_security)i;
        if (span_eq(text_of(j), span_str(device_security_names[i])))
            return 0;
    }
    return fault_member(f, "security", "must be nonsecure, authenticated or encrypted");
}

static int take_lines(const json_t *j, struct arena *a, struct device_wish *w, struct fault *f)
{
    const size_t n = json_array_size(j);
    struct span *list = arena_alloc(a, n * sizeof(*list));
    if (n > DEVICE_MAX_LINES)
        return fault_member(f, "lines", "may be up to 64");
    for (size_t i = 0; list && i < n; i++) {
        list[i] = text_of(json_array_get(j, i));
        const char *why = list[i].p ? device_line_fault(list[i]) : "must be strings";
        if (why)
            return fault_member(f, "lines", why);
    }
    w->has_lines = true;
    w->lines = list;
    w->n_lines = n;
    return list ? 0 : no_memory(f);
}

static int take_pins(const json_t *j, struct arena *a, struct device_wish *w, struct fault *f)
{
    const size_t n = json_array_size(j);
    struct span *list = arena_alloc(a, n * sizeof(*list));
    if (n > DEVICE_MAX_PINS)
        return fault_member(f, "pins", "may be up to 16");
    for (size_t i = 0; list && i < n; i++) {
        struct span text = text_of(json_array_get(j, i));
        int err = text.p ? pin_of(text, a, &list[i]) : CS_EPROTO;
        if (err == CS_ENOMEM)
            return no_memory(f);
        if (err)
            return fault_member(f, "pins",
                                "must be sha256:HEX of a certificate or spki:HEX of its key");
    }
    w->has_pins = true;
    w->pins = list;
    w->n_pins = n;
    return list ? 0 : no_memory(f);
}

static int take_note(const json_t *j, struct arena *a, struct device_wish *w, struct fault *f)
{
    (void)a;
    w->has_note = true;
    w->note = text_of(j);
    const char *why = device_note_fault(w->note);
    return why ? fault_member(f, "note", why) : 0;
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
    { "note", false, JSON_STRING, take_note, "must be a string" },
};

int device_wish_parse(const json_t *j, bool create, struct arena *a, struct device_wish *out,
                      struct fault *f)
{
    const char *name;
    json_t *value;
    *out = (struct device_wish){ 0 };
    *f = (struct fault){ 0 };
    json_object_foreach((json_t *)j, name, value)
    {
        size_t i = 0;
        while (i < CS_LEN(members) &&
               (strcmp(members[i].name, name) || (members[i].create && !create)))
            i++;
        if (i == CS_LEN(members))
            return fault_set(f, 422, "unknown-member", "Unknown member",
                             "\"%.60s\" is not known here.", name);
        if (members[i].what && json_typeof(value) != members[i].type)
            return fault_member(f, name, members[i].what);
        int err = members[i].fn(value, a, out, f);
        if (err)
            return err;
    }
    return create && !out->name.p ? fault_member(f, "device", "is missing") : 0;
}

void device_wish_apply(const struct device_wish *w, struct device *d)
{
    if (w->has_enabled)
        d->enabled = w->enabled;
    if (w->has_security)
        d->security = w->security;
    if (w->has_lines) {
        d->lines = w->lines;
        d->n_lines = w->n_lines;
    }
    if (w->has_pins) {
        d->pins = w->pins;
        d->n_pins = w->n_pins;
    }
    if (w->has_note)
        d->note = w->note;
}

static json_t *texts_to_json(const struct span *list, size_t n)
{
    json_t *j = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(j, json_of(list[i]));
    return j;
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
    json_object_set_new(j, "note", json_of(d->note.p ? d->note : SPAN("")));
    json_object_set_new(j, "created", json_string(created));
    json_object_set_new(j, "changed", json_string(changed));
    return j;
}
