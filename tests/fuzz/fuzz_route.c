/* Targets and hosts as a stranger may write them: method-less, "path?query\nhost". */
#include "http/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const patterns[] = { "/v1/users", "/v1/users/{user}",
                                            "/v1/users/{user}/password", "/{a}/{b}" };
    struct span host = span_of(data, size);
    struct span query = span_cut(&host, '\n');
    struct span path = span_cut(&query, '?');
    struct route_pairs pairs;
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (route_match(patterns[i], path) && route_params(patterns[i], path, &a, &pairs) == 0)
            (void)route_pair_get(&pairs, SPAN("user"));
    }
    if (route_query(query, &a, &pairs) == 0)
        (void)route_pair_get(&pairs, SPAN("realm"));
    route_host_is_ours(host, "authd.example.com");
    route_media_is(host, SPAN("application/json"));
    arena_fini(&a);
    return 0;
}
