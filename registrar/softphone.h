/* The softphone: a page for trials that a WebSocket listener shows, from which a browser signs in,
 * registers and calls. Files of registrar/softphone, built into the program; what is particular to
 * an installation they read from settings.json. Nothing of it is secret. */
#ifndef CS_REGISTRAR_SOFTPHONE_H
#define CS_REGISTRAR_SOFTPHONE_H

#include "conf/conf.h"
#include "net/ws_hello.h"

struct softphone_conf {
    struct span domain; /* absent: the first that is served */
    struct span issuer, client_id, scope, resource,
        claim; /* of an identity provider; absent: none */
    bool passwords;
    struct span turn;     /* who gives credentials of a TURN server; absent: nobody */
    struct span *connect; /* other origins that the page may ask */
    size_t n_connect;
};

extern const struct conf_section softphone_section;
#define SOFTPHONE_FOLDER "/softphone/"

/* What is shown, in the arena; domain is the first that is served, path that of the WebSocket. NULL
 * when memory is exhausted, or the policy of its content is too long: *fault says so. */
const struct ws_files *softphone_files(const struct softphone_conf *conf, struct span domain,
                                       struct span path, struct arena *a, const char **fault);

#endif
