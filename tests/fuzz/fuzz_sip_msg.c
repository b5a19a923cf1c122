/* Messages: whatever is given out can be walked, answered and forwarded, and what was written is
 * read back the same. The first byte says whether the rest came as a datagram. */
#include <assert.h>
#include <stdlib.h>

#include "sip/digest.h"
#include "sip/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char text[2 * 65536 + 4096];

static void walk(const struct sip_msg *m)
{
    for (enum sip_hdr_id id = SIP_HDR_OTHER; id < SIP_HDR_COUNT; id++) {
        uint32_t v;
        int rc = sip_hdr_u32(m, id, &v);
        assert(sip_has(m, id) == (rc != CS_ENOENT));
        for (struct sip_values it = sip_values(m, id); sip_next(&it);) {
            struct sip_addr a;
            struct sip_via via;
            struct digest d;
            assert(it.value.n && it.value.p >= m->raw.p);
            assert(it.value.p + it.value.n <= m->raw.p + m->raw.n);
            rc = sip_addr_parse(it.value, &a);
            assert((rc == 0) == (a.text.p != NULL));
            rc = sip_via_parse(it.value, &via);
            assert((rc == 0) == (via.text.p != NULL));
            rc = digest_parse(it.value, &d);
            assert((rc == 0) == (d.username.p != NULL));
        }
    }
}

static void answer(struct sip_msg *m)
{
    struct buf b = BUF_INIT(text);
    struct sip_msg *again;
    if (addr_parse(SPAN("192.0.2.1:5060"), 0, &m->source))
        abort();
    sip_write_reply(&b, m, m->bad ? m->bad : 200, SPAN_NULL, SPAN("tag"));
    sip_write_end(&b, SPAN_NULL, SPAN(""));
    assert(buf_ok(&b));
    if (m->bad)
        return;
    const struct sip_limits wide = { .message = sizeof(text), .line = 65536 };
    assert(sip_frame(buf_span(&b), &wide) == (ptrdiff_t)b.n);
    int rc = sip_msg_parse(buf_span(&b), false, &wide, &again);
    assert(rc == 0 && again->status == 200 && again->to.tag.p);
    assert(span_eq(again->call_id, m->call_id) && again->cseq == m->cseq);
    sip_msg_unref(&again);
}

static void forward(struct sip_msg *m)
{
    const struct span route = SPAN_INIT("<sip:r;lr>");
    const struct sip_limits wide = { .message = sizeof(text), .line = 65536, .headers = 256 };
    struct buf b = BUF_INIT(text);
    struct sip_edit edit = { .via = SPAN("SIP/2.0/UDP us;branch=z9hG4bKus"),
                             .max_forwards = 69,
                             .drop_routes = 1,
                             .routes = &route,
                             .n_routes = 1,
                             .record_route = SPAN("<sip:us;lr>") };
    struct sip_msg *again;
    if (m->is_request)
        sip_write_request(&b, m, &edit);
    else
        sip_write_response(&b, m, 0, SPAN_NULL);
    assert(buf_ok(&b));
    int rc = sip_msg_parse(buf_span(&b), false, &wide, &again);
    if (m->is_request) {
        assert(rc == 0 && !again->bad && again->method == m->method);
        assert(again->max_forwards == 69 && span_eq(again->via.branch, SPAN("z9hG4bKus")));
        assert(span_eq(again->body, m->body) && span_eq(again->call_id, m->call_id));
    }
    if (rc == 0)
        sip_msg_unref(&again);
    if (m->is_request) {
        b = buf_of(text, sizeof(text));
        sip_write_cancel(&b, m, SPAN("SIP;cause=200"));
        sip_write_ack(&b, m, m);
        assert(buf_ok(&b));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sip_msg *m;
    if (size == 0)
        return 0;
    int rc = sip_msg_parse(span_of(data + 1, size - 1), data[0] & 1, NULL, &m);
    assert((rc == 0) == (m != NULL));
    if (rc)
        return 0;
    assert(m->is_request || !m->bad);
    assert(m->via.host.p && (m->bad || (m->from.text.p && m->to.text.p && m->call_id.p)));
    walk(m);
    if (m->is_request)
        answer(m);
    if (!m->bad)
        forward(m);
    sip_msg_unref(&m);
    return 0;
}
