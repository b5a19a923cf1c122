#include "e164/e164_conf.h"

static bool is_digits(struct span s, const char *more)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_digit(s.p[i]) && !strchr(more, s.p[i]))
            return false;
    }
    return true;
}

void e164_check(struct conf_check *c, void *section)
{
    const struct e164 *e = section;
    const struct {
        const char *key;
        struct span value;
        const char *more;
    } values[] = { { "country", e->country, "" },
                   { "international_prefix", e->international, "" },
                   { "national_prefix", e->national, "" },
                   { "area", e->area, "" },
                   { "access_prefix", e->access, "*#" } };
    for (size_t i = 0; i < CS_LEN(values); i++) {
        if (!is_digits(values[i].value, values[i].more))
            conf_error(c, values[i].key, "is written with digits alone, without + or spaces");
    }
}
