/* Packets of TFTP (RFC 1350) with options (RFC 2347), of the side that gives files. Pure. */
#ifndef CS_B2BUA_PROVISIONING_TFTP_PACKET_H
#define CS_B2BUA_PROVISIONING_TFTP_PACKET_H

#include "base/buf.h"
#include "base/span.h"

enum tftp_op { TFTP_RRQ = 1, TFTP_WRQ, TFTP_DATA, TFTP_ACK, TFTP_ERROR, TFTP_OACK };
enum tftp_error { TFTP_SAYS = 0, TFTP_NOT_FOUND = 1, TFTP_DENIED = 2, TFTP_ILLEGAL = 4 };
enum { TFTP_BLOCK = 512, TFTP_BLOCK_MAX = 1400 /* whole on Ethernet */, TFTP_PACKET_MAX = 1500 };

struct tftp_packet { /* spans borrow */
    enum tftp_op op;
    uint16_t block;   /* ACK; of ERROR its code */
    struct span file; /* RRQ, WRQ */
    bool octet;       /* mode octet; netascii and mail are not */
    uint16_t blksize; /* RFC 2348: what was asked for, at most TFTP_BLOCK_MAX; 0: nothing */
    bool tsize;       /* RFC 2349: it wants to know how long the file is */
};
/* CS_EPROTO for what is none that a phone sends. Options that are not known are passed over. */
CS_CHECK int tftp_parse(struct span data, struct tftp_packet *out);

void tftp_write_data(struct buf *b, uint16_t block, struct span data);
void tftp_write_error(struct buf *b, enum tftp_error code, const char *words);
/* Acknowledges what of p's options is taken; size: of the file. False: there is nothing to. */
bool tftp_write_oack(struct buf *b, const struct tftp_packet *p, size_t size);

#endif
