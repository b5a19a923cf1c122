#include "link/link.h"

#include <stdio.h>

#include "base/process.h"
#include "sip/chars.h"

static const struct log link_log = { .module = "link" };

/* ---- configuration ---- */

#define LINK struct link_settings
static const struct conf_key link_keys[] = {
    CONF_PATH("directory", LINK, directory,
              "Folder of the Unix sockets by which those on this machine pass requests to each "
              "other; the same for all of them, and theirs alone."),
    CONF_STRS("users", LINK, users,
              "Users of the others, by name or number, where they are not our own.", .max = 64,
              .at_most = SIPTP_LINK_UIDS - 1),
    CONF_ADDR("listen", LINK, listen,
              "Where those on other machines are heard, over TLS; workers take the ports from here "
              "upwards.",
              .port = 5062),
    CONF_ADDR("advertise", LINK, advertise,
              "Where they find us; must be written when listen is a wildcard.", .port = 5062),
    CONF_PATH("certificate_file", LINK, tls.certificate_file,
              "Certificate that says the name in node, as a DNS name; for both directions."),
    CONF_PATH("key_file", LINK, tls.key_file, "Its private key."),
    CONF_PATH(
        "ca_file", LINK, tls.ca_file,
        "The authority of registrars and b2buas alone: who has a certificate from it is believed."),
    { 0 },
};

static void link_check(struct conf_check *c, void *section)
{
    const LINK *l = section;
    uid_t uid;
    gid_t gid;
    for (size_t i = 0; i < l->n_users; i++) {
        char key[32];
        snprintf(key, sizeof(key), "users[%zu]", i);
        if (process_user(l->users[i], &uid, &gid))
            conf_error(c, key, "this system has no user " SPAN_FMT, SPAN_ARG(l->users[i]));
    }
    bool listens = l->listen.sa.sa_family != AF_UNSPEC;
    if (listens && (!l->tls.certificate_file || !l->tls.key_file || !l->tls.ca_file))
        conf_error(c, "listen",
                   "other machines are heard over TLS only; add certificate_file, key_file and "
                   "ca_file");
    if (listens && addr_is_any(&l->listen) && l->advertise.sa.sa_family == AF_UNSPEC)
        conf_error(c, "listen",
                   "nobody can connect to a wildcard address; add advertise: 192.0.2.1:5062");
}

const struct conf_section link_settings_section = { sizeof(LINK), link_keys, link_check };

#define PEER struct link_peer
static const struct conf_key peer_keys[] = {
    CONF_STR("node", PEER, node, "Its name, as in its own configuration.", .required = true,
             .min = 1, .max = 64),
    CONF_PATH("socket", PEER, socket, "Its link; default: under its name in link.directory."),
    CONF_ADDR("address", PEER, address,
              "Its link, where it is on another machine: link.listen there.", .port = 5062),
    CONF_STR("certificate", PEER, certificate,
             "Name that its certificate says, where that is not node: of a worker the node without "
             "its number.",
             .min = 1, .max = 64),
    { 0 },
};

static void peer_check(struct conf_check *c, void *section)
{
    PEER *p = section;
    if (!chars_is_host(p->node))
        conf_error(c, "node", "\"" SPAN_FMT "\" is no host name; write its node",
                   SPAN_ARG(p->node));
    if (p->socket && p->address.sa.sa_family != AF_UNSPEC)
        conf_error(c, "address", "it is reached by its socket, or at an address; write one");
    p->id = siptp_node_id(p->node);
}

const struct conf_section link_peer_section = { sizeof(PEER), peer_keys, peer_check };

void link_check_peers(struct conf_check *c, const char *key, const struct link_settings *l,
                      const struct link_peer *peers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const PEER *p = &peers[i];
        bool remote = p->address.sa.sa_family != AF_UNSPEC;
        if (remote && !link_certs(l))
            conf_error(c, key,
                       "other machines are reached over TLS only; add link: { listen: "
                       "192.0.2.1:5062, ... }");
        if (!remote && !l->directory)
            conf_error(c, key,
                       p->socket ? "a socket answers who has one; add link: { directory: "
                                   "/run/countersign/link }"
                                 : "is reached over a Unix socket; add link: { directory: "
                                   "/run/countersign/link }, or its address on another machine");
    }
}

/* ---- where things are ---- */

static int socket_path(const struct link_settings *l, struct span node, char path[LINK_PATH_MAX])
{
    int n = snprintf(path, LINK_PATH_MAX, "%s/" SPAN_FMT ".sock", l->directory, SPAN_ARG(node));
    return n >= LINK_PATH_MAX ? UV_ENAMETOOLONG : 0;
}

int link_target(const struct link_settings *l, const struct link_peer *p, char path[LINK_PATH_MAX],
                struct siptp_link_target *out)
{
    *out = (struct siptp_link_target){ .path = p->socket };
    if (p->address.sa.sa_family != AF_UNSPEC) {
        out->addr = &p->address;
        out->name = p->certificate.p ? p->certificate.p : p->node.p;
    } else if (!p->socket) {
        out->path = path;
        return socket_path(l, p->node, path);
    }
    return 0;
}

static int open_unix(struct siptp *tp, const struct link_settings *l, const char *node,
                     char path[LINK_PATH_MAX])
{
    int err = socket_path(l, span_str(node), path);
    if (!err)
        err = siptp_link_admit_users(tp, l->users, l->n_users);
    if (!err)
        err = siptp_listen_link(tp, path);
    if (err)
        log_error(&link_log, "cannot open the link to this machine's others",
                  kv_str("socket", path), kv_err(err));
    return err;
}

static int open_tls(struct siptp *tp, const struct link_settings *l, const struct certs *certs,
                    unsigned place, char text[ADDR_STRLEN])
{
    struct tls_context *server, *client;
    struct addr at = l->listen;
    addr_set_port(&at, (uint16_t)(addr_port(&at) + place));
    certs_link(certs, &server, &client);
    int err = siptp_listen_link_tls(tp, &at, server, client, &at);
    if (err) {
        log_error(&link_log, "cannot open the link to other machines", kv_addr("address", &at),
                  kv_err(err));
        return err;
    }
    if (l->advertise.sa.sa_family != AF_UNSPEC) {
        at = l->advertise;
        addr_set_port(&at, (uint16_t)(addr_port(&at) + place));
    }
    addr_format(&at, text);
    return 0;
}

int link_open(struct siptp *tp, const struct link_settings *l, const struct certs *certs,
              const char *node, unsigned place, struct link_place *out)
{
    *out = (struct link_place){ .path = "" };
    int err = l->directory ? open_unix(tp, l, node, out->path) : 0;
    return err || !link_certs(l) ? err : open_tls(tp, l, certs, place, out->tls);
}
