/* What a server sends to the load generator: answers, and messages that it passes on. */
#include <assert.h>

#include "tests/bench/sipload/callee.h"
#include "tests/bench/sipload/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct site site;
    struct answer a;
    struct delivery d;
    char text[1400];
    struct buf b = BUF_INIT(text);
    if (!site.hash) {
        struct hash *hash = hash_new(SPAN("MD5"));
        assert(hash);
        site_init(&site, SPAN("example.com"), SPAN("example.com"), hash, 600);
        site.run = 0xabc;
    }
    if (!message_read(span_of(data, size), &site, &a)) {
        assert(a.status <= 699 && a.call_id.p && a.contacts <= ANSWER_CONTACTS);
        assert(a.challenge.nonce.n <= PHONE_NONCE && a.challenge.opaque.n <= PHONE_OPAQUE);
    }
    struct span in = span_of(data, size), out;
    unsigned opcode;
    while (frame_sip(&in, &out) == 1)
        assert(out.n >= 4 && out.p + out.n == in.p);
    in = span_of(data, size);
    while (frame_ws(&in, &opcode, &out) == 1)
        assert(opcode <= 15 && out.p + out.n == in.p);
    in = span_of(data, size);
    if (frame_welcome(&in) == 1)
        assert(in.n < size);
    if (!callee_answer(&b, span_of(data, size), &d))
        assert(span_starts(buf_span(&b), SPAN("SIP/2.0 200 OK\r\n")) && d.uri.p);
    return 0;
}
