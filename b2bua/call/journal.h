/* A local file of the dialogs that stand, so that a process that comes back can end what the one
 * before it left. A line of JSON for each that begins, another when it is over; what was written
 * survives the end of the process, not that of the machine. Lines of one turn of the loop are
 * written together, before what the turn has to send; that a dialog is over is written with the
 * next one that begins, or a second later. */
#ifndef CS_B2BUA_CALL_JOURNAL_H
#define CS_B2BUA_CALL_JOURNAL_H

#include "b2bua/ua/dialog.h"
#include "net/loop.h"

struct journal;
struct journal_line; /* a dialog that is noted; the journal's, until journal_remove() */

struct journal_entry { /* texts are borrowed for the call */
    struct dialog *dialog;
    struct span trunk; /* absent: a line; */
    uint32_t node;     /* of that registrar */
};

/* Tells of each dialog that was left; the dialog is the callee's to keep, by a copy of the struct.
 * line is what journal_remove() takes. */
typedef void journal_fn(void *arg, struct journal_line *line, const struct journal_entry *e);

/* Lines that make no sense are passed over with a warning. libuv's codes when the file cannot be
 * written. */
CS_CHECK int journal_open(struct loop *loop, const char *path, journal_fn *fn, void *arg,
                          struct journal **out);
/* What is in it stays. */
void journal_close(struct journal **j);
/* NULL when it could not be kept; what is wrong was logged. */
struct journal_line *journal_add(struct journal *j, const struct journal_entry *e);
void journal_remove(struct journal *j, struct journal_line *line);

#endif
