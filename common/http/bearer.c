#include "http/bearer.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "base/ct.h"
#include "base/rand.h"
#include "base/util.h"

static const struct span roles[] = {
    [HTTP_ADMINISTER] = SPAN_INIT("administer"),
    [HTTP_OPERATE] = SPAN_INIT("operate"),
    [HTTP_READ] = SPAN_INIT("read"),
    [HTTP_PUBLIC] = SPAN_INIT("none"),
};
static const struct span hashed = SPAN_INIT("sha256:");

struct span role_name(enum http_role role)
{
    return roles[role];
}

int role_of(struct span name, enum http_role *out)
{
    for (enum http_role r = HTTP_ADMINISTER; r <= HTTP_READ; r++) {
        if (span_eq(name, roles[r])) {
            *out = r;
            return 0;
        }
    }
    return CS_ENOENT;
}

static void hash_of(struct span token, unsigned char out[32])
{
    SHA256((const unsigned char *)token.p, token.n, out);
}

static bool is_word(struct span s, struct span marks)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_alpha(s.p[i]) && !ascii_digit(s.p[i]) && span_find(marks, s.p[i]) < 0)
            return false;
    }
    return s.n > 0;
}

/* ---- building ---- */

static int refuse(struct buf *why, int err, const char *text)
{
    buf_put(why, span_str(text));
    return err;
}

static int add(struct bearers *b, const struct bearer *one, struct buf *why)
{
    if (b->n == BEARER_MAX)
        return refuse(why, CS_ELIMIT, "there are more than 256 tokens");
    for (size_t i = 0; i < b->n; i++) {
        if (strcmp(b->list[i].name, one->name) == 0)
            return refuse(why, CS_ECONFLICT, "there is a token of this name already");
        if (memcmp(b->list[i].hash, one->hash, sizeof(one->hash)) == 0)
            return refuse(why, CS_ECONFLICT, "somebody has this token already; make another");
    }
    struct bearer *more = realloc(b->list, (b->n + 1) * sizeof(*more));
    if (!more)
        return refuse(why, CS_ENOMEM, "out of memory");
    b->list = more;
    b->list[b->n++] = *one;
    return 0;
}

static int set_name(struct bearer *one, struct span name, struct buf *why)
{
    if (name.n > BEARER_NAME_MAX || !is_word(name, SPAN("-._@")))
        return refuse(why, CS_EPROTO, "a name has up to 64 letters, digits and -._@");
    span_copy(one->name, sizeof(one->name), name);
    return 0;
}

static int set_token(struct bearer *one, struct span token, struct buf *why)
{
    if (!is_word(token, SPAN("-._~+/="))) /* RFC 6750, 2.1 */
        return refuse(why, CS_EPROTO, "a token has letters, digits and -._~+/= only");
    if (token.n < BEARER_TOKEN_MIN)
        return refuse(why, CS_ELIMIT,
                      "the token has fewer than 32 characters; make one with csctl token make");
    hash_of(token, one->hash);
    return 0;
}

int bearers_add(struct bearers *b, struct span name, enum http_role role, struct span token,
                struct buf *why)
{
    struct bearer one = { .role = role };
    int err = set_name(&one, name, why);
    if (!err)
        err = set_token(&one, token, why);
    return err ? err : add(b, &one, why);
}

static struct span word(struct span *rest)
{
    *rest = span_trim(*rest);
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    struct span w = span_head(*rest, n);
    *rest = span_trim(span_skip(*rest, n));
    return w;
}

static int add_line(struct bearers *b, struct span line, struct buf *why)
{
    struct bearer one = { 0 };
    struct span name = word(&line), role = word(&line), token = word(&line);
    if (!token.n || line.n)
        return refuse(why, CS_EPROTO, "a line is NAME ROLE TOKEN or NAME ROLE sha256:HEX");
    if (role_of(role, &one.role))
        return refuse(why, CS_EPROTO, "the role is read, operate or administer");
    int err = set_name(&one, name, why);
    if (err)
        return err;
    if (!span_starts(token, hashed))
        err = set_token(&one, token, why);
    else if (hex_decode(span_skip(token, hashed.n), one.hash, sizeof(one.hash)))
        err = refuse(why, CS_EPROTO, "sha256: is followed by 64 hexadecimal digits");
    return err ? err : add(b, &one, why);
}

int bearers_parse(struct bearers *b, struct span text, struct buf *why, unsigned *line)
{
    *line = 0;
    while (text.p) {
        struct span l = span_cut(&text, '\n');
        ++*line;
        if (span_ends(l, SPAN("\r")))
            l.n--;
        l = span_trim(l);
        if (!l.n || l.p[0] == '#')
            continue;
        int err = add_line(b, l, why);
        if (err)
            return err;
    }
    return 0;
}

void bearers_fini(struct bearers *b)
{
    free(b->list);
    *b = (struct bearers){ 0 };
}

/* ---- asking ---- */

const struct bearer *bearers_find(const struct bearers *b, struct span token)
{
    const struct bearer *found = NULL;
    unsigned char hash[32];
    hash_of(token.p ? token : SPAN(""), hash);
    for (size_t i = 0; i < b->n; i++) { /* to the end, whoever it is */
        if (ct_eq(span_of(hash, sizeof(hash)), span_of(b->list[i].hash, sizeof(hash))))
            found = &b->list[i];
    }
    return token.n ? found : NULL;
}

struct span bearer_token(struct span authorization)
{
    static const struct span scheme = SPAN_INIT("Bearer ");
    if (!authorization.p || !span_casestarts(authorization, scheme))
        return SPAN_NULL;
    return span_trim(span_skip(authorization, scheme.n));
}

void bearer_make(char token[BEARER_TOKEN_LEN + 1], char hash[64 + 1])
{
    unsigned char raw[32];
    struct buf t = buf_of(token, BEARER_TOKEN_LEN + 1), h = buf_of(hash, 64 + 1);
    rand_bytes(raw, sizeof(raw));
    buf_base64url(&t, raw, sizeof(raw));
    buf_putc(&t, '\0');
    hash_of(span_of(token, BEARER_TOKEN_LEN), raw);
    buf_hex(&h, raw, sizeof(raw));
    buf_putc(&h, '\0');
    ct_wipe(raw, sizeof(raw));
}
