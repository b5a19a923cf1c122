/* Bodies of the REST's user requests. */
#include "authd/rest/wish.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char generated[USER_PASSWORD_LEN + 1];
    struct arena a;
    struct wish w;
    struct fault f;
    bool weak;
    json_t *j = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    arena_init(&a, NULL, 0, 0);
    if (json_is_object(j) &&
        wish_parse(j, WISH_NAME | WISH_FIELDS | WISH_SECRET | WISH_OVERLAP, &a, &w, &f) == 0 &&
        wish_check_secret(&w, generated, &weak, &f) == 0) {
        struct user u = { .name = w.name, .realm = w.realm.p ? w.realm : SPAN("example.com") };
        if (wish_apply(&w, true, &a, &u, &f) == 0)
            json_decref(user_to_json(&u));
    }
    arena_fini(&a);
    json_decref(j);
    return 0;
}
