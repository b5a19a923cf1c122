#include "net/ws_hello.h"

#include <openssl/evp.h>

#include "base/rand.h"

enum { HEADERS_MAX = 64 };

struct request {
    struct span path, query;
    struct span host, version, key, origin, authorization, none_match;
    struct span protocol; /* the rules' one, once it was offered */
    struct span ticket;   /* among the subprotocols */
    bool get, head, http11, upgrade, connection, body, asked, twice;
};

/* ---- grammar (RFC 9110, 5.6; RFC 6750, 2.1) ---- */

static bool is_tchar(char c)
{
    return ascii_alpha(c) || ascii_digit(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_tchar(s.p[i]))
            return false;
    }
    return s.n > 0;
}

/* What tokens and tickets are made of; "=" may stand at the end. */
static bool is_credential(struct span s)
{
    size_t i = 0;
    while (i < s.n && (ascii_alpha(s.p[i]) || ascii_digit(s.p[i]) || strchr("-._~+/", s.p[i])))
        i++;
    if (i == 0)
        return false;
    while (i < s.n && s.p[i] == '=')
        i++;
    return i == s.n;
}

static bool is_text(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < ' ' ? s.p[i] != '\t' : s.p[i] == 0x7f)
            return false;
    }
    return true;
}

/* base64 of 16 bytes (RFC 6455, 4.2.1) */
static bool is_key(struct span s)
{
    unsigned char bytes[WS_KEY_LEN];
    return s.n == WS_KEY_LEN && s.p[WS_KEY_LEN - 3] != '=' &&
           span_eq(span_skip(s, WS_KEY_LEN - 2), SPAN("==")) &&
           EVP_DecodeBlock(bytes, (const unsigned char *)s.p, WS_KEY_LEN) > 0;
}

static bool is_among(struct span s, const struct span *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (span_caseeq(s, list[i]))
            return true;
    }
    return false;
}

static bool lists(struct span value, struct span token)
{
    while (value.p) {
        if (span_caseeq(span_trim(span_cut(&value, ',')), token))
            return true;
    }
    return false;
}

/* Lines end with CRLF and nothing else, and none is folded: no two readers differ. */
static int cut_line(struct span *head, struct span *line)
{
    *line = span_cut(head, '\n');
    if (!span_ends(*line, SPAN("\r")))
        return CS_EPROTO;
    line->n--;
    return 0;
}

static int cut_header(struct span *head, struct span *name, struct span *value)
{
    if (cut_line(head, value))
        return CS_EPROTO;
    *name = span_cut(value, ':');
    if (!is_token(*name) || !value->p || !is_text(*value))
        return CS_EPROTO;
    *value = span_trim(*value);
    return 0;
}

/* Without its port. */
static struct span host_name(struct span host)
{
    size_t end = host.n;
    while (end && ascii_digit(host.p[end - 1]))
        end--;
    return end && host.p[end - 1] == ':' ? span_head(host, end - 1) : host;
}

/* ---- headers ---- */

static void once(struct request *r, struct span *slot, struct span value)
{
    r->twice |= slot->p != NULL;
    *slot = value;
}

/* Browsers can write no header of their own but this one, so a ticket may stand here as well. */
static void take_protocols(struct request *r, const struct ws_rules *rules, struct span value)
{
    while (value.p) {
        struct span one = span_trim(span_cut(&value, ','));
        if (span_eq(one, rules->protocol))
            r->protocol = one;
        else if (span_starts(one, SPAN("ticket.")))
            once(r, &r->ticket, span_skip(one, 7));
    }
}

static void take_header(struct request *r, const struct ws_rules *rules, struct span name,
                        struct span value)
{
    const struct {
        struct span name;
        struct span *slot;
    } single[] = {
        { SPAN("Host"), &r->host },
        { SPAN("Sec-WebSocket-Key"), &r->key },
        { SPAN("Sec-WebSocket-Version"), &r->version },
        { SPAN("Origin"), &r->origin },
        { SPAN("Authorization"), &r->authorization },
        { SPAN("If-None-Match"), &r->none_match },
    };
    for (size_t i = 0; i < CS_LEN(single); i++) {
        if (span_caseeq(name, single[i].name))
            once(r, single[i].slot, value);
    }
    if (span_caseeq(name, SPAN("Upgrade")))
        r->upgrade |= lists(value, SPAN("websocket"));
    else if (span_caseeq(name, SPAN("Connection")))
        r->connection |= lists(value, SPAN("upgrade"));
    else if (span_caseeq(name, SPAN("Sec-WebSocket-Protocol")))
        take_protocols(r, rules, value);
    else if (span_caseeq(name, SPAN("Transfer-Encoding")) ||
             (span_caseeq(name, SPAN("Content-Length")) && !span_eq(value, SPAN("0"))))
        r->body = true;
}

/* ---- the request ---- */

static int read_request_line(struct request *r, struct span line)
{
    struct span method = span_cut(&line, ' '), target = span_cut(&line, ' ');
    if (!is_token(method) || !target.n || target.p[0] != '/' || !is_text(target) ||
        !span_starts(line, SPAN("HTTP/")))
        return CS_EPROTO;
    r->get = span_eq(method, SPAN("GET"));
    r->head = span_eq(method, SPAN("HEAD"));
    r->http11 = span_eq(line, SPAN("HTTP/1.1"));
    r->query = target;
    r->path = span_cut(&r->query, '?');
    return 0;
}

static int read_request(struct request *r, const struct ws_rules *rules, struct span head)
{
    struct span line, name, value;
    if (cut_line(&head, &line) || read_request_line(r, line))
        return CS_EPROTO;
    for (size_t n = 0; head.n; n++) {
        if (n == HEADERS_MAX || cut_header(&head, &name, &value))
            return CS_EPROTO;
        take_header(r, rules, name, value);
    }
    return 0;
}

static int read_query(struct request *r)
{
    struct span ticket = SPAN_NULL;
    while (r->query.p) {
        struct span value = span_cut(&r->query, '&'), name = span_cut(&value, '=');
        if (span_eq(name, SPAN("ticket")) && value.p)
            once(r, &ticket, value);
    }
    if (ticket.p)
        once(r, &r->ticket, ticket);
    return r->twice ? CS_EPROTO : 0;
}

static int read_token(const struct request *r, struct span *token)
{
    *token = SPAN_NULL;
    if (!r->authorization.p)
        return 0;
    struct span rest = r->authorization, scheme = span_cut(&rest, ' ');
    if (!span_caseeq(scheme, SPAN("Bearer")))
        return 0; /* of somebody in front of us */
    *token = span_trim(rest);
    return is_credential(*token) ? 0 : CS_EPROTO;
}

/* ---- whether it is taken ---- */

static size_t refuse(struct ws_hello *h, unsigned status, const char *why, size_t used)
{
    *h = (struct ws_hello){ .status = status, .why = why };
    return used;
}

static bool is_same_origin(const struct request *r)
{
    static const struct span scheme = SPAN_INIT("https://");
    return span_casestarts(r->origin, scheme) &&
           span_caseeq(span_skip(r->origin, scheme.n), r->host);
}

static bool may_connect(const struct request *r, const struct ws_rules *rules)
{
    return !r->origin.p || rules->any_origin ||
           is_among(r->origin, rules->origins, rules->n_origins) ||
           (rules->same_origin && is_same_origin(r));
}

/* A file, or its folder without the slash, from which the names in the page would lead elsewhere.
 */
static bool is_file(const struct request *r, const struct ws_files *files)
{
    return files && !r->upgrade &&
           (span_starts(r->path, files->folder) ||
            span_eq(r->path, span_head(files->folder, files->folder.n - 1)));
}

static void show(const struct request *r, const struct ws_files *files, struct ws_hello *h)
{
    const struct asset *file = asset_find(files->list, span_skip(r->path, files->folder.n));
    if (r->path.n < files->folder.n)
        refuse(h, 308, "The page is there.", 0);
    else if (!file)
        refuse(h, 404, "There is no such file.", 0);
    else
        *h = (struct ws_hello){ .status = lists(r->none_match, span_str(file->tag)) ? 304 : 200,
                                .file = file,
                                .head = r->head };
}

static void judge(struct request *r, const struct ws_rules *rules, struct ws_hello *h)
{
    struct span path = rules->path.p ? rules->path : SPAN("/");
    const bool file = is_file(r, rules->files);
    if (r->twice || r->body)
        refuse(h, 400, "The request says a header twice, or brings a body.", 0);
    else if (!r->http11)
        refuse(h, 505, "WebSocket begins with HTTP/1.1.", 0);
    else if (!r->get && !(r->head && file))
        refuse(h, 405, "WebSocket begins with GET.", 0);
    else if (!r->host.n)
        refuse(h, 400, "There is no Host.", 0);
    else if (rules->n_hosts && !is_among(host_name(r->host), rules->hosts, rules->n_hosts))
        refuse(h, 421, "This server is not known by that Host: look at hosts of its listener.", 0);
    else if (file)
        show(r, rules->files, h);
    else if (!span_eq(r->path, path))
        refuse(h, 404, "Nothing is here: look at path of the listener.", 0);
    else if (!r->upgrade || !r->connection)
        refuse(h, 426, "SIP over WebSocket is spoken here: connect with a WebSocket.", 0);
    else if (!span_eq(r->version, SPAN("13")))
        refuse(h, 426, "The version of WebSocket is 13.", 0);
    else if (!is_key(r->key))
        refuse(h, 400, "Sec-WebSocket-Key is missing, or not base64 of 16 bytes.", 0);
    else if (!r->protocol.p) /* RFC 7118, 4.1 */
        refuse(h, 400, "Offer the subprotocol \"sip\": Sec-WebSocket-Protocol: sip", 0);
    else if (!may_connect(r, rules))
        refuse(h, 403, "Pages of this origin may not connect: look at origins of the listener.", 0);
    else if (read_token(r, &h->token) || (r->ticket.p && !is_credential(r->ticket)))
        refuse(h, 400, "The token or ticket is malformed.", 0);
    else if (h->token.p && r->ticket.p)
        refuse(h, 400, "Show a token or a ticket, not both.", 0);
    else
        *h = (struct ws_hello){ .status = 101,
                                .key = r->key,
                                .origin = r->origin,
                                .token = h->token,
                                .ticket = r->ticket };
}

size_t ws_hello_read(struct span in, const struct ws_rules *rules, struct ws_hello *out)
{
    static const char malformed[] = "This is no HTTP/1.1 request.";
    *out = (struct ws_hello){ 0 };
    if (!in.n)
        return 0;
    if (!ascii_alpha(in.p[0])) /* TLS where none is spoken, for one */
        return refuse(out, 400, malformed, in.n);
    const char *end = memmem(in.p, CS_MIN(in.n, (size_t)WS_HELLO_MAX), "\r\n\r\n", 4);
    if (!end && in.n >= WS_HELLO_MAX)
        return refuse(out, 431, "The request is larger than 8192 bytes.", in.n);
    if (!end)
        return 0;
    struct request r = { 0 };
    struct span head = span_of(in.p, (size_t)(end - in.p) + 2);
    if (read_request(&r, rules, head) || read_query(&r))
        return refuse(out, 400, malformed, in.n);
    judge(&r, rules, out);
    return out->status == 101 || out->file ? head.n + 2 : in.n;
}

/* ---- the answer ---- */

static void write_accept(struct buf *b, struct span key)
{
    unsigned char sha1[EVP_MAX_MD_SIZE], text[4 * EVP_MAX_MD_SIZE / 3 + 4];
    char joined[WS_KEY_LEN + 36];
    struct buf j = BUF_INIT(joined);
    unsigned n = 0;
    buf_put(&j, key);
    buf_lit(&j, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"); /* RFC 6455, 4.2.2 */
    if (!EVP_Digest(j.p, j.n, sha1, &n, EVP_sha1(), NULL)) {
        b->full = true;
        return;
    }
    buf_put(b, span_of(text, (size_t)EVP_EncodeBlock(text, sha1, (int)n)));
}

static const char *reason_of(unsigned status)
{
    switch (status) {
    case 308:
        return "Permanent Redirect";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 421:
        return "Misdirected Request";
    case 426:
        return "Upgrade Required";
    case 431:
        return "Request Header Fields Too Large";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Bad Request";
    }
}

static void write_file(struct buf *b, const struct ws_files *files, const struct ws_hello *h)
{
    const struct asset *a = h->file;
    if (h->status == 304)
        buf_lit(b, "HTTP/1.1 304 Not Modified");
    else
        buf_printf(b, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu%s", a->type, a->n,
                   a->gzip ? "\r\nContent-Encoding: gzip" : ""); /* all browsers take it */
    buf_printf(b, "\r\nETag: %s\r\nCache-Control: no-cache\r\n", a->tag);
    buf_put(b, files->lines);
    buf_lit(b, "\r\n");
}

struct span ws_hello_body(const struct ws_hello *h)
{
    return h->status == 200 && !h->head ? span_of(h->file->data, h->file->n) : SPAN("");
}

void ws_hello_answer(struct buf *b, const struct ws_rules *rules, const struct ws_hello *h)
{
    if (h->file) {
        write_file(b, rules->files, h);
        return;
    }
    if (h->status == 101) { /* no extension is agreed to, so messages are never compressed */
        buf_lit(b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Protocol: ");
        buf_put(b, rules->protocol);
        buf_lit(b, "\r\nSec-WebSocket-Accept: ");
        write_accept(b, h->key);
        buf_lit(b, "\r\n\r\n");
        return;
    }
    struct span why = span_str(h->why);
    buf_lit(b, "HTTP/1.1 ");
    buf_u64(b, h->status);
    buf_putc(b, ' ');
    buf_put(b, span_str(reason_of(h->status)));
    if (h->status == 308) {
        buf_lit(b, "\r\nLocation: ");
        buf_put(b, rules->files->folder);
    } else if (h->status == 405) {
        buf_lit(b, "\r\nAllow: GET");
    } else if (h->status == 426) { /* RFC 6455, 4.4 */
        buf_lit(b, "\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13");
    }
    buf_lit(b, "\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ");
    buf_u64(b, why.n + 1);
    buf_lit(b, "\r\n\r\n");
    buf_put(b, why);
    buf_putc(b, '\n');
}

/* ---- the client's side ---- */

struct answer {
    struct span accept, protocol;
    bool upgrade, connection, more; /* more: than we asked for, or said twice */
};

void ws_hello_ask(struct buf *b, struct span host, struct span path, struct span protocol,
                  char key[WS_KEY_LEN])
{
    unsigned char random[16], text[WS_KEY_LEN + 1];
    rand_bytes(random, sizeof(random));
    EVP_EncodeBlock(text, random, sizeof(random));
    memcpy(key, text, WS_KEY_LEN);
    buf_printf(b,
               "GET " SPAN_FMT " HTTP/1.1\r\nHost: " SPAN_FMT "\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Protocol: " SPAN_FMT "\r\n\r\n",
               SPAN_ARG(path), SPAN_ARG(host), (const char *)text, SPAN_ARG(protocol));
}

static int read_status(struct span line, unsigned *status)
{
    uint64_t code;
    if (!span_starts(line, SPAN("HTTP/1.1 ")) ||
        span_u64(span_head(span_skip(line, 9), 3), 599, &code) || code < 100)
        return CS_EPROTO;
    *status = (unsigned)code;
    return 0;
}

static void take_answer(struct answer *a, struct span name, struct span value)
{
    struct span *slot = span_caseeq(name, SPAN("Sec-WebSocket-Accept"))     ? &a->accept
                        : span_caseeq(name, SPAN("Sec-WebSocket-Protocol")) ? &a->protocol
                                                                            : NULL;
    if (slot) {
        a->more |= slot->p != NULL;
        *slot = value;
    } else if (span_caseeq(name, SPAN("Upgrade"))) {
        a->upgrade |= lists(value, SPAN("websocket"));
    } else if (span_caseeq(name, SPAN("Connection"))) {
        a->connection |= lists(value, SPAN("upgrade"));
    } else if (span_caseeq(name, SPAN("Sec-WebSocket-Extensions"))) {
        a->more = true;
    }
}

static bool is_for_us(const struct answer *a, struct span protocol, const char key[WS_KEY_LEN])
{
    char text[64];
    struct buf want = BUF_INIT(text);
    write_accept(&want, span_of(key, WS_KEY_LEN));
    return a->upgrade && a->connection && !a->more && span_eq(a->protocol, protocol) &&
           span_eq(a->accept, buf_span(&want));
}

ptrdiff_t ws_hello_check(struct span in, struct span protocol, const char key[WS_KEY_LEN],
                         unsigned *status)
{
    struct answer a = { 0 };
    struct span head, line, name, value;
    *status = 0;
    if (in.n && in.p[0] != 'H') /* SIP over TCP, for one */
        return CS_EPROTO;
    const char *end = in.n ? memmem(in.p, CS_MIN(in.n, (size_t)WS_HELLO_MAX), "\r\n\r\n", 4) : NULL;
    if (!end)
        return in.n < WS_HELLO_MAX ? 0 : CS_EPROTO;
    head = span_of(in.p, (size_t)(end - in.p) + 2);
    const ptrdiff_t used = (ptrdiff_t)head.n + 2;
    unsigned code = 0;
    if (cut_line(&head, &line) || read_status(line, &code))
        return CS_EPROTO;
    for (size_t n = 0; head.n; n++) {
        if (n == HEADERS_MAX || cut_header(&head, &name, &value))
            return CS_EPROTO;
        take_answer(&a, name, value);
    }
    if (code == 101 && !is_for_us(&a, protocol, key))
        return CS_EPROTO;
    *status = code;
    return used;
}
