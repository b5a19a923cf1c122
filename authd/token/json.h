/* JSON that strangers and issuers send: read strictly, by jansson. */
#ifndef CS_AUTHD_TOKEN_JSON_H
#define CS_AUTHD_TOKEN_JSON_H

#include <jansson.h>

#include "base/span.h"

/* The object that is all of text, to be released by json_decref(); NULL if it is none, is followed
 * by more, or names a member twice, which two readers could understand differently (RFC 8725,
 * 2.4). */
json_t *json_read_object(struct span text);
/* A member that is a string; absent if it is not there or something else. Borrowed. */
struct span json_member(const json_t *object, const char *name);
struct span json_text(const json_t *string);

#endif
