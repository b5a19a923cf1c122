/* A REGISTER of a stranger as far as it changes bindings: its Contacts, what it asks of RFC 5626,
 * the record that becomes of it, twice, and the GRUUs that the answer would tell. */
#include <assert.h>
#include <stdint.h>

#include "registrar/binding.h"
#include "registrar/gruu.h"
#include "registrar/outbound.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct span aor = SPAN_INIT("sip:alice@example.com");

static void check_gruus(const Countersign__Store__Location *record)
{
    for (size_t i = 0; record && i < record->n_binding; i++) {
        struct span instance = span_str(record->binding[i]->instance);
        char text[1024];
        struct buf b = BUF_INIT(text);
        struct sip_uri uri;
        if (!gruu_has(instance))
            continue;
        gruu_write(&b, aor, instance);
        assert(buf_ok(&b));
        int err = sip_uri_parse(buf_span(&b), &uri);
        assert(!err && gruu_is_ours(&uri) && gruu_names(&uri, instance));
    }
}

static void apply(struct sip_msg *m, struct register_ask *ask)
{
    static char lines[65536];
    struct buf b = BUF_INIT(lines);
    struct register_answer first, again;
    if (binding_apply(NULL, ask, &m->arena, &first) || first.status != 200)
        return;
    check_gruus(first.record);
    binding_write_contacts(&b, first.record, ask->now, aor);
    ask->cseq++; /* a refresh: nothing new but its time */
    if (binding_apply(first.record, ask, &m->arena, &again) || again.status != 200)
        return;
    assert(again.record->n_binding == first.record->n_binding);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sip_msg *m;
    if (sip_msg_parse(span_of(data, size), true, NULL, &m))
        return 0;
    const char *why;
    struct register_ask ask = { .call_id = m->call_id,
                                .cseq = m->cseq,
                                .flow = SPAN("token"),
                                .now = { 1700000000000 },
                                .expires_min = 60,
                                .expires_max = 7200,
                                .expires_default = 3600,
                                .max_contacts = 20 };
    if (m->is_request && !m->bad && m->cseq < UINT32_MAX &&
        binding_read_contacts(m, &m->arena, &ask, &why) == 0) {
        (void)gruu_names(&m->uri, SPAN("<urn:uuid:1>"));
        enum outbound got = outbound_judge(m, ask.contacts, ask.n_contacts, false);
        if (got == OUTBOUND_LACKING)
            assert(outbound_judge(m, ask.contacts, ask.n_contacts, true) == OUTBOUND_NONE);
        apply(m, &ask);
    }
    sip_msg_unref(&m);
    return 0;
}
