/* The elements that trust lists and signed files of Cisco's phones are made of: a tag of one byte,
 * a length of two in network order, a value. Overflow sticks in the buffer. */
#ifndef CS_B2BUA_PROVISIONING_TLV_H
#define CS_B2BUA_PROVISIONING_TLV_H

#include "base/buf.h"

void tlv_put(struct buf *b, unsigned tag, struct span value);
/* With the NUL behind it, which is counted. */
void tlv_text(struct buf *b, unsigned tag, struct span text);
void tlv_u8(struct buf *b, unsigned tag, unsigned value);
void tlv_u16(struct buf *b, unsigned tag, unsigned value);
void tlv_u32(struct buf *b, unsigned tag, uint32_t value);
/* One that holds others: what is written between the two. */
size_t tlv_begin(struct buf *b, unsigned tag);
void tlv_end(struct buf *b, size_t at);
/* Writes over the two bytes there. */
void tlv_patch(struct buf *b, size_t at, size_t value);

#endif
