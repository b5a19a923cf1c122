/* authd: does it take the registrar's questions, and what do phones prove themselves with. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "doctor.h"
#include "greet.h"

/* ---- the socket between the daemons ---- */

static bool is_admitted(const struct authd_conf *a, uid_t uid)
{
    for (size_t i = 0; i < a->listen.n_uids; i++) {
        if (a->listen.uids[i] == uid)
            return true;
    }
    return false;
}

bool doctor_agreement(struct doctor *d)
{
    uid_t uid;
    gid_t gid;
    if (strcmp(d->registrar->authd.socket, d->authd->listen.socket) != 0) {
        finding_about(d, FILE_REGISTRAR, "authd.socket");
        finding(d, LEVEL_FAULT, "authd.socket",
                "Write the same path in authd.socket of registrar.yaml and listen.socket of "
                "authd.yaml.",
                "the registrar asks at %s, authd listens at %s", d->registrar->authd.socket,
                d->authd->listen.socket);
        return false;
    }
    if (!d->registrar->user.p || process_user(d->registrar->user, &uid, &gid))
        return true;
    if (is_admitted(d->authd, uid))
        return true;
    finding_about(d, FILE_AUTHD, "listen.users");
    finding(d, LEVEL_FAULT, "authd.admits", "Add it to listen.users of authd.yaml.",
            "authd does not admit uid %u, which is the registrar's", (unsigned)uid);
    return false;
}

static void check_socket(struct doctor *d, const char *path)
{
    const struct span user = d->registrar ? d->registrar->user : SPAN_NULL;
    const bool act = user.p && geteuid() == 0;
    int err = act ? greet_as(user, path, d->timeout) : greet(path, d->timeout);
    if (!err)
        finding(d, LEVEL_FINE, "authd.admits", NULL, "authd takes questions at %s", path);
    else if (err == -EACCES)
        finding(
            d, LEVEL_FAULT, "authd.admits",
            "Let the registrar's user or group into the folder and at the socket (listen.mode).",
            "the file system keeps %s from %s", act ? "the registrar" : "this user", path);
    else if (err != CS_EDENIED)
        finding(d, LEVEL_FAULT, "authd.socket",
                "Start authd; what it says at its start names the cause.", "%s: %s", path,
                cs_strerror(err));
    else if (act)
        finding(d, LEVEL_FAULT, "authd.admits",
                "Add it to listen.users of authd.yaml, and restart.",
                "authd does not take questions of the registrar's user " SPAN_FMT, SPAN_ARG(user));
    else
        finding(d, LEVEL_NOTE, "authd.admits",
                "Run this as root or as the registrar's user to know it of the registrar.",
                "authd does not take questions of uid %u", (unsigned)geteuid());
}

/* ---- REST ---- */

static void check_rest(struct doctor *d, struct client *c)
{
    json_t *answer = NULL;
    char version[64];
    unsigned status = 0;
    if (client_call(c, "GET", NULL, &status, &answer, "/healthz")) {
        finding(d, LEVEL_FAULT, "authd.rest", "Start authd, or correct http.listen.",
                "authd's REST does not answer");
        return;
    }
    text_of(answer, "version", version, sizeof(version));
    if (strcmp(version, CS_VERSION) != 0)
        finding(d, LEVEL_NOTE, "authd.version", "Install one version of all programs.",
                "authd has version %s, csctl " CS_VERSION, version);
    else
        finding(d, LEVEL_FINE, "authd.version", NULL, "authd has version %s", version);
    json_decref(answer);
    answer = NULL;
    if (client_call(c, "GET", NULL, &status, &answer, "/readyz") == EXIT_OK && status == 200)
        finding(d, LEVEL_FINE, "authd.ready", NULL, "authd is ready");
    else
        finding(d, LEVEL_FAULT, "authd.ready", "Look at Redis, and at authd's log.",
                "authd is not ready: every phone hears 503");
    json_decref(answer);
}

/* The array under a name of the answer; NULL after saying so where it was refused. */
static json_t *list_of(struct doctor *d, struct client *c, const char *path, const char *name)
{
    json_t *answer = NULL, *list = NULL;
    unsigned status = 0;
    if (client_call(c, "GET", NULL, &status, &answer, path))
        return NULL;
    if (status == 401)
        finding(d, LEVEL_FAULT, "authd.token",
                "Restart authd if the token was changed; it reads it at its start.",
                "authd does not take the admin token");
    else if (status == 200)
        list = json_incref(json_object_get(answer, name));
    json_decref(answer);
    return list;
}

static bool has_word(const json_t *list, const char *word)
{
    size_t i;
    json_t *e;
    json_array_foreach(list, i, e)
    {
        if (json_is_string(e) && strcmp(json_string_value(e), word) == 0)
            return true;
    }
    return false;
}

/* An algorithm that one user lacks is offered to none. */
static void check_realm(struct doctor *d, const json_t *realm)
{
    const json_t *offered = json_object_get(realm, "offered");
    char name[300];
    const char *alg;
    json_t *n;
    bool all = true;
    text_of(realm, "realm", name, sizeof(name));
    json_object_foreach(json_object_get(realm, "lacking"), alg, n)
    {
        if (!json_integer_value(n))
            continue;
        all = false;
        finding(d, LEVEL_WARNING, "realms.lacking",
                "Set those users' passwords anew: csctl user passwd; csctl user show NAME says "
                "what each has.",
                "%s: %s is not offered to anybody, because %lld enabled users have no verifier for "
                "it",
                name, alg, (long long)json_integer_value(n));
    }
    if (!has_word(offered, "SHA-256") && !has_word(offered, "SHA-512-256"))
        finding(d, LEVEL_WARNING, "realms.weak",
                "Add SHA-256 to the realm's verifiers and to the group's algorithms.",
                "%s: nothing stronger than MD5 is offered", name);
    else if (all)
        finding(d, LEVEL_FINE, "realms", NULL, "%s: every algorithm is offered", name);
}

static void check_md5(struct doctor *d, const json_t *clients)
{
    char name[300], user[300];
    size_t i, n = 0;
    json_t *c;
    json_array_foreach(clients, i, c)
    {
        json_int_t md5 = json_integer_value(json_object_get(json_object_get(c, "accepted"), "MD5"));
        const char *kind = json_string_value(json_object_get(c, "kind"));
        if (!md5 || !kind || strcmp(kind, "product") != 0)
            continue;
        n++;
        finding(d, LEVEL_NOTE, "md5.used",
                "Update that phone, or look for SHA-256 in its settings; csctl clients has more.",
                "%s answered %lld times with MD5, last for %s",
                text_of(c, "name", name, sizeof(name))[0] ? name : "a phone without User-Agent",
                (long long)md5, text_of(c, "user", user, sizeof(user)));
    }
    for (size_t k = 0; n == 0 && d->authd && k < d->authd->n_peer_groups; k++) {
        const struct group_conf *g = &d->authd->peer_groups[k];
        if ((g->digest.algorithm_mask & ALG_BIT(ALG_MD5)) &&
            g->digest.algorithm_mask != ALG_BIT(ALG_MD5))
            finding(d, LEVEL_NOTE, "md5.unused",
                    "Leave it out of digest.algorithms once every phone has been seen.",
                    "group " SPAN_FMT " offers MD5, and nobody used it since authd started",
                    SPAN_ARG(g->name));
    }
}

static void check_set(struct doctor *d, const json_t *set)
{
    char name[128], owner[256], renewal[32], state[16];
    text_of(set, "set", name, sizeof(name));
    text_of(set, "owner", owner, sizeof(owner));
    text_of(set, "renewal", renewal, sizeof(renewal));
    text_of(set, "state", state, sizeof(state));
    if (strcmp(state, "current") == 0)
        finding(d, LEVEL_FINE, "sets", NULL, "the address set %s is to be renewed by %s", name,
                renewal);
    else
        finding(d, LEVEL_WARNING, "sets.renewal",
                "Ask the owner whether the networks are his still, then csctl address-set change "
                "NAME --renewal DATE.",
                "the address set %s %s renewed by %s; its owner is %s", name,
                strcmp(state, "due") == 0 ? "is to be" : "was to be", renewal, owner);
}

static bool has_set(const json_t *sets, struct span name)
{
    size_t i;
    json_t *set;
    json_array_foreach(sets, i, set)
    {
        if (span_eq(name, span_str(json_string_value(json_object_get(set, "set")))))
            return true;
    }
    return false;
}

static void check_sets(struct doctor *d, const json_t *sets)
{
    size_t i;
    json_t *set;
    json_array_foreach(sets, i, set) check_set(d, set);
    for (i = 0; d->authd && i < d->authd->sets.n; i++) {
        struct span name = d->authd->sets.name[i];
        if (!has_set(sets, name))
            finding(d, LEVEL_FAULT, "sets.missing", "Make it with csctl address-set add.",
                    "peer groups name the address set " SPAN_FMT
                    ", which there is not: nobody comes in by it",
                    SPAN_ARG(name));
    }
}

/* Credentials that serve nobody. */
static void check_trunks(struct doctor *d, const json_t *trunks)
{
    const size_t n = json_array_size(trunks);
    if (!n || !d->authd || d->authd->listen.n_signers)
        return;
    finding_about(d, FILE_AUTHD, "listen");
    finding(d, LEVEL_FAULT, "authd.signers",
            "Write b2bua's user in listen.signers of authd.yaml, and restart authd.",
            "authd has credentials of %zu trunk%s, and listen.signers names nobody whom it signs "
            "for: their challenges are not answered",
            n, n == 1 ? "" : "s");
}

static void check_lists(struct doctor *d, struct client *c)
{
    json_t *realms = list_of(d, c, "/v1/realms", "realms"), *realm;
    size_t i;
    json_array_foreach(realms, i, realm) check_realm(d, realm);
    json_t *clients = realms ? list_of(d, c, "/v1/clients", "clients") : NULL;
    if (clients)
        check_md5(d, clients);
    json_t *sets = realms ? list_of(d, c, "/v1/address-sets?limit=1000", "sets") : NULL;
    if (sets)
        check_sets(d, sets);
    json_t *trunks = realms ? list_of(d, c, "/v1/trunks", "trunks") : NULL;
    check_trunks(d, trunks);
    json_decref(trunks);
    json_decref(sets);
    json_decref(realms);
    json_decref(clients);
}

/* ---- the registrar's own word ---- */

static void check_registrar(struct doctor *d)
{
    char url[ADDR_STRLEN + 8] = "http://";
    unsigned status = 0;
    json_t *answer = NULL;
    struct client *c = NULL;
    addr_format(&d->registrar->http.listen, url + strlen(url));
    if (client_new(url, NULL, &c))
        return;
    client_set_timeout(c, d->timeout);
    if (client_call(c, "GET", NULL, &status, &answer, "/readyz"))
        finding(d, LEVEL_FAULT, "registrar.ready", "Start it, or correct http.listen.",
                "the registrar does not answer at %s", url);
    else if (status == 200)
        finding(d, LEVEL_FINE, "registrar.ready", NULL, "the registrar is ready");
    else
        finding(d, LEVEL_FAULT, "registrar.ready", "Look at what is away, and at its log.",
                "the registrar answers 503 to every phone: authd is %s, Redis is %s",
                json_is_true(json_object_get(answer, "authd")) ? "there" : "away",
                json_is_true(json_object_get(answer, "redis")) ? "there" : "away");
    json_decref(answer);
    client_free(&c);
}

/* The REST that authd.yaml names, or else the one csctl was given. */
static void examine_rest(struct doctor *d)
{
    char url[ADDR_STRLEN + 8];
    struct client *c = NULL;
    if (!d->authd) {
        if (d->ctl->told_url)
            check_lists(d, d->ctl->client);
        return;
    }
    if (d->authd->http.listen.sa.sa_family == AF_UNSPEC) {
        finding(d, LEVEL_NOTE, "authd.rest", "Set http.listen if csctl shall manage users.",
                "authd has no REST");
        return;
    }
    strcpy(url, d->authd->http.tls ? "https://" : "http://");
    addr_format(&d->authd->http.listen, url + strlen(url));
    const char *token = d->authd->http.admin_token_file;
    if (!token && !d->authd->http.tokens_file)
        finding(d, LEVEL_WARNING, "authd.token",
                "Make one with authd --make-keys, and name it in http.admin_token_file.",
                "without admin_token_file or tokens_file nobody can manage users");
    if (token && access(token, R_OK)) {
        finding(d, LEVEL_NOTE, "authd.token", "Run this as root or as authd's user.",
                "the admin token %s cannot be read by this user: %s", token, strerror(errno));
        token = NULL;
    }
    if (client_new(url, token, &c))
        return; /* the file's mode was a finding already */
    client_set_timeout(c, d->timeout);
    client_set_tls(c, &d->ctl->tls);
    check_rest(d, c);
    if (token)
        check_lists(d, c);
    client_free(&c);
}

void doctor_authd(struct doctor *d)
{
    if (!d->authd && !d->registrar)
        return; /* neither file could be read */
    bool agreed = !d->authd || !d->registrar || doctor_agreement(d);
    if (agreed)
        check_socket(d, d->authd ? d->authd->listen.socket : d->registrar->authd.socket);
    if (d->registrar)
        check_registrar(d);
    examine_rest(d);
}
