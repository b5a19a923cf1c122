#include "authd/rest/set_wish.h"

/* ---- the members ---- */

typedef int member_fn(const json_t *j, struct arena *a, struct set_wish *w, struct fault *f);

static int take_name(const json_t *j, struct arena *a, struct set_wish *w, struct fault *f)
{
    (void)a;
    w->name = json_text(j);
    const char *why = address_set_name_fault(w->name);
    return why ? fault_member(f, "set", why) : 0;
}

static int take_text(const json_t *j, const char *member, struct span *out, struct fault *f)
{
    *out = json_text(j);
    const char *why = address_set_text_fault(*out);
    return why ? fault_member(f, member, why) : 0;
}

static int take_owner(const json_t *j, struct arena *a, struct set_wish *w, struct fault *f)
{
    (void)a;
    return take_text(j, "owner", &w->owner, f);
}

static int take_note(const json_t *j, struct arena *a, struct set_wish *w, struct fault *f)
{
    (void)a;
    return take_text(j, "note", &w->note, f);
}

static int take_renewal(const json_t *j, struct arena *a, struct set_wish *w, struct fault *f)
{
    (void)a;
    w->has_renewal = true;
    return date_parse(json_text(j), &w->renewal)
               ? fault_member(f, "renewal", "must be a date; write 2027-03-01")
               : 0;
}

static int take_networks(const json_t *j, struct arena *a, struct set_wish *w, struct fault *f)
{
    const size_t n = json_array_size(j);
    w->networks = arena_alloc(a, CS_MAX(n, (size_t)1) * sizeof(*w->networks));
    if (!w->networks)
        return fault_no_memory(f);
    for (size_t i = 0; i < n; i++) {
        struct span text = json_text(json_array_get(j, i));
        const char *why = address_set_network_fault(text, &w->networks[i]);
        if (why)
            return fault_set(f, 422, "invalid-network", "Invalid network",
                             "networks: \"" SPAN_FMT "\" %s.", SPAN_ARG(span_head(text, 60)), why);
    }
    w->n_networks = n;
    const char *why = address_set_networks_fault(w->networks, n);
    return why ? fault_member(f, "networks", why) : 0;
}

static const struct member {
    const char *name;
    json_type type;
    member_fn *fn;
    const char *what;
} members[] = {
    { "set", JSON_STRING, take_name, "must be a string" },
    { "networks", JSON_ARRAY, take_networks, "must be an array of strings" },
    { "owner", JSON_STRING, take_owner, "must be a string" },
    { "renewal", JSON_STRING, take_renewal, "must be a string" },
    { "note", JSON_STRING, take_note, "must be a string" },
};

static const struct member *find_member(const char *name, bool is_new)
{
    for (size_t i = !is_new; i < CS_LEN(members); i++) {
        if (strcmp(members[i].name, name) == 0)
            return &members[i];
    }
    return NULL;
}

/* Names all that is missing, so that nobody has to ask five times. */
static int check_whole(const json_t *j, struct fault *f)
{
    char text[80];
    struct buf b = BUF_INIT(text);
    for (size_t i = 0; i < CS_LEN(members); i++) {
        if (json_object_get(j, members[i].name))
            continue;
        buf_put(&b, b.n ? SPAN(", ") : SPAN(""));
        buf_put(&b, span_str(members[i].name));
    }
    return b.n ? fault_set(f, 422, "missing-member", "Missing member",
                           "An address set says whose its networks are, what for, and until when: "
                           "missing is " SPAN_FMT ".",
                           SPAN_ARG(buf_span(&b)))
               : 0;
}

int set_wish_parse(const json_t *j, bool is_new, struct arena *a, struct set_wish *out,
                   struct fault *f)
{
    const char *name;
    json_t *value;
    *out = (struct set_wish){ 0 };
    *f = (struct fault){ 0 };
    json_object_foreach((json_t *)j, name, value)
    {
        const struct member *m = find_member(name, is_new);
        if (!m)
            return fault_set(f, 422, "unknown-member", "Unknown member",
                             "\"%.60s\" is not known here.", name);
        if (json_typeof(value) != m->type)
            return fault_member(f, m->name, m->what);
        int err = m->fn(value, a, out, f);
        if (err)
            return err;
    }
    return is_new ? check_whole(j, f) : 0;
}

void set_wish_apply(const struct set_wish *w, struct address_set *s)
{
    if (w->networks) {
        s->networks = w->networks;
        s->n_networks = w->n_networks;
    }
    if (w->owner.p)
        s->owner = w->owner;
    if (w->note.p)
        s->note = w->note;
    if (w->has_renewal)
        s->renewal = w->renewal;
}

json_t *address_set_to_json(const struct address_set *s, struct wall now)
{
    char renewal[DATE_STRLEN], created[WALL_STRLEN], changed[WALL_STRLEN];
    json_t *j = json_object(), *networks = json_array();
    for (size_t i = 0; i < s->n_networks; i++) {
        char space[ADDR_STRLEN + 4];
        struct buf b = BUF_INIT(space);
        cidr_write(&b, &s->networks[i]);
        json_array_append_new(networks, json_of(buf_span(&b)));
    }
    date_format(s->renewal, renewal);
    wall_format(s->created, created);
    wall_format(s->changed, changed);
    json_object_set_new(j, "set", json_of(s->name));
    json_object_set_new(j, "networks", networks);
    json_object_set_new(j, "owner", json_of(s->owner));
    json_object_set_new(j, "renewal", json_string(renewal));
    json_object_set_new(j, "state", json_of(set_state_name(address_set_state(s, now))));
    json_object_set_new(j, "note", json_of(s->note));
    json_object_set_new(j, "created", json_string(created));
    json_object_set_new(j, "changed", json_string(changed));
    return j;
}
