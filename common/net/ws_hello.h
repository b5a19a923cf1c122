/* The opening handshake of WebSocket (RFC 6455, 4): one GET request, whether it is taken, and the
 * answer to it. Who asks for no WebSocket may be shown files. Does no I/O. */
#ifndef CS_NET_WS_HELLO_H
#define CS_NET_WS_HELLO_H

#include "base/asset.h"
#include "base/buf.h"

enum {
    WS_HELLO_MAX = 8192,        /* bytes of the request; beyond them it is refused */
    WS_HELLO_ANSWER_MAX = 4096, /* bytes of the answer, but a file that follows it */
    WS_FILES_LINES_MAX = 3072,  /* of them those of ws_files.lines */
    WS_KEY_LEN = 24
};

/* Shown to who asks by GET or HEAD below a folder; borrowed, as what is in it. */
struct ws_files {
    struct span folder;       /* "/softphone/" */
    const struct asset *list; /* ends with a NULL name */
    struct span lines;        /* headers of each answer, with their CRLF */
};

struct ws_rules {               /* what a listener takes; borrowed */
    struct span protocol;       /* the subprotocol that must be among those offered */
    struct span path;           /* before any '?', exactly; absent: "/" */
    const struct span *origins; /* as browsers write them, "https://phone.example.com"; a request */
    size_t n_origins;           /* without Origin is no browser's, and passes */
    bool any_origin;
    bool same_origin;         /* pages of https://HOST, the Host that is asked, may connect, too */
    const struct span *hosts; /* names it may be asked under, without a port; none: any */
    size_t n_hosts;
    const struct ws_files *files; /* NULL: none */
};

struct ws_hello {    /* spans borrow from the request; of a refused one only status and why stand */
    unsigned status; /* 101; 200 or 304, and file stands: another request may follow; or that of the
                      * refusal */
    const char *why; /* of a refusal, for people: what is wrong and what to do */
    const struct asset *file; /* what is shown */
    bool head;                /* without the file itself */
    struct span key, origin;
    /* Who it is, by one of: */
    struct span token;  /* Authorization: Bearer */
    struct span ticket; /* ?ticket= of the URI, or ticket.* among the subprotocols */
};

/* The bytes used, with *out judged; 0 when more is needed. What can never become a request is
 * refused at once. */
size_t ws_hello_read(struct span in, const struct ws_rules *rules, struct ws_hello *out);
/* Without what follows it: ws_hello_body(). */
void ws_hello_answer(struct buf *b, const struct ws_rules *rules, const struct ws_hello *h);
struct span ws_hello_body(const struct ws_hello *h);

/* ---- the client's side ---- */

/* The request, with a key of its own that is left in key. host may have a port. */
void ws_hello_ask(struct buf *b, struct span host, struct span path, struct span protocol,
                  char key[WS_KEY_LEN]);
/* What is answered to it: the bytes used, 0 when more is needed, CS_EPROTO when it is no HTTP or a
 * 101 that is not for this key and protocol. status: 101, or that of the refusal. */
CS_CHECK ptrdiff_t ws_hello_check(struct span in, struct span protocol, const char key[WS_KEY_LEN],
                                  unsigned *status);

#endif
