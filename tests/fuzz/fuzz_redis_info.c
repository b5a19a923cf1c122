/* What Redis says of itself, judged by csctl doctor: any text leads to findings that are text. */
#include <assert.h>
#include <stdint.h>

#include "tools/csctl/doctor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct doctor d = { .findings = json_array() };
    const struct redis_facts f = { .info = span_of(data, size), .by_address = size & 1 };
    struct span value = redis_info(f.info, SPAN("role"));
    assert(!value.p ||
           (value.p > (const char *)data && value.p + value.n <= (const char *)data + size));
    doctor_judge_redis(&d, &f);
    size_t i;
    json_t *e;
    json_array_foreach(d.findings, i, e)
    {
        assert(json_is_string(json_object_get(e, "what")));
        assert(json_is_string(json_object_get(e, "level")));
    }
    json_decref(d.findings);
    return 0;
}
