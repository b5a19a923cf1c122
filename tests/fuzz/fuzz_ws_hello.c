/* The handshake of WebSocket: the answer does not change with how the request is cut, what is given
 * out is clean, and who is taken has what the rules ask for. */
#include <assert.h>
#include <stdlib.h>

#include "net/ws_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_clean(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == ',' || s.p[i] == '"')
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct span origins[] = { SPAN_INIT("https://a.example") };
    static const struct asset assets[] = { { "", "text/html", "\"t\"", (const void *)"x", 1 },
                                           { 0 } };
    static const struct ws_files files = { SPAN_INIT("/softphone/"), assets, SPAN_INIT("") };
    static const struct ws_rules rules = {
        .protocol = SPAN_INIT("sip"), .origins = origins, .n_origins = 1, .files = &files
    };
    char text[WS_HELLO_ANSWER_MAX];
    struct buf b = BUF_INIT(text);
    struct ws_hello h, part;
    size_t used = ws_hello_read(span_of(data, size), &rules, &h);
    assert(used <= size && (used == 0) == (h.status == 0));
    for (size_t cut = 1; cut <= 16; cut++) {
        size_t at = size * cut / 16;
        char *copy = malloc(at ? at : 1); /* of exact size, so that reading on is seen */
        if (at)
            memcpy(copy, data, at);
        size_t n = ws_hello_read(span_of(copy, at), &rules, &part);
        free(copy);
        assert(n == 0 || part.status == h.status);
    }
    if (!used)
        return 0;
    ws_hello_answer(&b, &rules, &h);
    assert(buf_ok(&b));
    assert(h.status == 101 || ((h.why || h.file) && !h.key.p && !h.token.p && !h.ticket.p));
    assert(!h.file || h.status == 200 || h.status == 304);
    assert(ws_hello_body(&h).n == 0 || h.status == 200);
    if (h.status == 101) {
        assert(h.key.n == 24 && is_clean(h.token) && is_clean(h.ticket));
        assert(!h.token.p || !h.ticket.p);
        assert(!h.origin.p || span_caseeq(h.origin, origins[0]));
    }
    return 0;
}
