#include "sip/aor.h"

struct span sip_aor_in(struct arena *a, const struct sip_uri *uri)
{
    char text[SIP_AOR_MAX];
    struct buf b = BUF_INIT(text);
    return sip_aor_write(&b, uri) ? SPAN_NULL : arena_dup(a, buf_span(&b));
}
