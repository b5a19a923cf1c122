/* The file of call records: those of one turn of the loop leave in one write, at its end. */
#ifndef CS_B2BUA_CALL_RECORD_FILE_H
#define CS_B2BUA_CALL_RECORD_FILE_H

#include "net/loop.h"

enum { RECORD_FILE_TURN = 65536 }; /* bytes that a turn collects before it writes */

struct record_file { /* embedded in its owner */
    struct loop *loop;
    int fd; /* -1: there is none, and nothing is kept */
    struct turn turn;
    size_t n;
    char *waiting; /* whole lines */
};

void record_file_init(struct record_file *f, struct loop *l);
/* Appends to this file; of one that is open already, what waits is written there first. NULL: to
 * none. CS_EDENIED, CS_ENOMEM: nothing has changed. */
CS_CHECK int record_file_open(struct record_file *f, const char *path);
/* line: with its line feed. */
void record_file_add(struct record_file *f, struct span line);
/* Writes what waits. */
void record_file_close(struct record_file *f);

#endif
