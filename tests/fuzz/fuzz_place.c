/* Any text as the cursor of an inspection: what is one is written again as the same place. */
#include <assert.h>
#include <string.h>

#include "authd/inspect/place.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { STEPS = 12 };
    struct place p = { .at = "0" }, again = { .at = "0" };
    char text[PLACE_TEXT_MAX];
    if (place_parse(span_of((const char *)data, size), STEPS, &p))
        return 0;
    assert(p.step < STEPS && p.at[0]);
    place_write(&p, text);
    assert(place_parse(span_str(text), STEPS, &again) == 0);
    assert(p.generation == again.generation && p.step == again.step && p.sub == again.sub &&
           strcmp(p.at, again.at) == 0);
    return 0;
}
