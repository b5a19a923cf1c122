/* The sections of configuration that say what is shown and believed over TLS, the same in each
 * daemon that speaks SIP. */
#ifndef CS_CERTS_SETTINGS_H
#define CS_CERTS_SETTINGS_H

#include "conf/conf.h"
#include "net/tls.h"

struct listener_certificate_conf {
    const char *certificate_file, *key_file;
    struct span *names; /* none: those in the certificate */
    size_t n_names;
};

enum client_certificates { CLIENTS_NONE, CLIENTS_OPTIONAL, CLIENTS_REQUIRED };
enum unknown_sni { UNKNOWN_FIRST, UNKNOWN_REFUSE };

struct listener_tls_conf {
    struct listener_certificate_conf *certificates;
    size_t n_certificates;
    enum unknown_sni unknown_sni;
    enum client_certificates client_certificates;
    const char *ca_file, *crl_file;
};

extern const struct conf_section listener_tls_section;

struct tls_client_conf { /* what we show to servers, and which we believe */
    const char *ca_file, *crl_file;
    const char *certificate_file, *key_file;
    struct tls_pin *pin; /* as read */
    size_t n_pin;
};

struct tls_settings {              /* of a daemon */
    struct tls_client_conf client; /* ca_file NULL: we connect to nobody over TLS */
    struct span *pins;
    size_t n_pins;
    struct duration handshake, tickets;
    const char *keylog_file;
};

extern const struct conf_section tls_settings_section;

struct tls_peer_conf {             /* of one peer that we connect to */
    struct tls_client_conf client; /* what it does not say is as in the daemon's */
    struct span *pins;
    size_t n_pins;
    struct span *names; /* one of these its certificate must say */
    size_t n_names;
    bool wildcards;
};

extern const struct conf_section tls_peer_section;

#endif
