/* What a phone sends, at any version: read, shown, and what was read is written and read the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "b2bua/sccp/print.h"
#include "b2bua/sccp/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct sccp_message *m, const struct sccp_dialect *d)
{
    static char first[SCCP_FRAME_MAX], second[SCCP_FRAME_MAX];
    struct buf a = BUF_INIT(first), b = BUF_INIT(second);
    struct sccp_message read;
    struct sccp_frame f;
    if (!sccp_row_of_kind(m->kind, d->version))
        return;
    sccp_encode(&a, d, m->kind, &m->keep_alive);
    if (!buf_ok(&a))
        return; /* an IPv4 address in the place of one of IPv6 */
    ptrdiff_t used = sccp_frame(buf_span(&a), &f);
    assert(used == (ptrdiff_t)a.n);
    int err = sccp_decode(&f, d->version, &read);
    assert(!err && read.kind == m->kind);
    sccp_encode(&b, d, read.kind, &read.keep_alive);
    assert(buf_ok(&b) && span_eq(buf_span(&a), buf_span(&b)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char words[64 * 1024];
    const struct sccp_dialect d = { size ? data[0] % (SCCP_NEWEST + 2) : 0, true };
    char *in = malloc(size + 1); /* its end is watched */
    if (!in || !size) {
        free(in);
        return 0;
    }
    memcpy(in, data + 1, size - 1);
    in = realloc(in, size > 1 ? size - 1 : 1);
    struct span rest = span_of(in, size - 1);
    struct sccp_frame f;
    for (ptrdiff_t n; (n = sccp_frame(rest, &f)) > 0; rest = span_skip(rest, (size_t)n)) {
        struct sccp_message m;
        struct buf b = BUF_INIT(words);
        sccp_print(&b, &f, d.version);
        assert(buf_ok(&b) && span_is_utf8(buf_span(&b)));
        if (!sccp_decode(&f, d.version, &m))
            again(&m, &d);
    }
    free(in);
    return 0;
}
