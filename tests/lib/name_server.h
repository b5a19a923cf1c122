/* A real name server (nsd) of a test's own on 127.0.0.1, which answers for every name there is: the
 * records are those of its one zone, the root's. It dies with the test. */
#ifndef CS_TESTS_NAME_SERVER_H
#define CS_TESTS_NAME_SERVER_H

#include "base/addr.h"

struct name_server {
    struct addr at; /* kept from one start to the next */
    int pid;        /* 0: not running */
};

/* Starts it with these lines of a zone file ("a.example. 60 IN A 192.0.2.1\n"), and waits until it
 * answers. What is not there is told with a SOA whose minimum is 60 seconds. Where nsd is not
 * installed the process says so and exits with 77. */
void name_server_start(struct name_server *s, const char *records);
void name_server_stop(struct name_server *s);

#endif
