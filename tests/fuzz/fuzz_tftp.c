/* A packet of TFTP: read without a byte too many, and answered within a packet. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "b2bua/provisioning/tftp_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[TFTP_PACKET_MAX];
    struct buf b = BUF_INIT(out);
    struct tftp_packet p, again;
    char *in = malloc(size ? size : 1); /* its end is watched */
    if (!in)
        return 0;
    memcpy(in, data, size);
    if (tftp_parse(span_of(in, size), &p)) {
        assert(!p.op && !p.file.p);
    } else if (p.op == TFTP_RRQ || p.op == TFTP_WRQ) {
        assert(p.file.n && p.file.p >= in && p.file.p + p.file.n < in + size);
        assert(p.blksize == 0 || (p.blksize >= 8 && p.blksize <= TFTP_BLOCK_MAX));
        assert(tftp_write_oack(&b, &p, 16384) == (p.blksize || p.tsize));
        assert(buf_ok(&b) && tftp_parse(buf_span(&b), &again)); /* nobody sends us one */
    } else {
        assert(p.op == TFTP_ACK || p.op == TFTP_ERROR);
    }
    free(in);
    return 0;
}
