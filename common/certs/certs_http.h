/* POST /reload of a daemon: has its certificates looked at. */
#ifndef CS_CERTS_CERTS_HTTP_H
#define CS_CERTS_CERTS_HTTP_H

#include "certs/certs.h"
#include "http/httpd.h"

/* Looks whether certificates changed, as is done anyway when the system tells of it: who asks can
 * do no more than that. Answers how each stands; 409 when what the files hold cannot be used. */
void certs_answer(struct certs *c, struct http_req *r);

#endif
