/* Who may attach: a table of what is asked for, what is known, and what follows. */
#include "authd/check/attachment.h"
#include "lib/test.h"

enum {
    ADDRESS = PROOF_ADDRESS,
    CERT = PROOF_CERTIFICATE,
    NAME = PROOF_DEVICE,
    DIGEST = PROOF_DIGEST
};

static const struct device plain = { .name = SPAN_INIT("a"), .enabled = true };
static const struct device placed = { .name = SPAN_INIT("a"),
                                      .enabled = true,
                                      .address_set = SPAN_INIT("desks") };
static const struct device off = { .name = SPAN_INIT("a") };
static const struct device safe = { .name = SPAN_INIT("a"),
                                    .enabled = true,
                                    .security = DEVICE_AUTHENTICATED };

static const struct row {
    unsigned all, any;
    const struct device *device;
    bool in_set, its_own, tls;
    Countersign__Auth__Cause certificate, want;
} rows[] = {
    /* by its name */
    { NAME, 0, &placed, true, false, false, CAUSE(CAUSE_NONE), CAUSE(OK) },
    { NAME, 0, &placed, false, false, false, CAUSE(CAUSE_NONE), CAUSE(DEVICE_ADDRESS) },
    { NAME, 0, &plain, false, false, false, CAUSE(CAUSE_NONE), CAUSE(DEVICE_ADDRESS) },
    { NAME, 0, NULL, false, false, false, CAUSE(CAUSE_NONE), CAUSE(UNKNOWN_DEVICE) },
    /* by the group's addresses, unless it says where it stands */
    { ADDRESS, 0, &plain, false, false, false, CAUSE(CAUSE_NONE), CAUSE(OK) },
    { ADDRESS, 0, &placed, true, false, false, CAUSE(CAUSE_NONE), CAUSE(OK) },
    { ADDRESS, 0, &placed, false, false, false, CAUSE(CAUSE_NONE), CAUSE(DEVICE_ADDRESS) },
    { ADDRESS, 0, NULL, false, false, false, CAUSE(CAUSE_NONE), CAUSE(UNKNOWN_DEVICE) },
    /* by its certificate */
    { CERT, 0, &plain, false, true, true, CAUSE(OK), CAUSE(OK) },
    { CERT, 0, &plain, false, false, true, CAUSE(OK), CAUSE(DEVICE_CERTIFICATE) },
    { CERT, 0, &plain, false, false, true, CAUSE(CERTIFICATE_MISSING), CAUSE(CERTIFICATE_MISSING) },
    { CERT, 0, &plain, false, false, true, CAUSE(SAN_UNMATCHED), CAUSE(SAN_UNMATCHED) },
    { CERT | NAME, 0, &placed, true, true, true, CAUSE(OK), CAUSE(OK) },
    { CERT | NAME, 0, &placed, false, true, true, CAUSE(OK), CAUSE(DEVICE_ADDRESS) },
    { CERT | NAME, 0, &placed, true, false, true, CAUSE(CERTIFICATE_MISSING),
      CAUSE(CERTIFICATE_MISSING) },
    /* by either; but one that is no good is no trifle */
    { 0, CERT | NAME, &placed, true, false, true, CAUSE(CERTIFICATE_MISSING), CAUSE(OK) },
    { 0, CERT | NAME, &placed, true, false, true, CAUSE(SAN_UNMATCHED), CAUSE(OK) },
    { 0, CERT | NAME, &placed, true, false, true, CAUSE(OK), CAUSE(DEVICE_CERTIFICATE) },
    { 0, CERT | NAME, &placed, true, false, true, CAUSE(CERTIFICATE_EXPIRED),
      CAUSE(CERTIFICATE_EXPIRED) },
    { 0, CERT | NAME, &plain, false, true, true, CAUSE(OK), CAUSE(OK) },
    /* nothing that a desk phone could show */
    { DIGEST, 0, &plain, true, false, false, CAUSE(CAUSE_NONE), CAUSE(DEVICE_UNPROVEN) },
    { DIGEST | CERT, 0, &plain, true, true, true, CAUSE(OK), CAUSE(DEVICE_UNPROVEN) },
    { 0, DIGEST, &plain, true, false, false, CAUSE(CAUSE_NONE), CAUSE(DEVICE_UNPROVEN) },
    { 0, DIGEST | NAME, &placed, true, false, false, CAUSE(CAUSE_NONE), CAUSE(OK) },
    /* who it is is not all */
    { ADDRESS, 0, &off, false, false, false, CAUSE(CAUSE_NONE), CAUSE(DEVICE_DISABLED) },
    { ADDRESS, 0, &safe, false, false, false, CAUSE(CAUSE_NONE), CAUSE(DEVICE_ON_CLEAR_TRANSPORT) },
    { ADDRESS, 0, &safe, false, false, true, CAUSE(CAUSE_NONE), CAUSE(OK) },
};

static void test_each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(rows); i++) {
        const struct row *r = &rows[i];
        const struct group_conf g = { .require = { r->all, r->any } };
        const struct facts f = { .transport = r->tls ? COUNTERSIGN__AUTH__TRANSPORT__SCCPS
                                                     : COUNTERSIGN__AUTH__TRANSPORT__SCCP };
        const struct attachment a = { r->device, r->in_set, r->certificate, r->its_own };
        const Countersign__Auth__Cause got = attachment_of(&g, &f, &a);
        if (got != r->want)
            fail_msg("row %zu: %s", i, cause_name(got).p);
    }
}

static void test_the_addresses_of_the_group_are_looked_at(void **state)
{
    struct cidr net;
    struct place_conf place = { .sources = &net, .n_sources = 1 };
    const struct group_conf g = { .require = { PROOF_ADDRESS, 0 }, .address = &place };
    struct facts f = { .transport = COUNTERSIGN__AUTH__TRANSPORT__SCCP };
    const struct attachment a = { &plain, false, CAUSE(CAUSE_NONE), false };
    (void)state;
    assert_int_equal(cidr_parse(SPAN("192.0.2.0/24"), &net), 0);
    assert_int_equal(addr_parse(SPAN("192.0.2.7"), 1, &f.source), 0);
    assert_int_equal(attachment_of(&g, &f, &a), CAUSE(OK));
    assert_int_equal(addr_parse(SPAN("198.51.100.7"), 1, &f.source), 0);
    assert_int_equal(attachment_of(&g, &f, &a), CAUSE(ADDRESS_NOT_ALLOWED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row),
        cmocka_unit_test(test_the_addresses_of_the_group_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
