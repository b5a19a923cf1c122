/* "pattern\nnumber": any text as a destination pattern, and any number beside it. */
#include <assert.h>

#include "b2bua/dialplan/number.h"
#include "b2bua/dialplan/pattern.h"

/* Digit by digit: what leads nowhere stays so, and behind what is full there is nothing. */
static void walk(const struct pattern *p, struct span number)
{
    enum pattern_fit before = PATTERN_PARTIAL;
    for (size_t n = 0; n <= number.n && !p->name.p; n++) {
        struct precision precision;
        const enum pattern_fit fit = pattern_fit(p, span_head(number, n), &precision);
        if (before == PATTERN_NONE || before == PATTERN_FULL)
            assert(fit == PATTERN_NONE);
        if (fit >= PATTERN_FULL)
            assert(precision_written(precision) + precision_ranged(precision) +
                       precision_dots(precision) <=
                   n);
        before = fit;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span number = span_of(data, size), text = span_cut(&number, '\n');
    char words[256], plain[NUMBER_MAX];
    struct buf why = BUF_INIT(words), b = BUF_INIT(plain);
    struct pattern p;
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    const int err = pattern_compile(text, &a, &p, &why);
    assert(err ? why.n > 0 : why.n == 0);
    if (!err) {
        struct precision precision;
        (void)pattern_fit(&p, number, &precision);
        if (number_plain(number, &b) == 0)
            walk(&p, buf_span(&b));
    }
    arena_fini(&a);
    return 0;
}
