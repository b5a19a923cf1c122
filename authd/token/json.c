#include "authd/token/json.h"

json_t *json_read_object(struct span text)
{
    json_t *j = text.p ? json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_is_object(j))
        return j;
    json_decref(j);
    return NULL;
}

struct span json_text(const json_t *string)
{
    return span_of(json_string_value(string), json_string_length(string));
}

struct span json_member(const json_t *object, const char *name)
{
    return json_text(json_object_get(object, name));
}
