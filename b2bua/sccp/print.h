/* Messages in words, for people; and the table itself. Keys are never shown. */
#ifndef CS_B2BUA_SCCP_PRINT_H
#define CS_B2BUA_SCCP_PRINT_H

#include <stdio.h>

#include "b2bua/sccp/codec.h"

/* One line: CallState state="off hook" line=1 call=4097. What is zero, or empty, is left out unless
 * there is a word for it. */
void sccp_print(struct buf *b, const struct sccp_frame *f, unsigned version);

/* Every message as it is laid out at that version: offset, bytes, field, values. */
void sccp_describe(FILE *f, unsigned version);

#endif
