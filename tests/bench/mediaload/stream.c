#include "stream.h"

#include <stdio.h>
#include <stdlib.h>

enum { HEAD = 12, PAYLOAD = 160, NOISE = 1 << 16, SSRC = 0x43530000, TICKS = 160 };
/* A payload: when it was sent, then noise. */
enum { SENT = 8 };

const char *const stream_verdict_names[STREAM_VERDICTS] = {
    [STREAM_GOOD] = "good",     [STREAM_MALFORMED] = "malformed", [STREAM_FORGED] = "forged",
    [STREAM_SOURCE] = "source", [STREAM_CONTENT] = "content",     [STREAM_DUPLICATE] = "duplicate",
    [STREAM_LATE] = "late",
};

static const struct {
    const char *name;
    enum crypt_suite suite;
} suites[] = {
    { "AES_CM_128_HMAC_SHA1_80", CRYPT_AES_CM_128_HMAC_SHA1_80 },
    { "AES_CM_128_HMAC_SHA1_32", CRYPT_AES_CM_128_HMAC_SHA1_32 },
    { "AEAD_AES_128_GCM", CRYPT_AEAD_AES_128_GCM },
    { "AEAD_AES_256_GCM", CRYPT_AEAD_AES_256_GCM },
};

/* ---- reading ---- */

static struct span word(struct span *line)
{
    struct span w = span_cut(line, ' ');
    return w.n > 0 && w.p[w.n - 1] == '\n' ? span_head(w, w.n - 1) : w;
}

static int read_key(struct span hex, enum crypt_suite suite, struct crypt **out)
{
    struct crypt_key key = { .suite = suite };
    if (hex.n != 2 * crypt_key_len(suite))
        return CS_EPROTO;
    for (size_t i = 0; i < hex.n / 2; i++) {
        const int high = ascii_hex(hex.p[2 * i]), low = ascii_hex(hex.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return CS_EPROTO;
        key.bytes[i] = (unsigned char)(high << 4 | low);
    }
    return crypt_new(&key, out);
}

static int read_end(struct span *line, struct end *e)
{
    const struct span server = word(line), suite = word(line), out = word(line), in = word(line);
    if (addr_parse(server, 0, &e->server) || !in.p)
        return CS_EPROTO;
    if (span_eq(suite, SPAN("-")))
        return 0;
    for (size_t i = 0; i < CS_LEN(suites); i++) {
        if (!span_eq(suite, span_str(suites[i].name)))
            continue;
        int err = read_key(out, suites[i].suite, &e->out);
        return err ? err : read_key(in, suites[i].suite, &e->in);
    }
    return CS_ENOTSUP;
}

/* The same in each run: the server may still have packets of the one before. */
static void make_noise(char *out, size_t n)
{
    uint64_t x = 88172645463325252; /* xorshift64 */
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        out[i] = (char)(x >> 56);
    }
}

static int read_stream(struct streams *s, const char *text)
{
    struct span line = span_str(text);
    struct stream *grown = realloc(s->s, (s->n + 1) * sizeof(*grown));
    if (!grown)
        return CS_ENOMEM;
    s->s = grown;
    struct stream *stream = &s->s[s->n++];
    *stream = (struct stream){ 0 };
    int err = 0;
    for (unsigned i = 0; i < ENDS && !err; i++) {
        stream->end[i].next = stream->end[i].highest = s->first;
        err = read_end(&line, &stream->end[i]);
    }
    return err;
}

int streams_read(struct streams *s, const char *path, size_t max, uint32_t first)
{
    char line[1024];
    *s = (struct streams){ .noise = malloc(NOISE + PAYLOAD), .first = first };
    FILE *f = fopen(path, "re");
    int err = !s->noise ? CS_ENOMEM : f ? 0 : CS_ENOENT;
    if (!err)
        make_noise(s->noise, NOISE + PAYLOAD);
    while (!err && s->n < max && fgets(line, sizeof(line), f))
        err = read_stream(s, line);
    if (f)
        fclose(f);
    return err ? err : s->n > 0 ? 0 : CS_ENOENT;
}

void streams_fini(struct streams *s)
{
    for (size_t i = 0; i < s->n; i++) {
        for (unsigned e = 0; e < ENDS; e++) {
            crypt_free(&s->s[i].end[e].out);
            crypt_free(&s->s[i].end[e].in);
        }
    }
    free(s->s);
    free(s->noise);
}

/* ---- packets ---- */

static void put32(char *p, uint32_t v)
{
    const uint32_t wire = __builtin_bswap32(v);
    memcpy(p, &wire, sizeof(wire));
}

static uint32_t get32(const char *p)
{
    uint32_t wire;
    memcpy(&wire, p, sizeof(wire));
    return __builtin_bswap32(wire);
}

/* What stands where in each packet is another piece of it. */
static const char *noise_of(const struct streams *s, uint32_t ssrc, uint32_t seq)
{
    return s->noise + (ssrc * 7919 + seq * 104729) % NOISE;
}

static void write_head(char head[HEAD], uint32_t ssrc, uint32_t seq)
{
    put32(head, 0x80000000 | (seq & 0xffff)); /* version 2, payload type 0 */
    put32(head + 4, seq * TICKS);
    put32(head + 8, ssrc);
}

size_t stream_write(struct streams *s, size_t i, unsigned end, int64_t now,
                    char packet[STREAM_ROOM])
{
    struct end *e = &s->s[i].end[end];
    const uint32_t ssrc = SSRC + (uint32_t)(i * ENDS + end), seq = e->next++;
    size_t n = STREAM_PACKET;
    write_head(packet, ssrc, seq);
    memcpy(packet + HEAD, &now, SENT);
    memcpy(packet + HEAD + SENT, noise_of(s, ssrc, seq), PAYLOAD - SENT);
    return e->out && crypt_protect(e->out, packet, &n) ? 0 : n;
}

static bool is_new(struct end *e, uint32_t seq)
{
    if (seq > e->highest) {
        e->window = seq - e->highest < 64 ? e->window << (seq - e->highest) : 0;
        e->highest = seq;
    }
    const uint32_t behind = e->highest - seq;
    const uint64_t bit = behind < 64 ? UINT64_C(1) << behind : 0;
    if (!bit || (e->window & bit))
        return false;
    e->window |= bit;
    return true;
}

enum verdict stream_check(struct streams *s, unsigned side, const struct addr *source, char *packet,
                          size_t n, int64_t *sent)
{
    char head[HEAD];
    if (n < STREAM_PACKET)
        return STREAM_MALFORMED;
    const uint32_t ssrc = get32(packet + 8), i = (ssrc - SSRC) / ENDS;
    if (ssrc < SSRC || i >= s->n)
        return STREAM_MALFORMED;
    const unsigned from = (ssrc - SSRC) % ENDS;
    const struct end *sender = &s->s[i].end[from];
    struct end *e = &s->s[i].end[!from];
    if (from == side || !addr_eq(source, &e->server))
        return STREAM_SOURCE;
    if (e->in && crypt_unprotect(e->in, packet, &n))
        return STREAM_FORGED;
    const uint16_t behind = (uint16_t)(sender->next - (get32(packet) & 0xffff));
    const uint32_t seq = sender->next - behind;
    write_head(head, ssrc, seq);
    memcpy(sent, packet + HEAD, SENT);
    if (n != STREAM_PACKET || !behind || memcmp(packet, head, HEAD) != 0 ||
        memcmp(packet + HEAD + SENT, noise_of(s, ssrc, seq), PAYLOAD - SENT) != 0)
        return STREAM_CONTENT;
    if (seq < s->first)
        return STREAM_LATE;
    return is_new(e, seq) ? STREAM_GOOD : STREAM_DUPLICATE;
}
