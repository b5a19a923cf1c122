/* "rule\nnumber": any text as a translation rule, and any number beside it; and the E.164 form. */
#include <assert.h>

#include "b2bua/dialplan/number.h"
#include "b2bua/dialplan/rule.h"
#include "e164/e164.h"

static void e164(struct span number)
{
    static const struct e164 countries[] = {
        { .country = SPAN_INIT("1"),
          .international = SPAN_INIT("011"),
          .national = SPAN_INIT("1"),
          .access = SPAN_INIT("9*"),
          .shortest = 7 },
        { .country = SPAN_INIT("49"),
          .international = SPAN_INIT("00"),
          .national = SPAN_INIT("0"),
          .area = SPAN_INIT("30"),
          .shortest = 1 },
        { .country = SPAN_INIT("34"), .international = SPAN_INIT("00"), .shortest = 9 },
    };
    for (size_t i = 0; i < CS_LEN(countries); i++) {
        char text[E164_MAX + 1];
        struct buf b = BUF_INIT(text);
        const bool changed = e164_from(&countries[i], number, &b);
        assert(buf_ok(&b) && changed == (b.n > 0));
        assert(!changed || (text[0] == '+' && number_is(buf_span(&b))));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span number = span_of(data, size), text = span_cut(&number, '\n');
    char words[256], result[NUMBER_MAX];
    struct buf why = BUF_INIT(words), b = BUF_INIT(result);
    struct rule r;
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    e164(number);
    const int err = rule_compile(text, &a, &r, &why);
    assert(err ? why.n > 0 : r.number >= 1 && r.number <= RULE_NUMBER_MAX);
    if (!err) {
        const enum rule_effect effect = rule_apply(&r, number, &b);
        assert(effect != RULE_NONE || b.n == 0);
        assert(effect != RULE_REPLACED || buf_ok(&b));
        assert(effect != RULE_REPLACED || !r.reject);
    }
    arena_fini(&a);
    return 0;
}
