#include "authd/config.h"

#include "authd/check/class.h"
#include "authd/check/client.h"
#include "authd/store/user.h"
#include "base/process.h"

static const char *const transport_names[] = { "udp", "tcp",  "tls",   "ws",
                                               "wss", "sccp", "sccps", NULL };
static const char *const proof_names[] = { "address",     "digest", "token",
                                           "certificate", "device", NULL };
static const char *const algorithm_names[] = { "MD5", "SHA-256", "SHA-512-256", NULL };
static const char *const qop_names[] = { "auth", "auth-int", "none", NULL };
static const char *const nc_names[] = { "shared", "local", "off", NULL };
static const char *const uri_names[] = { "lenient", "strict", NULL };
static const char *const mismatch_names[] = { "challenge", "reject", NULL };
static const char *const status_names[] = { "by-method", "401", "407", NULL };
static const char *const drift_names[] = { "by-proof", "alarm", "off", NULL };
static const char *const unlisted_names[] = { "challenge", "pass", NULL };
static const char *const class_names[] = { "none", "browser", "desk-phone", "trunk", NULL };
static const char *const type_names[] = { "user", "server", NULL };
static const char *const mode_names[] = { "we-challenge", "answer-for-endpoint", "pass-through",
                                          NULL };
static const char *const form_names[] = { "user", "user@domain", "+e164", NULL };
static const char *const profile_names[] = { "trial", "production", NULL };

#define G struct group_conf
#define D struct digest_conf
#define M struct group_match
#define A struct authd_conf

static const struct conf_key match_keys[] = {
    CONF_STRS("listener", M, listeners, "Names of the front's listeners it may come in by."),
    CONF_SET("transport", M, transports, transport_names, "Transports it may come in by."),
    CONF_CIDRS("source", M, sources, "Networks it may come from."),
    CONF_STRS("address_set", M, sets,
              "Names of address sets (csctl address-set) that it may come from as well.",
              .unique = true, .at_most = SET_NAMES_MAX, .min = 1, .max = 64),
    CONF_STRS("domain", M, domains, "Hosts its Request-URI may name."),
    { 0 },
};
static const struct conf_section match_section = { .size = sizeof(M), .keys = match_keys };

static const struct conf_key require_keys[] = {
    CONF_SET("all_of", struct group_require, all_of, proof_names,
             "Proofs that are all needed; digest alone when nothing is written."),
    CONF_SET("any_of", struct group_require, any_of, proof_names, "Proofs of which one is enough."),
    { 0 },
};

static void require_check(struct conf_check *c, void *section)
{
    struct group_require *r = section;
    if (r->all_of && r->any_of)
        conf_error(c, "any_of", "stands beside all_of; write one of them");
    if (!r->all_of && !r->any_of)
        r->all_of = PROOF_DIGEST;
}
static const struct conf_section require_section = {
    .size = sizeof(struct group_require),
    .keys = require_keys,
    .check = require_check,
};

static const struct conf_key digest_keys[] = {
    CONF_STR("realm", D, realm,
             "Realm of the challenges; one of realms. When nothing is written lines.realm, for "
             "servers cluster.id."),
    CONF_ENUMS("algorithms", D, algorithms, algorithm_names,
               "Algorithms, in the order they are offered.", .def = "SHA-512-256,SHA-256,MD5",
               .at_least = 1, .at_most = ALG_COUNT),
    CONF_BOOL("sess", D, sess, "Offer and take the -sess forms as well.", .def = "false"),
    CONF_SET("qop", D, qop, qop_names,
             "Qualities of protection; none takes answers without qop too (RFC 2069).",
             .def = "auth,auth-int"),
    CONF_DURATION("nonce_lifetime", D, nonce_lifetime, "How long a nonce is fresh.", .def = "5m",
                  .min = 30 * CONF_SECOND, .max = 10 * CONF_MINUTE),
    CONF_ENUM("nc", D, nc, nc_names,
              "Where nonce counts that were used are remembered: shared through Redis, local to "
              "this authd, or off.",
              .def = "shared"),
    CONF_ENUM("uri", D, uri, uri_names,
              "How the uri of the credentials is compared with the Request-URI: strict by RFC "
              "3261, 19.1.4; lenient lets proxies change port, parameters, and a host to its "
              "address.",
              .def = "lenient"),
    CONF_ENUM("mismatch", D, mismatch, mismatch_names,
              "What malformed or mismatched credentials get: a fresh challenge, or 403.",
              .def = "challenge"),
    CONF_ENUM("status", D, status, status_names,
              "Status of a challenge; by-method is 401 for REGISTER and 407 for all others, for "
              "servers 401 for all.",
              .def = "by-method"),
    CONF_UINT("attempts", D, attempts,
              "The failed attempt that gets 403 instead of a challenge; 0 for never.", .def = "3",
              .max = 1000),
    CONF_DURATION("attempt_window", D, attempt_window, "How long a failed attempt is remembered.",
                  .def = "60s", .min = CONF_SECOND, .max = CONF_DAY),
    CONF_STRS("single_challenge", D, single_challenge,
              "User-Agents (globs) that get one challenge only, with the weakest algorithm.",
              .def = CLIENTS_STUMBLING),
    CONF_BOOL("single_without_user_agent", D, single_without_user_agent,
              "Requests without a User-Agent get one challenge only.", .def = "false"),
    { 0 },
};

static void digest_check(struct conf_check *c, void *section)
{
    D *d = section;
    for (size_t i = 0; i < d->n_algorithms; i++) {
        if (d->algorithm_mask & ALG_BIT(d->algorithms[i]))
            conf_error(c, "algorithms", "an algorithm is named twice");
        d->algorithm_mask |= ALG_BIT(d->algorithms[i]);
    }
    if (!d->qop)
        conf_error(c, "qop", "must name at least one of auth, auth-int and none");
}
static const struct conf_section digest_section = {
    .size = sizeof(D),
    .keys = digest_keys,
    .check = digest_check,
};

#define T struct token_conf
static const struct conf_key token_keys[] = {
    CONF_STRS("issuers", T, names,
              "Names of token_issuers whose tokens are taken; all of them when nothing is written.",
              .unique = true),
    CONF_STR("realm", T, realm,
             "Realm of the challenge, and of the users; that of digest when nothing is written.",
             .min = 1),
    CONF_STR("authz_server", T, authz_server,
             "Where the challenge sends clients for tokens; the first issuer when nothing is "
             "written.",
             .max = 2048),
    { 0 },
};
const struct conf_section token_section = { .size = sizeof(T), .keys = token_keys };

#define E __typeof__(((G *)0)->expires)
static const struct conf_key expires_keys[] = {
    CONF_DURATION("min", E, min, "Shorter registrations are refused with 423.", .def = "60s",
                  .min = CONF_SECOND, .max = CONF_HOUR),
    CONF_DURATION("max", E, max, "Longer registrations are cut to this.", .def = "1h",
                  .min = CONF_SECOND, .max = 30 * CONF_DAY),
    CONF_DURATION("default", E, standard,
                  "For registrations that do not say; when not written the shorter of 1h and max.",
                  .max = 30 * CONF_DAY),
    { 0 },
};

static void expires_check(struct conf_check *c, void *section)
{
    E *e = section;
    if (e->min.ms > e->max.ms) {
        conf_error(c, "min", "is longer than max");
        return;
    }
    if (e->standard.ms == 0)
        e->standard.ms = CS_MAX(e->min.ms, CS_MIN(e->max.ms, (int64_t)CONF_HOUR));
    if (e->standard.ms < e->min.ms || e->standard.ms > e->max.ms)
        conf_error(c, "default", "is not between min and max");
}
static const struct conf_section expires_section = {
    .size = sizeof(E),
    .keys = expires_keys,
    .check = expires_check,
};

static const struct conf_key group_keys[] = {
    CONF_STR("name", G, name, "Name in logs and in csctl.", .required = true, .min = 1, .max = 64),
    CONF_ENUM("class", G, class, class_names,
              "Sets what is not written here: browser is WSS, a token and encrypted media; "
              "desk-phone is TLS, digest and encrypted media; trunk is a server by TLS, with a "
              "certificate and from a known address. What is weaker is refused.",
              .def = "none"),
    CONF_ENUM("type", G, type, type_names,
              "A user is From its own addresses; a server speaks for many, and is known by its "
              "credentials.",
              .def = "user"),
    CONF_ENUM("mode", G, mode, mode_names,
              "Who is asked: requests are challenged here; the same, and challenges of the other "
              "side are answered for the endpoint; or credentials and challenges cross untouched "
              "(REGISTER is challenged here always).",
              .def = "we-challenge"),
    CONF_SECTION("match", G, match, &match_section,
                 "Which requests belong to it; the first group that matches decides."),
    CONF_SECTION("require", G, require, &require_section, "What a request must prove."),
    CONF_OPTION("address", G, address, &place_section,
                "Addresses that are proof; those of match when not written."),
    CONF_STR("address_only_waiver", G, address_only_waiver,
             "Why an address that is not private is proof enough by itself; without it that is "
             "refused.",
             .min = 10, .max = 300),
    CONF_OPTION("countries", G, countries, &countries_section,
                "Countries it may come from; needs geo.database."),
    CONF_SECTION(
        "defence", G, defence, &group_defence_section,
        "Thresholds, windows and bans of this group; what is not written is as in defence."),
    CONF_ENUM("drift", G, drift, drift_names,
              "Whether a known identity in a network where it was not seen before is an alarm; "
              "by-proof: where require names address.",
              .def = "by-proof"),
    CONF_SECTION("digest", G, digest, &digest_section, "Digest authentication."),
    CONF_STR("backend", G, backend_name,
             "Who knows its users: local, that is Redis, or the name of one of backends.",
             .def = "local", .min = 1, .max = 64),
    CONF_SECTION("token", G, token, &token_section, "Bearer tokens (RFC 8898)."),
    CONF_SECTION("certificate", G, certificate, &certificate_section,
                 "Client certificates (RFC 5922)."),
    CONF_STRS("methods", G, methods,
              "Methods that are challenged, also as register/setup-invite (an INVITE outside "
              "dialogs); every method when nothing is written."),
    CONF_ENUM("unlisted", G, unlisted, unlisted_names,
              "What happens to other methods; REGISTER is challenged always.", .def = "challenge"),
    CONF_SECTION("expires", G, expires, &expires_section, "Bounds of a registration."),
    CONF_SET("auth_id_forms", G, auth_id_forms, form_names,
             "How phones may write the authentication name of a user 1001: 1001, 1001@example.com "
             "for its addresses there, +1001. A form that is added serves a user from his next "
             "password on.",
             .def = "user"),
    CONF_BOOL("direct_calls", G, direct,
              "Its calls to other users go straight to them, where the registrar has a b2bua to "
              "carry calls."),
    CONF_BOOL("srtp", G, srtp, "Media of its calls must be encrypted.", .def = "false"),
    CONF_UINT("max_contacts", G, max_contacts,
              "Contacts one address of record may have, if the user's record does not say.",
              .def = "10", .min = 1, .max = 1000),
    CONF_BOOL("path", G, path, "Path of a REGISTER is taken: the group is an edge proxy's.",
              .def = "false"),
    CONF_BOOL("tickets", G, tickets,
              "A one-time ticket that a WebSocket showed at its handshake serves as well; with "
              "transport sccps the one-time token of a desk phone that fetches its file.",
              .def = "false"),
    CONF_BOOL("contact_routing", G, contact_routing,
              "Requests may go to the Contact instead of where the REGISTER came from.",
              .def = "false"),
    CONF_BOOL("trusted", G, trusted, "P-Asserted-Identity of its requests is kept.",
              .def = "false"),
    { 0 },
};

static struct method_rule rule_of(struct span word, struct arena *a)
{
    struct method_rule r = { SPAN("INVITE"), span_caseeq(word, SPAN("setup-invite")) };
    if (r.initial_only)
        return r;
    char *upper = arena_str(a, word);
    for (size_t i = 0; upper && i < word.n; i++)
        upper[i] = ascii_alpha(upper[i]) ? (char)(upper[i] & ~0x20) : upper[i];
    r.name = span_of(upper, upper ? word.n : 0);
    return r;
}

static void derive_rules(struct conf_check *c, G *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n_methods; i++) {
        for (size_t k = 0; k < g->methods[i].n; k++)
            n += g->methods[i].p[k] == '/';
        n++;
    }
    g->rules = arena_zalloc(conf_arena(c), n * sizeof(*g->rules));
    for (size_t i = 0; g->rules && i < g->n_methods; i++) {
        struct span rest = g->methods[i];
        while (rest.p) {
            struct span word = span_trim(span_cut(&rest, '/'));
            if (word.n == 0)
                conf_error(c, "methods", "has an empty name");
            else
                g->rules[g->n_rules++] = rule_of(word, conf_arena(c));
        }
    }
}

static void check_address(struct conf_check *c, const G *g)
{
    const bool wanted = (g->require.all_of | g->require.any_of) & PROOF_ADDRESS;
    const struct place_conf *proof = g->address ? g->address : &g->match.place;
    if (wanted && place_is_empty(proof))
        conf_error(c, "match.source", "is missing, but require trusts the address");
    else if (!wanted && g->address)
        conf_error(c, "address", "says what address is proof, but require asks for none");
    else if (group_rests_on_address(g) && !place_is_private(proof) && !g->address_only_waiver.p)
        conf_error(c, "require",
                   "takes a public address for proof, which over UDP anybody can write: add digest "
                   "or certificate to all_of, or say in address_only_waiver why it is enough (an "
                   "IPsec tunnel, a filter before this host)");
    else if (!group_rests_on_address(g) && g->address_only_waiver.p)
        conf_error(c, "address_only_waiver", "waives nothing: more than the address is asked for");
}

/* Desk phones and SIP show different things: a group is for one of them. */
static void check_desk_phones(struct conf_check *c, const G *g)
{
    const unsigned sccp = SCCP_TRANSPORTS, proofs = g->require.all_of | g->require.any_of;
    if ((g->match.transports & sccp) && (g->match.transports & ~sccp))
        conf_error(c, "match.transport", "names SIP and SCCP; write a group for each");
    else if ((g->match.transports & sccp) && (proofs & (PROOF_DIGEST | PROOF_TOKEN)))
        conf_error(c, "require",
                   "asks for what no desk phone shows; write device, certificate or address");
    if ((proofs & PROOF_DEVICE) && !(g->match.transports & sccp))
        conf_error(c, "require", "device is for desk phones; write match: { transport: [sccp] }");
}

static void group_check(struct conf_check *c, void *section)
{
    G *g = section;
    class_apply(c, g);
    unsigned proofs = g->require.all_of | g->require.any_of;
    check_address(c, g);
    if (g->mode == MODE_PASS_THROUGH && !(proofs & PROOF_ADDRESS) &&
        place_is_empty(&g->match.place))
        conf_error(c, "mode",
                   "pass-through lets calls in that nobody challenged; say in match.source from "
                   "where");
    if (!g->auth_id_forms)
        conf_error(c, "auth_id_forms", "must name at least one of user, user@domain and +e164");
    if (g->type == TYPE_SERVER && g->digest.status == STATUS_BY_METHOD)
        g->digest.status = STATUS_401;
    if ((g->require.all_of & PROOF_TOKEN) && (g->require.all_of & PROOF_DIGEST))
        conf_error(
            c, "require.all_of",
            "asks for a token and for digest, but a request shows one of them; write any_of");
    check_desk_phones(c, g);
    derive_rules(c, g);
}
static const struct conf_section group_section = {
    .size = sizeof(G),
    .keys = group_keys,
    .check = group_check,
};

#define L __typeof__(((A *)0)->listen)
static const struct conf_key listen_keys[] = {
    CONF_PATH("socket", L, socket, "Unix socket that the fronts connect to.", .required = true),
    CONF_STR("mode", L, mode, "Permissions of the socket, in octal.", .def = "0660", .min = 3,
             .max = 4),
    CONF_STRS("users", L, users,
              "Users, by name or number, whose processes may ask; root and others may not unless "
              "named.",
              .required = true, .at_least = 1),
    CONF_STRS(
        "signers", L, signers,
        "Those of users whose processes may be b2bua: have the challenges of trunks answered, "
        "calls admitted and desk phones let in. Nobody when nothing is written."),
    { 0 },
};

static bool may_connect(const L *l, uid_t uid)
{
    for (size_t i = 0; i < l->n_uids; i++) {
        if (l->uids[i] == uid)
            return true;
    }
    return false;
}

static void find_users(struct conf_check *c, const char *key, const struct span *names, size_t n,
                       uid_t **uids, size_t *n_uids)
{
    *uids = arena_alloc(conf_arena(c), n * sizeof(**uids));
    for (size_t i = 0; *uids && i < n; i++) {
        gid_t gid;
        if (process_user(names[i], &(*uids)[(*n_uids)++], &gid))
            conf_error(c, key, "this system has no user " SPAN_FMT, SPAN_ARG(names[i]));
    }
}

static void listen_check(struct conf_check *c, void *section)
{
    L *l = section;
    for (size_t i = 0; i < l->mode.n; i++) {
        if (l->mode.p[i] < '0' || l->mode.p[i] > '7') {
            conf_error(c, "mode", "\"" SPAN_FMT "\" is not octal; write 0660", SPAN_ARG(l->mode));
            break;
        }
        l->bits = l->bits << 3 | (unsigned)(l->mode.p[i] - '0');
    }
    find_users(c, "users", l->users, l->n_users, &l->uids, &l->n_uids);
    find_users(c, "signers", l->signers, l->n_signers, &l->signer_uids, &l->n_signer_uids);
    for (size_t i = 0; i < l->n_signer_uids; i++) {
        if (!may_connect(l, l->signer_uids[i]))
            conf_error(c, "signers", SPAN_FMT " is none of users, so it cannot connect",
                       SPAN_ARG(l->signers[i]));
    }
}
static const struct conf_section listen_section = {
    .size = sizeof(L),
    .keys = listen_keys,
    .check = listen_check,
};

#define U __typeof__(((A *)0)->audit)
static const struct conf_key audit_keys[] = {
    CONF_PATH("file", U, file,
              "One JSON line for each decision; stderr when not written. SIGHUP "
              "opens it anew."),
    CONF_DURATION("keep", U, keep,
                  "At midnight UTC the file becomes FILE.2026-11-20, and files of days that ended "
                  "longer ago are removed; 0s: somebody else does that.",
                  .def = "30d", .max = 3650 * CONF_DAY),
    { 0 },
};
static const struct conf_section audit_section = { .size = sizeof(U), .keys = audit_keys };

#define B __typeof__(((A *)0)->limits)
static const struct conf_key limit_keys[] = {
    CONF_UINT("checks", B, checks, "Questions being judged at a time.", .def = "20000", .min = 1,
              .max = 1000000),
    CONF_UINT("signatures", B, signatures,
              "Challenges of one trunk that are answered in a second; more are refused.",
              .def = "100", .min = 1, .max = 100000),
    CONF_UINT("penalties", B, penalties, "Failed attempts remembered.", .def = "65536", .min = 16,
              .max = 10000000),
    CONF_UINT("local_nonces", B, local_nonces, "Nonces remembered for groups with nc: local.",
              .def = "100000", .min = 16, .max = 10000000),
    CONF_UINT("cached_users", B, cached_users,
              "Users whose records are kept in memory while Redis tells of changes; 0 for none.",
              .def = "10000", .max = 10000000),
    CONF_UINT("cached_tokens", B, cached_tokens,
              "Tokens whose signature is not verified again while its key stands; 0 for none.",
              .def = "10000", .max = 10000000),
    CONF_UINT("revocations", B, revocations, "Revocations that may stand at a time.",
              .def = "100000", .min = 16, .max = 10000000),
    CONF_UINT("devices", B, devices,
              "Devices there may be: all of them are kept in memory. Where Redis holds more, "
              "nothing is judged.",
              .def = "100000", .max = 10000000),
    CONF_UINT("trunks", B, trunks, "The same of trunks.", .def = "10000", .max = 1000000),
    CONF_UINT("certificates", B, certificates,
              "Client certificates whose use is remembered; those that expire last make room.",
              .def = "10000", .min = 16, .max = 1000000),
    CONF_UINT("explained", B, explained, "Refusals kept for csctl explain.", .def = "4096",
              .min = 16, .max = 1000000),
    { 0 },
};
static const struct conf_section limit_section = { .size = sizeof(B), .keys = limit_keys };

static const struct conf_key lines_keys[] = {
    CONF_STR("realm", __typeof__(((A *)0)->lines), realm,
             "Realm of the lines of phones, one of realms: that of each group of users that names "
             "none.",
             .min = 1),
    { 0 },
};
static const struct conf_section lines_section = { .size = sizeof(((A *)0)->lines),
                                                   .keys = lines_keys };

static const struct conf_key cluster_keys[] = {
    CONF_STR("id", __typeof__(((A *)0)->cluster), id,
             "What this installation is called by trunks, one of realms: the realm of each group "
             "of servers that names none.",
             .min = 1),
    { 0 },
};
static const struct conf_section cluster_section = { .size = sizeof(((A *)0)->cluster),
                                                     .keys = cluster_keys };

static const struct conf_key root_keys[] = {
    CONF_SECTION("listen", A, listen, &listen_section, "Where the fronts ask."),
    CONF_STR("user", A, user,
             "User, or user:group, by name or number, to become once everything is open."),
    CONF_SECTION("redis", A, redis, &redis_settings_section, "Where users are kept."),
    CONF_DURATION("redis_grace", A, redis_grace,
                  "For so long after Redis was lost, a call over a connection that its caller has "
                  "registered by passes on what is remembered of him; 0 for never.",
                  .def = "0s", .max = CONF_HOUR),
    CONF_PATH("nonce_key_file", A, nonce_key_file,
              "Keys that nonces are signed with, the same for every authd of the installation; "
              "lines of id:key, the first one signs.",
              .required = true),
    CONF_PATH(
        "seal_key_file", A, seal_key_file,
        "Keys that verifiers and trunks' passwords are sealed with, in the same form; when not "
        "written, the environment variable COUNTERSIGN_SEAL_KEY holds them."),
    CONF_PATH(
        "trunk_key_file", A, trunk_key_file,
        "Keys that trunks' passwords are sealed with, in the same form but with ids that are not "
        "in seal_key_file, where only the authd beside a b2bua is to have them."),
    CONF_SECTION("http", A, http, &http_section, "REST, metrics and health."),
    CONF_SECTION("audit", A, audit, &audit_section, "The record of decisions."),
    CONF_SECTION("log", A, log, &conf_log_section, "Logs on stderr."),
    CONF_SECTION("limits", A, limits, &limit_section, "Bounds of memory."),
    CONF_SECTION("defence", A, defence, &defence_section,
                 "What is done against guessing and floods, in the whole installation."),
    CONF_ENUM("profile", A, profile, profile_names,
              "In production what is only warned of in a trial, a realm called default, asterisk "
              "or an address, is refused.",
              .def = "trial"),
    CONF_SECTION("lines", A, lines, &lines_section, "Phones, in all groups."),
    CONF_SECTION("cluster", A, cluster, &cluster_section, "Trunks, in all groups."),
    CONF_SECTION("geo", A, geo, &geo_section, "Countries of addresses."),
    CONF_SECTION("drift", A, drift, &drift_section,
                 "Alarms when a known identity comes from a network where it was not seen before."),
    CONF_SECTIONS("realms", A, realms, &realm_conf_section, "Realms users live in.",
                  .required = true, .at_least = 1, .unique = true),
    CONF_SECTION("tickets", A, tickets, &tickets_section, "One-time tickets for WebSockets."),
    CONF_SECTIONS("certificate_authorities", A, authorities, &authority_section,
                  "Whose client certificates are taken, and what they revoked; when nothing is "
                  "written, whatever the fronts' listeners take.",
                  .unique = true),
    CONF_SECTIONS("token_issuers", A, token_issuers, &issuer_section,
                  "Who issues the tokens that are taken.", .unique = true),
    CONF_OPTION("turn", A, turn, &turn_section,
                "Credentials for a TURN server, given to who shows a token (POST /v1/turn)."),
    CONF_OPTION("exchange", A, exchange, &exchange_section,
                "Names and passwords, given to who shows a token, for phones that know only digest "
                "(POST /v1/exchange)."),
    CONF_SECTIONS("backends", A, backends, &backend_section,
                  "External services that judge digest credentials of peer groups, or calls.",
                  .unique = true),
    CONF_SECTIONS("peer_groups", A, peer_groups, &group_section,
                  "Who may come, what they must prove and what they may do.", .required = true,
                  .at_least = 1, .unique = true),
    CONF_SECTION("calls", A, calls, &calls_section, "Which calls may be made, by b2bua."),
    CONF_BOOL(
        "insecure_provisioning", A, insecure_provisioning,
        "Files of phones of SIP, which say a password, are given over HTTP, too; whoever listens "
        "there, or may fetch, has it.",
        .def = "false"),
    { 0 },
};

static const struct issuer_conf *find_issuer(const A *conf, struct span name)
{
    for (size_t i = 0; i < conf->n_token_issuers; i++) {
        if (span_eq(conf->token_issuers[i].name, name))
            return &conf->token_issuers[i];
    }
    return NULL;
}

/* In a challenge it stands in quotes. */
static void derive_authz_server(struct conf_check *c, const char *key, T *t)
{
    if (!t->authz_server.p && t->issuers && t->n_issuers)
        t->authz_server = t->issuers[0]->issuer;
    const char *fault = t->authz_server.p ? issuer_url_fault(t->authz_server) : NULL;
    if (fault)
        conf_error(c, key, "\"" SPAN_FMT "\" %s", SPAN_ARG(t->authz_server), fault);
}

/* where: the key under which t stands. */
static void derive_issuers(struct conf_check *c, const A *conf, T *t, const char *where)
{
    const size_t n = t->n_names ? t->n_names : conf->n_token_issuers;
    char key[96];
    t->issuers = arena_alloc(conf_arena(c), n * sizeof(struct issuer_conf *));
    for (size_t k = 0; t->issuers && k < n; k++) {
        const struct issuer_conf *issuer =
            t->n_names ? find_issuer(conf, t->names[k]) : &conf->token_issuers[k];
        snprintf(key, sizeof(key), "%s.issuers[%zu]", where, k);
        if (issuer && issuer->operators) { /* who may manage phones is not one by that */
            if (t->n_names)
                conf_error(c, key, "\"" SPAN_FMT "\" has operators: its tokens are for REST",
                           SPAN_ARG(t->names[k]));
            continue;
        }
        for (size_t before = 0; issuer && before < t->n_issuers; before++) {
            if (span_eq(t->issuers[before]->issuer, issuer->issuer))
                conf_error(c, key, "says the same iss as " SPAN_FMT "; take one of them",
                           SPAN_ARG(t->issuers[before]->name));
        }
        if (issuer)
            t->issuers[t->n_issuers++] = issuer;
        else
            conf_error(c, key, "\"" SPAN_FMT "\" is not one of token_issuers",
                       SPAN_ARG(t->names[k]));
    }
    snprintf(key, sizeof(key), "%s.issuers", where);
    if (n == 0 || (!t->n_names && !t->n_issuers))
        conf_error(c, key, "takes tokens, but there are no token_issuers");
    snprintf(key, sizeof(key), "%s.authz_server", where);
    derive_authz_server(c, key, t);
}

/* What else tokens are taken for. */
static void derive_session(struct conf_check *c, const A *conf, T *t, const char *where)
{
    char key[64];
    derive_issuers(c, conf, t, where);
    snprintf(key, sizeof(key), "%s.realm", where);
    const ptrdiff_t realm = config_realm(conf, t->realm);
    if (!t->realm.p)
        conf_error(c, key, "is missing; name one of realms");
    else if (realm < 0)
        conf_error(c, key, "\"" SPAN_FMT "\" is not one of realms", SPAN_ARG(t->realm));
    else
        t->former = conf->realms[realm].formerly;
}

static void derive_group_issuers(struct conf_check *c, const A *conf, size_t i)
{
    char where[64];
    snprintf(where, sizeof(where), "peer_groups[%zu].token", i);
    derive_issuers(c, conf, &conf->peer_groups[i].token, where);
}

static void check_authorities(struct conf_check *c, const A *conf, size_t i)
{
    const G *g = &conf->peer_groups[i];
    char key[96];
    for (size_t k = 0; k < g->certificate.n_authorities; k++) {
        size_t at = 0;
        while (at < conf->n_authorities &&
               !span_eq(conf->authorities[at].name, g->certificate.authorities[k]))
            at++;
        snprintf(key, sizeof(key), "peer_groups[%zu].certificate.authorities[%zu]", i, k);
        if (at == conf->n_authorities)
            conf_error(c, key, "\"" SPAN_FMT "\" is not one of certificate_authorities",
                       SPAN_ARG(g->certificate.authorities[k]));
    }
}

/* Those of users: what a desk phone shows for a file is of none. */
static bool takes_tickets(const G *g)
{
    return g->tickets && !(g->match.transports & SCCP_TRANSPORTS);
}

/* What a group did not write of realms is the installation's. */
static void derive_realms(struct conf_check *c, const A *conf, size_t i)
{
    G *g = &conf->peer_groups[i];
    const unsigned proofs = g->require.all_of | g->require.any_of;
    const bool server = g->type == TYPE_SERVER;
    char key[64];
    if ((proofs & PROOF_DIGEST) && !g->digest.realm.p)
        g->digest.realm = server ? conf->cluster.id : conf->lines.realm;
    if (((proofs & PROOF_TOKEN) || takes_tickets(g)) && !g->token.realm.p)
        g->token.realm = g->digest.realm.p ? g->digest.realm : conf->lines.realm;
    snprintf(key, sizeof(key), "peer_groups[%zu].digest.realm", i);
    if ((proofs & PROOF_DIGEST) && !g->digest.realm.p)
        conf_error(c, key, "is missing; name one of realms, or write %s",
                   server ? "cluster.id" : "lines.realm");
    snprintf(key, sizeof(key), "peer_groups[%zu].token.realm", i);
    if (((proofs & PROOF_TOKEN) || takes_tickets(g)) && !g->token.realm.p)
        conf_error(c, key, "is missing; name one of realms");
    if (!g->certificate.realm.p)
        g->certificate.realm = g->digest.realm.p ? g->digest.realm : g->token.realm;
    /* A ticket, and a password that a token was given for, are of users as well. */
    const ptrdiff_t users = config_realm(conf, g->token.realm.p ? g->token.realm : g->digest.realm);
    if (users >= 0)
        g->token.former = conf->realms[users].formerly;
    const ptrdiff_t realm = (proofs & PROOF_DIGEST) ? config_realm(conf, g->digest.realm) : -1;
    if (realm >= 0) {
        conf->realms[realm].forms |= g->auth_id_forms;
        g->digest.former = conf->realms[realm].formerly;
    }
}

static void check_formers(struct conf_check *c, const A *conf)
{
    for (size_t i = 0; i < conf->n_realms; i++) {
        const struct former_conf *f = conf->realms[i].formerly;
        bool taken = f && config_realm(conf, f->name) >= 0;
        for (size_t k = 0; f && k < i; k++)
            taken = taken ||
                    (conf->realms[k].formerly && span_eq(conf->realms[k].formerly->name, f->name));
        char key[48];
        snprintf(key, sizeof(key), "realms[%zu].formerly.name", i);
        if (taken)
            conf_error(c, key, "\"" SPAN_FMT "\" is, or was, another realm", SPAN_ARG(f->name));
    }
}

/* Phones and trunks are different communities: a verifier of one must not fit the other. */
static void check_installation(struct conf_check *c, const A *conf)
{
    if (conf->lines.realm.p && config_realm(conf, conf->lines.realm) < 0)
        conf_error(c, "lines.realm", "\"" SPAN_FMT "\" is not one of realms",
                   SPAN_ARG(conf->lines.realm));
    if (conf->cluster.id.p && config_realm(conf, conf->cluster.id) < 0)
        conf_error(c, "cluster.id", "\"" SPAN_FMT "\" is not one of realms",
                   SPAN_ARG(conf->cluster.id));
    if (conf->cluster.id.p && span_eq(conf->cluster.id, conf->lines.realm))
        conf_error(c, "cluster.id", "equals lines.realm; phones and trunks need different realms");
    for (size_t i = 0; i < conf->n_realms; i++) {
        const char *fault = config_realm_fault(conf->realms[i].name);
        char key[40];
        snprintf(key, sizeof(key), "realms[%zu].name", i);
        if (fault && conf->profile == PROFILE_PRODUCTION)
            conf_error(c, key,
                       "%s, which profile: production refuses; name the organisation, for example "
                       "its domain",
                       fault);
    }
}

static void derive_backend(struct conf_check *c, const A *conf, size_t i)
{
    G *g = &conf->peer_groups[i];
    char key[64];
    snprintf(key, sizeof(key), "peer_groups[%zu].backend", i);
    for (size_t k = 0; k < conf->n_backends; k++) {
        if (span_eq(conf->backends[k].name, g->backend_name))
            g->backend = &conf->backends[k];
    }
    if (!g->backend && !span_eq(g->backend_name, SPAN("local")))
        conf_error(c, key, "\"" SPAN_FMT "\" is neither local nor one of backends",
                   SPAN_ARG(g->backend_name));
    if (g->backend && !((g->require.all_of | g->require.any_of) & PROOF_DIGEST))
        conf_error(c, key, "judges digest, which require does not ask for");
}

static void check_realm(struct conf_check *c, const A *conf, size_t i, const char *method,
                        struct span realm)
{
    char key[64];
    snprintf(key, sizeof(key), "peer_groups[%zu].%s.realm", i, method);
    if (realm.p && config_realm(conf, realm) < 0)
        conf_error(c, key, "\"" SPAN_FMT "\" is not one of realms", SPAN_ARG(realm));
}

static void derive_place(struct conf_check *c, A *conf, size_t i)
{
    char key[64];
    G *g = &conf->peer_groups[i];
    snprintf(key, sizeof(key), "peer_groups[%zu].match.address_set", i);
    if (place_number(&g->match.place, &conf->sets) ||
        (g->address && place_number(g->address, &conf->sets)))
        conf_error(c, key, "is one too many: peer groups may name %d different sets",
                   SET_NAMES_MAX);
    snprintf(key, sizeof(key), "peer_groups[%zu].countries", i);
    if (g->countries && !conf->geo.database)
        conf_error(c, key, "cannot be known without geo.database");
}

static void root_check(struct conf_check *c, void *section)
{
    A *conf = section;
    uid_t uid;
    gid_t gid;
    if (conf->user.p && process_user(conf->user, &uid, &gid))
        conf_error(c, "user",
                   "this system has no user " SPAN_FMT "; create it, or name one that is there",
                   SPAN_ARG(conf->user));
    for (size_t i = 0; i < conf->n_peer_groups; i++) {
        const G *g = &conf->peer_groups[i];
        derive_realms(c, conf, i);
        derive_backend(c, conf, i);
        derive_place(c, conf, i);
        check_realm(c, conf, i, "digest", g->digest.realm);
        if (!span_eq(g->token.realm, g->digest.realm))
            check_realm(c, conf, i, "token", g->token.realm);
        if (!span_eq(g->certificate.realm, g->digest.realm) &&
            !span_eq(g->certificate.realm, g->token.realm))
            check_realm(c, conf, i, "certificate", g->certificate.realm);
        if ((g->require.all_of | g->require.any_of) & PROOF_CERTIFICATE)
            check_authorities(c, conf, i);
        if ((g->require.all_of | g->require.any_of) & PROOF_TOKEN)
            derive_group_issuers(c, conf, i);
    }
    if (conf->turn)
        derive_session(c, conf, &conf->turn->token, "turn.token");
    if (conf->exchange)
        derive_session(c, conf, &conf->exchange->token, "exchange.token");
    config_find_operators(c, conf);
    check_installation(c, conf);
    check_formers(c, conf);
    if (conf->redis_grace.ms && !conf->limits.cached_users)
        conf_error(c, "redis_grace", "needs limits.cached_users, for nothing is remembered");
    calls_find_webhooks(c, &conf->calls, conf->backends, conf->n_backends);
    config_spare_gateways(conf, conf_arena(c));
}
const struct conf_section authd_conf_section = {
    .size = sizeof(A),
    .keys = root_keys,
    .check = root_check,
};
