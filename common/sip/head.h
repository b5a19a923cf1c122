/* The head of a message: lines, folds, and the names of headers. Shared by framing and parsing, so
 * that they cannot disagree on where a message ends. */
#ifndef CS_SIP_HEAD_H
#define CS_SIP_HEAD_H

#include "sip/msg.h"

enum { SIP_MAX_MESSAGE = 65535, SIP_MAX_LINE = 8192, SIP_MAX_HEADERS = 128 };

struct sip_limits head_limits(const struct sip_limits *limits); /* with defaults put in */

/* One line with those that continue it (RFC 3261, 7.3.1). */
struct head_line {
    struct span text; /* without the CRLF at its end; empty at the end of the head */
    bool bad_end;     /* a bare LF ended one of its lines: two readers could differ */
    bool folded;
};

/* Takes the next line off *in. False when it is not complete yet: a header line is complete when
 * the byte behind its CRLF is there and continues nothing. */
bool head_next(struct span *in, struct head_line *out);
/* Whether a line holds only what a header may: no control characters but tabs, folds and
 * quoted-pairs inside quoted strings, and no line of white space alone. */
bool head_is_clean(const struct head_line *line);
/* Cuts a line at its colon. False if it has none or the name is not a token. */
bool head_split(struct span line, struct sip_hdr *out);
enum sip_hdr_id head_id(struct span name);
/* Whether the text ends as a request line does, or begins as a status line does. */
bool head_is_start_line(struct span line);

#endif
