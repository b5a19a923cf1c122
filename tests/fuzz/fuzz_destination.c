/* Any user part as the destination of a call: whatever it hides behind, a rule for its prefix fits.
 */
#include <assert.h>

#include "authd/calls/destination.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct e164 country = { .country = SPAN_INIT("49"),
                                         .international = SPAN_INIT("00"),
                                         .national = SPAN_INIT("0"),
                                         .shortest = 7 };
    struct destination to;
    destination_read(n && data[0] % 2 ? &country : NULL, span_of(data, n), &to);
    assert(to.number.n <= DESTINATION_MAX && to.form.n <= E164_MAX + 1);
    assert(!to.form.p || (to.form.n > 1 && to.form.p[0] == '+'));
    assert(!to.country.p || to.form.p);
    for (size_t i = 0; i < to.number.n; i++)
        assert(to.number.p[i] != '-' && to.number.p[i] != ';');
    struct span prefix = span_head(to.number, 3);
    struct destination_rule rule = { .prefixes = &prefix, .n_prefixes = 1 };
    const struct calls_conf conf = { .destinations = &rule, .n_destinations = 1 };
    const struct destination_call call = { .to = &to };
    assert(!prefix.n || destination_rule(&conf, &call) == &rule);
    return 0;
}
