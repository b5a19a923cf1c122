/* What is wrong with a trunk, when somebody asks: each target is asked whether it is there, then a
 * request goes the way of calls, with credentials that authd signs; it is a call to test_number,
 * which is given up when it rings, where there is one, else OPTIONS. Answers in words. */
#ifndef CS_B2BUA_TRUNK_TRUNK_TEST_H
#define CS_B2BUA_TRUNK_TRUNK_TEST_H

#include "b2bua/trunk/trunks.h"
#include "http/httpd.h"

/* Answers the request, later: 404 where there is no such trunk. */
void trunk_test(struct ua *u, struct http_req *r, struct span name);
/* Gives all of them up, before the server of HTTP is closed. */
void trunk_tests_drop(struct ua *u);

#endif
