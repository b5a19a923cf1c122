/* Dialogs out of whatever comes: what is then written inside them is good SIP. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "b2bua/ua/dialog.h"
#include "sip/write.h"

static const struct sip_limits wide = { 1 << 20, 1 << 17, 4096 };

static void look(struct dialog *d, const struct sip_msg *m)
{
    static char text[1 << 19];
    struct buf b = BUF_INIT(text);
    struct sip_msg *again;
    struct sip_uri hop;
    assert(d->established && d->remote_tag.p && d->call_id.p && d->target);
    (void)!dialog_next_hop(d, &hop);
    (void)dialog_takes(d, m);
    dialog_refresh(d, m);
    dialog_write(&b, d, SPAN("BYE"), 1, SPAN("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"), 70);
    sip_write_end(&b, SPAN_NULL, SPAN_NULL);
    assert(buf_ok(&b));
    int err = sip_msg_parse(buf_span(&b), false, &wide, &again);
    assert(err == 0 && !again->bad && again->method == SIP_BYE);
    assert(span_eq(again->call_id, d->call_id));
    sip_msg_unref(&again);
    dialog_fini(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dialog d, other;
    struct sip_msg *m;
    if (sip_msg_parse(span_of(data, size), true, NULL, &m))
        return 0;
    if (m->is_request && !m->bad && dialog_of_invite(&d, m, SPAN("ours")) == 0)
        look(&d, m);
    if (!m->is_request && dialog_to(&d, SPAN("<sip:a@example.com>"), SPAN("<sip:b@example.com>"),
                                    SPAN("sip:b@example.com"), 1) == 0) {
        if (dialog_sibling(&d, m, &other) == 0)
            look(&other, m);
        if (dialog_establish(&d, m) == 0)
            look(&d, m);
        else
            dialog_fini(&d);
    }
    sip_msg_unref(&m);
    return 0;
}
