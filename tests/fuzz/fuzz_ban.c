/* Records of bans: whatever Redis holds is refused, or is a ban that can be written and found. */
#include <assert.h>

#include "authd/defence/ban.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char space[BAN_RECORD_MAX], text[64], id[BAN_ID_LEN + 1], own[BAN_ID_LEN + 1];
    struct buf record = BUF_INIT(space), source = BUF_INIT(text);
    struct arena a;
    struct ban b, again;
    arena_init(&a, NULL, 0, 0);
    if (ban_decode(span_of(data, n), &a, &b) == 0) {
        ban_write_source(&source, &b);
        assert(buf_ok(&source));
        ban_id(&b, id);
        assert(ban_encode(&b, &record) == 0);
        assert(ban_decode(buf_span(&record), &a, &again) == 0);
        ban_id(&again, own);
        assert(strcmp(id, own) == 0 && again.until.ms == b.until.ms);
    }
    arena_fini(&a);
    return 0;
}
