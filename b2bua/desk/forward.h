/* Where calls of a line go that its phone does not take: the number is called as if the line had
 * dialled it (call/diversion.c). What is set at the phone is in force when authd has it. */
#ifndef CS_B2BUA_DESK_FORWARD_H
#define CS_B2BUA_DESK_FORWARD_H

#include "b2bua/desk/desks.h"

enum forward { FORWARD_ALL, FORWARD_BUSY, FORWARD_NO_ANSWER };

/* Borrowed until the loop turns; absent: nowhere. */
struct span forward_to(const struct desk_line *l, enum forward when);
/* Where all calls of a line go, as the first of its phones here says: nobody rings at any of them
 * then, nor at other phones of its user. Absent: nowhere. */
struct span forward_of_line(const struct desks *d, struct span aor);
/* All of its calls, at each phone that has it; an empty number takes that away. */
void forward_set(const struct desk_line *l, struct span to);
/* A Contact for who calls there (RFC 3261, 8.1.3.4). */
void forward_write(struct buf *b, const struct desk_line *l, struct span to);

#endif
