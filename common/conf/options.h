/* The command line of a daemon, which is that of every other: where its configuration is, and what
 * may be asked about it. */
#ifndef CS_CONF_OPTIONS_H
#define CS_CONF_OPTIONS_H

#include "conf/conf.h"

struct conf_program {
    const char *name;  /* "authd", whose configuration is authd.yaml */
    const char *usage; /* for --help */
    const struct conf_section *root;
    const char *task; /* one option more, which takes an argument and is all there is to do; NULL */
    int (*run)(const char *arg); /* does it: 0 or an error, said already */
};

struct conf_options {
    const char *config; /* the file */
    bool check;         /* say what is wrong with it, no more */
};

/* Prints what was asked for. Returns an exit status, or -1 to go on with *out. */
CS_CHECK int conf_options(int argc, char **argv, const struct conf_program *p,
                          struct conf_options *out);

#endif
