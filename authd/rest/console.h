/* The web console: files of authd/console, built into the program. They hold no data and no secret;
 * what they show they ask REST for, with the operator's token. */
#ifndef CS_AUTHD_REST_CONSOLE_H
#define CS_AUTHD_REST_CONSOLE_H

#include <stddef.h>

struct console_file {
    const char *name, *type; /* "" is the page itself */
    const char *tag;         /* entity tag, in its quotes */
    const unsigned char *data;
    size_t n;
};

/* Made by console/embed.cmake; ends with a NULL name. */
extern const struct console_file console_files[];

#endif
