/* Codecs by their names, for the text of a Warning: each once, and of very many the first. Pure. */
#ifndef CS_B2BUA_SESSION_CODEC_NAMES_H
#define CS_B2BUA_SESSION_CODEC_NAMES_H

#include "base/buf.h"
#include "sdp/sdp.h"

enum { CODEC_NAMES_MAX = 182 /* bytes that each of these appends at most */ };

void codec_names_put(struct buf *b, const struct span *names, size_t n);
/* Of all streams that are wanted and could be carried. */
void codec_names_put_all(struct buf *b, const struct sdp *d);

#endif
