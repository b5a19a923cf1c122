#include "sip/mask.h"

#include "base/util.h"

enum body { BODY_CLOSED, BODY_OPEN, BODY_SDP, BODY_MULTIPART, BODY_FRAGMENT };

/* Headers with parameters that prove something, with a scheme before them or without. */
enum proof { PROOF_NONE, PROOF_SCHEME, PROOF_CREDENTIALS, PROOF_PARAMS, PROOF_ALL };
static const struct {
    struct span name;
    enum proof proof;
} headers[] = {
    { SPAN_INIT("Authorization"), PROOF_CREDENTIALS },
    { SPAN_INIT("Proxy-Authorization"), PROOF_CREDENTIALS },
    { SPAN_INIT("WWW-Authenticate"), PROOF_SCHEME },
    { SPAN_INIT("Proxy-Authenticate"), PROOF_SCHEME },
    { SPAN_INIT("Authentication-Info"), PROOF_PARAMS },
    { SPAN_INIT("Proxy-Authentication-Info"), PROOF_PARAMS },
    { SPAN_INIT("Cookie"), PROOF_ALL },
    { SPAN_INIT("Set-Cookie"), PROOF_ALL },
};

static const struct span open_params[] = {
    SPAN_INIT("username"),  SPAN_INIT("realm"),        SPAN_INIT("uri"),
    SPAN_INIT("algorithm"), SPAN_INIT("qop"),          SPAN_INIT("nc"),
    SPAN_INIT("opaque"),    SPAN_INIT("userhash"),     SPAN_INIT("stale"),
    SPAN_INIT("domain"),    SPAN_INIT("charset"),      SPAN_INIT("error"),
    SPAN_INIT("scope"),     SPAN_INIT("authz_server"), SPAN_INIT("error_description"),
};
static const struct span secret_params[] = {
    SPAN_INIT("nonce"),   SPAN_INIT("cnonce"),    SPAN_INIT("response"),
    SPAN_INIT("rspauth"), SPAN_INIT("nextnonce"),
};
/* Of URIs, and headers in them (RFC 3261, 19.1.1). */
static const struct span secret_uri_params[] = {
    SPAN_INIT("authorization="), SPAN_INIT("access_token="), SPAN_INIT("password="),
    SPAN_INIT("pn-prid="), /* RFC 8599 */
};
static const struct span bodies_open[] = {
    SPAN_INIT("application/simple-message-summary"), SPAN_INIT("application/pidf+xml"),
    SPAN_INIT("application/dialog-info+xml"),        SPAN_INIT("application/reginfo+xml"),
    SPAN_INIT("application/conference-info+xml"),    SPAN_INIT("application/resource-lists+xml"),
    SPAN_INIT("application/media_control+xml"),
};

struct text {
    char *p;
    size_t n;
};

static struct text behind(struct text t, size_t n)
{
    return (struct text){ t.p + n, t.n - n };
}

static struct text head_of(struct text t, size_t n)
{
    return (struct text){ t.p, n };
}

static struct span span_of_text(struct text t)
{
    return span_of(t.p, t.n);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* White space stays, or a folded line would become two. */
static void mask(struct text t)
{
    for (size_t i = 0; i < t.n; i++) {
        if (!is_space(t.p[i]))
            t.p[i] = '*';
    }
}

static bool is_among(struct span name, const struct span *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (span_caseeq(name, names[i]))
            return true;
    }
    return false;
}
#define IS_AMONG(name, names) is_among((name), (names), CS_LEN(names))

/* Length of the first line, with its end; a lone CR or LF ends one, too, as some reader might
 * think. */
static size_t line_len(struct text t)
{
    size_t i = 0;
    while (i < t.n && t.p[i] != '\r' && t.p[i] != '\n')
        i++;
    if (i < t.n && t.p[i] == '\r' && i + 1 < t.n && t.p[i + 1] == '\n')
        i++;
    return CS_MIN(i + 1, t.n);
}

static bool is_empty(struct text line)
{
    return line.n && (line.p[0] == '\r' || line.p[0] == '\n');
}

/* ---- URIs ---- */

static bool ends_uri(char c)
{
    return is_space(c) || c == '<' || c == '>' || c == '"';
}

/* t: what follows "sip:". */
static void mask_password(struct text t)
{
    size_t colon = 0, i = 0;
    while (i < t.n && !ends_uri(t.p[i]) && t.p[i] != '@') {
        if (t.p[i] == ':' && !colon)
            colon = i + 1;
        i++;
    }
    if (colon && i < t.n && t.p[i] == '@')
        mask(behind(head_of(t, i), colon));
}

static void mask_uri_param(struct text t)
{
    size_t i = 0;
    while (i < t.n && !ends_uri(t.p[i]) && !strchr("&;,\\", t.p[i]))
        i++;
    mask(head_of(t, i));
}

static void mask_uris(struct text t)
{
    for (size_t i = 0; i < t.n; i++) {
        const struct span before = span_of(t.p, i + 1);
        if (t.p[i] == ':' && ((i >= 3 && span_caseeq(span_skip(before, i - 3), SPAN("sip:"))) ||
                              (i >= 4 && span_caseeq(span_skip(before, i - 4), SPAN("sips:")))))
            mask_password(behind(t, i + 1));
        for (size_t k = 0; t.p[i] == '=' && k < CS_LEN(secret_uri_params); k++) {
            const size_t n = secret_uri_params[k].n;
            if (i + 1 >= n && span_caseeq(span_skip(before, i + 1 - n), secret_uri_params[k]))
                mask_uri_param(behind(t, i + 1));
        }
    }
}

/* ---- proofs ---- */

/* The quoted string that t begins with, with its quotes. */
static size_t quoted_len(struct text t, bool *closed)
{
    for (size_t i = 1; i < t.n; i++) {
        if (t.p[i] == '"') {
            *closed = true;
            return i + 1;
        }
        if (t.p[i] == '\\')
            i++;
    }
    *closed = false;
    return t.n;
}

static size_t token_len(struct text t)
{
    size_t i = 0;
    while (i < t.n && !is_space(t.p[i]) && t.p[i] != ',' && t.p[i] != '=' && t.p[i] != '"')
        i++;
    return i;
}

static size_t space_len(struct text t)
{
    size_t i = 0;
    while (i < t.n && is_space(t.p[i]))
        i++;
    return i;
}

/* A value behind '='; the rest behind it. */
static struct text mask_value(struct text t, bool open)
{
    bool closed = true;
    const bool quoted = t.n && t.p[0] == '"';
    size_t n = 0;
    if (quoted)
        n = quoted_len(t, &closed);
    else
        while (n < t.n && !is_space(t.p[n]) && t.p[n] != ',')
            n++;
    if (!open || !closed)
        mask(quoted ? behind(head_of(t, closed ? n - 1 : n), 1) : head_of(t, n));
    return behind(t, n);
}

static void mask_params(struct text t)
{
    while (t.n) {
        const size_t n = token_len(t);
        const struct text name = head_of(t, n);
        const bool open = IS_AMONG(span_of_text(name), open_params);
        t = behind(t, n);
        if (n == 0 && t.p[0] == '"') {
            t = mask_value(t, false);
            continue;
        }
        if (n == 0) {
            t = behind(t, 1);
            continue;
        }
        const size_t gap = space_len(t);
        if (gap < t.n && t.p[gap] == '=') {
            if (!open && !IS_AMONG(span_of_text(name), secret_params))
                mask(name);
            t = behind(t, gap + 1);
            t = mask_value(behind(t, space_len(t)), open);
        } else if (!span_caseeq(span_of_text(name), SPAN("Digest"))) {
            mask(name); /* of a list of challenges each begins with its scheme */
        }
    }
}

static void mask_scheme(struct text t, bool credentials)
{
    t = behind(t, space_len(t));
    const size_t n = token_len(t);
    const struct span scheme = span_of(t.p, n);
    const bool digest = span_caseeq(scheme, SPAN("Digest"));
    const bool bearer = span_caseeq(scheme, SPAN("Bearer"));
    if (digest || (bearer && !credentials))
        mask_params(behind(t, n));
    else if (bearer || span_caseeq(scheme, SPAN("Basic")))
        mask(behind(t, n));
    else
        mask(t);
}

/* ---- headers ---- */

static void take_type(struct span value, enum body *type)
{
    const struct span full = span_trim(span_cut(&value, ';'));
    *type = span_caseeq(full, SPAN("application/sdp"))   ? BODY_SDP
            : span_caseeq(full, SPAN("message/sipfrag")) ? BODY_FRAGMENT
            : span_casestarts(full, SPAN("multipart/"))  ? BODY_MULTIPART
            : IS_AMONG(full, bodies_open)                ? BODY_OPEN
                                                         : BODY_CLOSED;
}

/* One, with its folds, without the end of its last line. */
static void mask_header(struct text line, enum body *type)
{
    struct span rest = span_of_text(line);
    const struct span name = span_trim(span_cut(&rest, ':'));
    mask_uris(line);
    if (!rest.p)
        return;
    const struct text value = behind(line, line.n - rest.n);
    if (span_caseeq(name, SPAN("Content-Type")) || span_caseeq(name, SPAN("c")))
        take_type(rest, type);
    for (size_t i = 0; i < CS_LEN(headers); i++) {
        if (!span_caseeq(name, headers[i].name))
            continue;
        if (headers[i].proof == PROOF_ALL)
            mask(value);
        else if (headers[i].proof == PROOF_PARAMS)
            mask_params(value);
        else
            mask_scheme(value, headers[i].proof == PROOF_CREDENTIALS);
    }
}

/* The rest is the body. */
static struct text mask_head(struct text t, enum body *type)
{
    while (t.n) {
        size_t n = line_len(t), folded = n;
        if (is_empty(t))
            return behind(t, n);
        while (folded < t.n && (t.p[folded] == ' ' || t.p[folded] == '\t'))
            folded += line_len(behind(t, folded));
        n = folded;
        while (n && (t.p[n - 1] == '\r' || t.p[n - 1] == '\n'))
            n--;
        mask_header(head_of(t, n), type);
        t = behind(t, folded);
    }
    return t;
}

/* ---- bodies ---- */

static bool is_sdp(struct span line)
{
    return line.n >= 2 && line.p[0] >= 'a' && line.p[0] <= 'z' && line.p[1] == '=';
}

/* RFC 4568, RFC 8839, 5.4, RFC 4567. */
static void mask_sdp(struct text line)
{
    const struct span s = span_of_text(line);
    size_t from = 0;
    if (span_casestarts(s, SPAN("k=")))
        from = 2;
    else if (span_casestarts(s, SPAN("a=crypto:")))
        from = 9;
    else if (span_casestarts(s, SPAN("a=ice-pwd:")))
        from = 10;
    else if (span_casestarts(s, SPAN("a=key-mgmt:")))
        from = 11;
    else
        return;
    for (size_t i = from; i + 7 <= line.n && span_casestarts(s, SPAN("a=crypto:")); i++) {
        if (span_caseeq(span_of(line.p + i, 7), SPAN("inline:"))) {
            from = i + 7; /* number and suite are no secret */
            break;
        }
    }
    mask(behind(line, CS_MIN(from, line.n)));
}

static void mask_lines(struct text t, bool multipart)
{
    while (t.n) {
        const size_t n = line_len(t);
        const struct text line = head_of(t, n);
        const struct span s = span_of_text(line);
        if (is_sdp(s))
            mask_sdp(line);
        else if (!multipart ||
                 !(span_starts(s, SPAN("--")) || span_casestarts(s, SPAN("Content-"))))
            mask(line);
        t = behind(t, n);
    }
}

void sip_mask(char *text, size_t n)
{
    struct text t = { text, n };
    enum body type;
    do {
        type = BODY_CLOSED;
        while (is_empty(t)) /* RFC 3261, 7.5 */
            t = behind(t, 1);
        t = mask_head(t, &type);
    } while (type == BODY_FRAGMENT && t.n); /* it has headers, too (RFC 3420) */
    if (type == BODY_OPEN)
        mask_uris(t);
    else if (type == BODY_CLOSED)
        mask(t);
    else
        mask_lines(t, type == BODY_MULTIPART);
}
