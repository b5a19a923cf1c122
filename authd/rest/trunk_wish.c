#include "authd/rest/trunk_wish.h"

static const char *const echo_names[] = { "as-challenged", "always", "never", NULL };
static const char *const case_names[] = { "upper", "lower", NULL };
static const char *const uri_names[] = { "as-sent", "without-transport", "without-parameters",
                                         NULL };

/* ---- the members ---- */

typedef int member_fn(const json_t *j, struct arena *a, struct trunk_wish *w, struct fault *f);

static int take_name(const json_t *j, struct arena *a, struct trunk_wish *w, struct fault *f)
{
    (void)a;
    w->name = json_text(j);
    const char *why = trunk_name_fault(w->name);
    return why ? fault_member(f, "trunk", why) : 0;
}

static int take_targets(const json_t *j, struct arena *a, struct trunk_wish *w, struct fault *f)
{
    size_t n = json_array_size(j);
    if (n == 0 || n > TRUNK_MAX_TARGETS)
        return fault_member(f, "targets", "must be 1 to 64");
    struct span *list = arena_alloc(a, n * sizeof(*list));
    for (size_t i = 0; list && i < n; i++) {
        struct span text = json_text(json_array_get(j, i));
        int err = text.p ? trunk_target(text, a, &list[i]) : CS_EPROTO;
        if (err == CS_ENOMEM)
            return fault_no_memory(f);
        if (err)
            return fault_set(f, 422, "invalid-target", "Invalid target",
                             "targets: \"%.80s\" is no host; write sip.example.com, *.example.com, "
                             "192.0.2.1 or 192.0.2.0/24, without a port.",
                             text.p ? text.p : "");
    }
    w->has_targets = true;
    w->targets = list;
    w->n_targets = n;
    return list ? 0 : fault_no_memory(f);
}

/* The same for what may be empty. */
static int take_texts(const json_t *j, const char *member, const char *what,
                      int (*read)(struct span text, struct arena *a, struct span *out),
                      struct arena *a, const struct span **out, size_t *n_out, struct fault *f)
{
    size_t n = json_array_size(j);
    struct span *list = arena_alloc(a, n * sizeof(*list));
    if (n > TRUNK_MAX_CERTIFICATES)
        return fault_member(f, member, "may be up to 32");
    for (size_t i = 0; list && i < n; i++) {
        struct span text = json_text(json_array_get(j, i));
        int err = text.p ? read(text, a, &list[i]) : CS_EPROTO;
        if (err)
            return err == CS_ENOMEM ? fault_no_memory(f) : fault_member(f, member, what);
    }
    *out = list;
    *n_out = n;
    return list ? 0 : fault_no_memory(f);
}

static int take_certificates(const json_t *j, struct arena *a, struct trunk_wish *w,
                             struct fault *f)
{
    w->has_certificates = true;
    return take_texts(j, "certificates",
                      "must be domains, sha256:HEX of a certificate or spki:HEX of its key",
                      trunk_certificate, a, &w->certificates, &w->n_certificates, f);
}

static int take_domains(const json_t *j, struct arena *a, struct trunk_wish *w, struct fault *f)
{
    w->has_domains = true;
    return take_texts(j, "domains", "must be domains", trunk_domain, a, &w->domains, &w->n_domains,
                      f);
}

static int take_word(const json_t *j, const char *member, const char *const *names, unsigned *out,
                     struct fault *f)
{
    for (*out = 0; names[*out]; ++*out) {
        if (span_eq(json_text(j), span_str(names[*out])))
            return 0;
    }
    return fault_set(f, 422, "invalid-member", "Invalid member", "%s must be %s, %s%s%s.", member,
                     names[0], names[1], names[2] ? " or " : "", names[2] ? names[2] : "");
}

static int take_echo(const json_t *j, struct arena *a, struct trunk_wish *w, struct fault *f)
{
    unsigned n = 0;
    (void)a;
    int err = take_word(j, "algorithm", echo_names, &n, f);
    w->has_echo = true;
    w->echo = (enum digest_echo)n;
    return err;
}

static int take_case(const json_t *j, struct arena *a, struct trunk_wish *w, struct fault *f)
{
    unsigned n = 0;
    (void)a;
    int err = take_word(j, "algorithm_case", case_names, &n, f);
    w->has_lower = true;
    w->lower = n == 1;
    return err;
}

static int take_uri(const json_t *j, struct arena *a, struct trunk_wish *w, struct fault *f)
{
    unsigned n = 0;
    (void)a;
    int err = take_word(j, "uri", uri_names, &n, f);
    w->has_uri = true;
    w->uri = (enum trunk_uri)n;
    return err;
}

static int take_prefer(const json_t *j, struct arena *a, struct trunk_wish *w, struct fault *f)
{
    (void)a;
    w->has_prefer = true;
    for (size_t i = 0; i < json_array_size(j); i++) {
        bool sess = false, seen = false;
        struct span name = json_text(json_array_get(j, i));
        enum digest_alg alg = name.p ? digest_alg_of(name, &sess) : DIGEST_UNKNOWN;
        for (size_t k = 0; k < w->n_prefer; k++)
            seen |= w->prefer[k] == alg;
        if (alg == DIGEST_UNKNOWN || sess || seen)
            return fault_member(f, "prefer",
                                "must name each of MD5, SHA-256 and SHA-512-256 once at most");
        w->prefer[w->n_prefer++] = alg;
    }
    return 0;
}

/* Of a credential, its members by themselves. */
static const struct {
    const char *name;
    size_t at;
} credential_members[] = {
    { "realm", offsetof(struct trunk_wish_credential, realm) },
    { "user", offsetof(struct trunk_wish_credential, user) },
    { "route", offsetof(struct trunk_wish_credential, route) },
    { "password", offsetof(struct trunk_wish_credential, password) },
};

static int take_credential(const json_t *j, struct trunk_wish_credential *out, struct fault *f)
{
    const char *name;
    json_t *value;
    *out = (struct trunk_wish_credential){ 0 };
    json_object_foreach((json_t *)j, name, value)
    {
        size_t i = 0;
        while (i < CS_LEN(credential_members) && strcmp(credential_members[i].name, name))
            i++;
        if (i == CS_LEN(credential_members))
            return fault_set(f, 422, "unknown-member", "Unknown member",
                             "\"%.60s\" is not known here.", name);
        if (!json_is_string(value))
            return fault_member(f, name, "must be a string");
        struct span text = json_text(value);
        const bool is_password =
            credential_members[i].at == offsetof(struct trunk_wish_credential, password);
        const char *why = is_password ? NULL : trunk_text_fault(text);
        if (is_password && (text.n == 0 || text.n > TRUNK_MAX_PASSWORD))
            why = "must be of 1 to 1024 bytes";
        if (why)
            return fault_member(f, name, why);
        *(struct span *)((char *)out + credential_members[i].at) = text;
    }
    if (!out->realm.p || !out->user.p || !out->password.p)
        return fault_member(f, "a credential", "wants realm, user and password");
    /* RFC 7616, 3.4.2: what stands before the first colon of A1 is the name */
    return span_find(out->user, ':') >= 0 ? fault_member(f, "user", "must not contain a colon") : 0;
}

static int take_credentials(const json_t *j, struct arena *a, struct trunk_wish *w, struct fault *f)
{
    size_t n = json_array_size(j);
    if (n > TRUNK_MAX_CREDENTIALS)
        return fault_member(f, "credentials", "may be up to 64");
    w->credentials = arena_alloc(a, n * sizeof(*w->credentials));
    if (!w->credentials)
        return fault_no_memory(f);
    for (; w->n_credentials < n; w->n_credentials++) {
        const json_t *one = json_array_get(j, w->n_credentials);
        if (!json_is_object(one))
            return fault_member(f, "credentials", "must be objects");
        int err = take_credential(one, &w->credentials[w->n_credentials], f);
        if (err)
            return err;
    }
    return 0;
}

static const struct member {
    const char *name;
    unsigned part;
    json_type type;
    member_fn *fn;
    const char *what;
} members[] = {
    { "trunk", TRUNK_WISH_NAME, JSON_STRING, take_name, "must be a string" },
    { "credentials", TRUNK_WISH_NAME, JSON_ARRAY, take_credentials, "must be an array of objects" },
    { "targets", TRUNK_WISH_FIELDS, JSON_ARRAY, take_targets, "must be an array of strings" },
    { "certificates", TRUNK_WISH_FIELDS, JSON_ARRAY, take_certificates,
      "must be an array of strings" },
    { "domains", TRUNK_WISH_FIELDS, JSON_ARRAY, take_domains, "must be an array of strings" },
    { "algorithm", TRUNK_WISH_FIELDS, JSON_STRING, take_echo, "must be a string" },
    { "algorithm_case", TRUNK_WISH_FIELDS, JSON_STRING, take_case, "must be a string" },
    { "uri", TRUNK_WISH_FIELDS, JSON_STRING, take_uri, "must be a string" },
    { "prefer", TRUNK_WISH_FIELDS, JSON_ARRAY, take_prefer, "must be an array of strings" },
};

static const struct member *find_member(const char *name, unsigned allowed)
{
    for (size_t i = 0; i < CS_LEN(members); i++) {
        if ((members[i].part & allowed) && strcmp(members[i].name, name) == 0)
            return &members[i];
    }
    return NULL;
}

int trunk_wish_parse(const json_t *j, unsigned allowed, struct arena *a, struct trunk_wish *out,
                     struct fault *f)
{
    const char *name;
    json_t *value;
    *out = (struct trunk_wish){ 0 };
    *f = (struct fault){ 0 };
    if (allowed & TRUNK_WISH_CREDENTIAL) {
        out->credentials = arena_alloc(a, sizeof(*out->credentials));
        if (!out->credentials)
            return fault_no_memory(f);
        out->n_credentials = 1;
        return take_credential(j, out->credentials, f);
    }
    json_object_foreach((json_t *)j, name, value)
    {
        const struct member *m = find_member(name, allowed);
        if (!m)
            return fault_set(f, 422, "unknown-member", "Unknown member",
                             "\"%.60s\" is not known here.", name);
        if (json_typeof(value) != m->type)
            return fault_member(f, m->name, m->what);
        int err = m->fn(value, a, out, f);
        if (err)
            return err;
    }
    if ((allowed & TRUNK_WISH_NAME) && (!out->name.p || !out->has_targets))
        return fault_member(f, out->name.p ? "targets" : "trunk", "is missing");
    return 0;
}

/* ---- applying it ---- */

static struct trunk_credential *find(struct trunk *t, struct span realm, struct span user,
                                     struct span route)
{
    for (size_t i = 0; i < t->n_credentials; i++) {
        struct trunk_credential *c = &t->credentials[i];
        if (span_eq(c->realm, realm) && span_eq(c->user, user) && span_eq(c->route, route))
            return c;
    }
    return NULL;
}

static int put_credential(const struct trunk_wish_credential *w, struct vault *v, struct arena *a,
                          struct trunk *t, struct fault *f)
{
    struct trunk_credential *c = find(t, w->realm, w->user, w->route);
    if (!c && t->n_credentials == TRUNK_MAX_CREDENTIALS)
        return fault_member(f, "credentials", "may be up to 64");
    if (!c) {
        c = &t->credentials[t->n_credentials++];
        *c = (struct trunk_credential){ .realm = w->realm, .user = w->user, .route = w->route };
    }
    return trunk_seal(t, c, v, w->password, a) ? fault_no_memory(f) : 0;
}

int trunk_wish_apply(const struct trunk_wish *w, struct vault *v, struct arena *a, struct trunk *t,
                     struct fault *f)
{
    if (w->has_targets) {
        t->targets = w->targets;
        t->n_targets = w->n_targets;
    }
    if (w->has_certificates) {
        t->certificates = w->certificates;
        t->n_certificates = w->n_certificates;
    }
    if (w->has_domains) {
        t->domains = w->domains;
        t->n_domains = w->n_domains;
    }
    if (w->has_echo)
        t->echo = w->echo;
    if (w->has_lower)
        t->lower = w->lower;
    if (w->has_uri)
        t->uri = w->uri;
    if (w->has_prefer) {
        memcpy(t->prefer, w->prefer, sizeof(t->prefer));
        t->n_prefer = w->n_prefer;
    }
    if (w->n_credentials == 0)
        return 0;
    struct trunk_credential *all =
        arena_alloc(a, (t->n_credentials + w->n_credentials) * sizeof(*all));
    if (!all)
        return fault_no_memory(f);
    if (t->n_credentials)
        memcpy(all, t->credentials, t->n_credentials * sizeof(*all));
    t->credentials = all;
    for (size_t i = 0; i < w->n_credentials; i++) {
        int err = put_credential(&w->credentials[i], v, a, t, f);
        if (err)
            return err;
    }
    return 0;
}

bool trunk_forget(struct trunk *t, struct span realm, struct span user, struct span route)
{
    struct trunk_credential *c = find(t, realm, user, route);
    if (!c)
        return false;
    t->n_credentials--; /* their order stays: of equals the first one is taken */
    memmove(c, c + 1, (size_t)(t->credentials + t->n_credentials - c) * sizeof(*c));
    return true;
}

/* ---- showing it ---- */

static json_t *texts_to_json(const struct span *list, size_t n)
{
    json_t *j = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(j, json_of(list[i]));
    return j;
}

json_t *trunk_to_json(const struct trunk *t)
{
    char created[WALL_STRLEN], changed[WALL_STRLEN];
    json_t *j = json_object(), *credentials = json_array(), *prefer = json_array();
    wall_format(t->created, created);
    wall_format(t->changed, changed);
    for (size_t i = 0; i < t->n_credentials; i++) {
        const struct trunk_credential *c = &t->credentials[i];
        json_t *one = json_object();
        json_object_set_new(one, "realm", json_of(c->realm));
        json_object_set_new(one, "user", json_of(c->user));
        if (c->route.p)
            json_object_set_new(one, "route", json_of(c->route));
        json_array_append_new(credentials, one);
    }
    for (size_t i = 0; i < t->n_prefer; i++)
        json_array_append_new(prefer, json_of(digest_alg_name(t->prefer[i], false)));
    json_object_set_new(j, "trunk", json_of(t->name));
    json_object_set_new(j, "targets", texts_to_json(t->targets, t->n_targets));
    json_object_set_new(j, "credentials", credentials);
    json_object_set_new(j, "certificates", texts_to_json(t->certificates, t->n_certificates));
    json_object_set_new(j, "domains", texts_to_json(t->domains, t->n_domains));
    json_object_set_new(j, "algorithm", json_string(echo_names[t->echo]));
    json_object_set_new(j, "algorithm_case", json_string(case_names[t->lower]));
    json_object_set_new(j, "uri", json_string(uri_names[t->uri]));
    json_object_set_new(j, "prefer", prefer);
    json_object_set_new(j, "created", json_string(created));
    json_object_set_new(j, "changed", json_string(changed));
    return j;
}
