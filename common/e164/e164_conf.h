/* How numbers are dialled, as configuration writes it: the keys of a section of struct e164. */
#ifndef CS_E164_E164_CONF_H
#define CS_E164_E164_CONF_H

#include "conf/conf.h"
#include "e164/e164.h"

#define E164_KEYS                                                                                \
    CONF_STR("country", struct e164, country, "Code of the country, 49 for example.",            \
             .required = true, .min = 1, .max = 3),                                              \
        CONF_STR("international_prefix", struct e164, international,                             \
                 "What is dialled before a number of another country.", .def = "00", .max = 8),  \
        CONF_STR("national_prefix", struct e164, national,                                       \
                 "What is dialled before a number of another area; \"\" where there is no such " \
                 "thing.",                                                                       \
                 .def = "0", .max = 8),                                                          \
        CONF_STR("area", struct e164, area,                                                      \
                 "Area code that is put before a number without any prefix; without it such a "  \
                 "number stays as it is.",                                                       \
                 .def = "", .max = 8),                                                           \
        CONF_UINT("shortest", struct e164, shortest,                                             \
                  "A number with fewer digits behind its prefix stays as it is, as 112 must.",   \
                  .def = "7", .min = 1, .max = E164_MAX)

/* The check of such a section. */
void e164_check(struct conf_check *c, void *section);

#endif
