/* Challenges of a server that csctl's phone chooses from and answers: what it writes can be read
 * again, and says what was asked. */
#include <assert.h>

#include "common/tools/csctl/phone_digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sip_limits limits = { 8192, 4096, 64 };
    static char text[16384];
    const struct digest_answer who = { .user = SPAN("alice"),
                                       .password = SPAN("secret"),
                                       .method = SPAN("REGISTER"),
                                       .uri = SPAN("sip:example.com"),
                                       .cnonce = SPAN("c0"),
                                       .nc = 1 };
    struct digest_challenge c;
    struct digest d;
    struct sip_msg *m;
    struct buf b = BUF_INIT(text);
    if (sip_msg_parse(span_of(data, size), true, &limits, &m))
        return 0;
    if (!m->is_request && phone_digest_choose(m, &c) == 0 &&
        phone_digest_write(&b, &c, &who) == 0 && buf_ok(&b)) {
        assert(digest_parse(buf_span(&b), &d) == 0);
        assert(span_eq(d.username, who.user) && d.alg == c.alg && d.response.n >= 32);
    }
    sip_msg_unref(&m);
    return 0;
}
