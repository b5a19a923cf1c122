/* Contacts of a redirection: whom they name is in the message. */
#include <assert.h>
#include <stdint.h>

#include "b2bua/call/redirect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct leg_target t[REDIRECT_TARGETS_MAX];
    struct sip_msg *m;
    if (sip_msg_parse(span_of(data, size), true, NULL, &m))
        return 0;
    size_t n = m->is_request ? 0 : redirect_targets(m, t);
    assert(n <= REDIRECT_TARGETS_MAX);
    for (size_t i = 0; i < n; i++)
        assert(t[i].user.n && t[i].user.p >= m->raw.p && t[i].user.p < m->raw.p + m->raw.n);
    sip_msg_unref(&m);
    return 0;
}
