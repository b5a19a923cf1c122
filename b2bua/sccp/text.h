/* Texts on the wire: UTF-8 where a phone says that it knows it, else ISO 8859-1; and labels, which
 * the phone shows in its user's language. */
#ifndef CS_B2BUA_SCCP_TEXT_H
#define CS_B2BUA_SCCP_TEXT_H

#include "base/buf.h"

/* Before the number of a label. It begins no character of UTF-8, so that no name contains one. */
#define SCCP_LABEL_MARK "\x80"
/* A text that is a label: SCCP_LABEL("\x18"). */
#define SCCP_LABEL(number) SPAN(SCCP_LABEL_MARK number)

/* Writes UTF-8 as the phone reads it, in at most `most` bytes, cut between characters. What cannot
 * be said is written by the letters next to it, or as "?"; a control character as a space. Labels
 * pass where they may stand, and are "?" elsewhere. Returns the bytes written. */
size_t sccp_text_write(char *out, size_t most, struct span text, bool utf8, bool labels);

/* Appends a text that was read, as UTF-8; what is not UTF-8 is taken for ISO 8859-1, since phones
 * send that whatever they say. Labels are in brackets: [Ring out]. */
void sccp_text_read(struct buf *b, struct span text, bool labels);

#endif
