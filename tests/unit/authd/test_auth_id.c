/* R-15, R-16: whose an authentication name is, however a phone writes it. */
#include "authd/check/auth_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"

enum { U = FORM_USER, D = FORM_USER_AT_DOMAIN, E = FORM_E164 };

static void test_a_name_is_read_as_the_group_takes_it(void **state)
{
    (void)state;
    static const struct {
        const char *shown;
        unsigned forms;
        const char *user; /* "": nobody's */
    } rows[] = {
        { "1001", U, "1001" },
        { "1001@example.com", U, "1001@example.com" }, /* somebody may be called so */
        { "+491001", U, "+491001" },
        { "1001", D | E, "" },
        { "1001@example.com", U | D, "1001" },
        { "a@b@example.com", U | D, "a@b" },
        { "@example.com", U | D, "" },
        { "1001@", U | D, "1001" }, /* for which there is no verifier */
        { "+491001", U | E, "491001" },
        { "+491001@example.com", U | D | E, "+491001" },
        { "+", U | E, "+" },
        { "+49x", U | E, "+49x" },
        { "+1234567890123456", U | E, "+1234567890123456" }, /* E.164 has fifteen digits */
        { "", U | D | E, "" },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct span user = auth_id_user(span_str(rows[i].shown), rows[i].forms);
        if (!span_eq(user, span_str(rows[i].user)))
            fail_msg("row %zu: " SPAN_FMT, i, SPAN_ARG(user));
    }
}

static void test_a_user_is_called_by_domain_and_number(void **state)
{
    (void)state;
    const struct span aors[] = { SPAN("sip:491001@example.com"),   SPAN("sip:100@example.com"),
                                 SPAN("sip:491001@other.example"), SPAN("sip:a@c.example"),
                                 SPAN("sip:a@d.example"),          SPAN("sip:a@e.example") };
    static const struct {
        const char *name;
        unsigned forms;
        size_t n_aors, n;
        const char *names[AUTH_ID_MAX];
    } rows[] = {
        { "491001", U, 6, 0, { NULL } },
        { "491001", E, 6, 1, { "+491001" } },
        { "alice", U | E, 6, 0, { NULL } },
        { "491001", D, 3, 2, { "491001@example.com", "491001@other.example" } },
        { "491001", D, 0, 0, { NULL } },
        { "491001",
          U | D | E,
          6,
          5,
          { "491001@example.com", "491001@other.example", "491001@c.example", "491001@d.example",
            "+491001" } },
    };
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        struct span names[AUTH_ID_MAX];
        struct arena a;
        size_t n;
        arena_init(&a, NULL, 0, 0);
        assert_int_equal(auth_id_names(span_str(rows[i].name), aors, rows[i].n_aors, rows[i].forms,
                                       &a, names, &n),
                         0);
        assert_int_equal(n, rows[i].n);
        for (size_t k = 0; k < n; k++) {
            if (!span_eq(names[k], span_str(rows[i].names[k])))
                fail_msg("row %zu: " SPAN_FMT, i, SPAN_ARG(names[k]));
        }
        arena_fini(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_is_read_as_the_group_takes_it),
        cmocka_unit_test(test_a_user_is_called_by_domain_and_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
