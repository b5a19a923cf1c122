/* Where digits lead: one configuration, and tables of calls. */
#include "b2bua/dialplan/dial.h"
#include "b2bua/dialplan/dialplan_conf.h"
#include "lib/guard.h"
#include "lib/test.h"

static const char yaml[] =
    "translations:\n"
    "  - name: adde164\n" /* W-05 */
    "    e164: { country: 1, international_prefix: \"011\", national_prefix: \"1\",\n"
    "            access_prefix: \"9*\" }\n"
    "  - { name: main, calling: ['rule 1 /^.*$/ /+18005550100/'] }\n"
    "  - { name: strip, called: ['rule 1 /^\\+1800555/ //', 'rule 2 reject /^\\+1900/'],\n"
    "      calling: ['rule 1 reject /^\\+1888/', 'rule 2 /^$/ /0000/'] }\n"
    "  - { name: no-nines, called: ['rule 1 reject /^+1.*999$/'] }\n"
    "  - { name: no-premium, called: ['rule 1 reject /^9\\*1976/'] }\n"
    "  - { name: no-toll-free, called: ['rule 1 reject /^9\\*188/'] }\n"
    "schedules:\n"
    "  - { name: office, time_zone: \"CET-1CEST,M3.5.0,M10.5.0/3\", open: ['Mon-Fri "
    "08:00-18:00'],\n"
    "      closed: ['12-25'] }\n"
    "contexts:\n"
    "  - name: phones\n"
    "    includes: [internal, emergency]\n"
    "    entries:\n"
    "      - pattern: 9*.T\n"
    "        translation: adde164\n"
    "        to:\n"
    "          - { trunk: backup, priority: 2 }\n"
    "          - { trunk: spare, priority: 1 }\n"
    "          - { trunk: east, priority: 1, weight: 10, translation: main }\n"
    "          - { trunk: west, priority: 1, weight: 30, translation: no-nines }\n"
    "      - { pattern: 9*1900T, to: [{ refuse: 403 }] }\n"
    "      - { pattern: 9*1900555T, callers: [\"100.\", user boss], not_callers: [\"1009\"],\n"
    "          to: [{ trunk: east }] }\n"
    "      - { pattern: 9*1976T, translation: no-premium, to: [{ trunk: east }] }\n"
    "      - { pattern: 9*18888T, huntstop: true, to: [{ trunk: east, translation: no-toll-free }] "
    "}\n"
    "      - { pattern: \"112....\", to: [{ line: lab }] }\n"
    "      - { pattern: \"*72#\", to: [{ extension: forward }] }\n"
    "  - name: internal\n"
    "    includes: [features, phones]\n" /* a circle */
    "    entries:\n"
    "      - { pattern: 1..., to: [{ line: \"{called}\" }] }\n"
    "      - { pattern: \"2000\", during: office, huntstop: true, to: [{ line: reception }] }\n"
    "      - { pattern: \"2000\", outside: office, to: [{ extension: \"voicemail-{called}\" }] }\n"
    "      - { pattern: 2..., to: [{ line: ward }] }\n"
    "      - { pattern: 3..., during: office, to: [{ line: shop }] }\n"
    "      - { pattern: user sales-*, to: [{ line: sales }] }\n"
    "      - { pattern: user *, to: [{ line: \"{called}\" }] }\n"
    "  - name: features\n"
    "    entries:\n"
    "      - { pattern: \"*43\", to: [{ extension: \"*43\" }] }\n"
    "      - { pattern: 1..., to: [{ line: never-first }] }\n"
    "  - name: emergency\n"
    "    entries:\n"
    "      - { pattern: \"112\", emergency: true, to: [{ trunk: east }, { trunk: west }] }\n"
    "      - { pattern: 9%112, emergency: true, to: [{ trunk: west }] }\n"
    "  - name: carrier\n"
    "    translation: strip\n"
    "    includes: [internal]\n"
    "  - name: empty\n";

static struct arena arena;
static struct dialplan plan;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 0);
    return conf_parse(guard_span(span_str(yaml)), "t.yaml", &dialplan_conf_section, &arena, &plan,
                      NULL, NULL);
}

static int end(void **state)
{
    (void)state;
    arena_fini(&arena);
    guard_release();
    return 0;
}

static const struct dialplan_context *context(const char *name)
{
    const struct dialplan_context *c = dialplan_context(&plan, span_str(name));
    assert_non_null(c);
    return c;
}

static struct wall at(const char *text)
{
    struct wall t;
    assert_int_equal(wall_parse(span_str(text), &t), 0);
    return t;
}

static void write_candidates(struct buf *b, const struct dialplan_answer *a)
{
    static const char *const kinds[] = { "line", "trunk", "extension", "refuse" };
    if (!a->n)
        buf_printf(b, "%u", a->status);
    for (size_t i = 0; i < a->n; i++) {
        const struct dialplan_candidate *c = &a->candidates[i];
        buf_printf(b, "%s%s ", i ? ", " : "", kinds[c->kind]);
        if (c->kind == DIALPLAN_REFUSE)
            buf_u64(b, c->status);
        else
            buf_printf(b, SPAN_FMT " " SPAN_FMT, SPAN_ARG(c->name), SPAN_ARG(c->called));
        if (!span_eq(c->calling, SPAN("1001")))
            buf_printf(b, " from " SPAN_FMT, SPAN_ARG(c->calling));
    }
    if (a->emergency)
        buf_lit(b, " !");
}

#define NOON  "2026-11-20T12:00:00Z" /* a Friday */
#define NIGHT "2026-11-20T17:30:00Z" /* half past six in Berlin */

#define OUTSIDE                                                                        \
    "trunk east +18001234567 from +18005550100, trunk west +18001234567, trunk spare " \
    "+18001234567, trunk backup +18001234567"

static const struct {
    const char *context, *called, *caller, *time, *leads_to;
} calls[] = {
    /* W-04, W-05 */
    { "phones", "9*18001234567", "1001", NOON, OUTSIDE },
    { "phones", "9*1-800-123-4567", "1001", NOON, OUTSIDE },
    { "phones", "9*18001234567#", "1001", NOON, OUTSIDE },
    { "phones", "918001234567", "1001", NOON, "404" },
    { "phones", "9*", "1001", NOON, "484" },
    { "phones", "", "1001", NOON, "484" },
    /* a rule takes one candidate away */
    { "phones", "9*18001234999", "1001", NOON,
      "trunk east +18001234999 from +18005550100, trunk spare +18001234999, "
      "trunk backup +18001234999" },
    /* the more exact entry counts, a refusal is the end */
    { "phones", "9*19001234567", "1001", NOON, "refuse 403" },
    { "phones", "9*19005551234", "2222", NOON, "refuse 403 from 2222" },
    { "phones", "9*19005551234", "1009", NOON, "403" },
    { "phones", "9*19005551234", "1001", NOON, "trunk east 9*19005551234, refuse 403" },
    { "phones", "9*19005551234", "boss", NOON,
      "trunk east 9*19005551234 from boss, refuse 403 from boss" },
    { "phones", "9*19005551234", NULL, NOON, "refuse 403 from " },
    /* what an entry's rule rejects goes no other way, nor what its last target's does at huntstop
     */
    { "phones", "9*19765551234", "1001", NOON, "403" },
    { "phones", "9*18888551234", "1001", NOON, "403" },
    /* of equal ones the nearer context, then what is written first */
    { "internal", "1234", "1001", NOON, "line 1234 1234, line never-first 1234" },
    { "internal", "1122334", "1001", NOON, "line lab 1122334" },
    { "internal", "2000", "1001", NOON, "line reception 2000" },
    { "internal", "2000", "1001", NIGHT, "extension voicemail-2000 2000, line ward 2000" },
    { "internal", "2000", "1001", "2026-12-25T12:00:00Z",
      "extension voicemail-2000 2000, line ward 2000" },
    { "internal", "3000", "1001", NOON, "line shop 3000" },
    { "internal", "3000", "1001", NIGHT, "403" },
    { "internal", "*43", "1001", NOON, "extension *43 *43" },
    { "internal", "*72#", "1001", NOON, "extension forward *72#" },
    { "internal", "sales-emea", "1001", NOON, "line sales sales-emea, line sales-emea sales-emea" },
    { "internal", "alice", "1001", NOON, "line alice alice" },
    { "features", "alice", "1001", NOON, "404" },
    { "empty", "1234", "1001", NOON, "404" },
    /* calls for help */
    { "phones", "112", "1001", NOON, "trunk east 112, trunk west 112 !" },
    { "phones", "9112", "1001", NOON, "trunk west 9112 !" },
    /* what comes in is translated first */
    { "carrier", "+18005551234", "+4930", NOON,
      "line 1234 1234 from +4930, line never-first 1234 from +4930" },
    { "carrier", "+18005551234", "", NOON,
      "line 1234 1234 from 0000, line never-first 1234 from 0000" },
    { "carrier", "+19005551234", "+4930", NOON, "403" },
    { "carrier", "+18005551234", "+18881", NOON, "403" },
    /* what no user part has, and what is too long */
    { "phones", "a\r\nX: y", "1001", NOON, "404" },
    { "phones", "alice", "a\r\nX: y", NOON, "line alice alice from " },
    { "phones", "a b", "1001", NOON, "404" },
    { "phones", "a@b", "1001", NOON, "404" },
    { "phones", "11111111111111111111111111111111111111111111111111111111111111111", "1001", NOON,
      "404" },
};

static void test_where_calls_lead(void **state)
{
    (void)state;
    for (size_t i = 0; i < CS_LEN(calls); i++) {
        for (int explain = 0; explain < 2; explain++) {
            struct dialplan_call call = { guard_span(span_str(calls[i].called)),
                                          span_str(calls[i].caller), at(calls[i].time) };
            struct dialplan_answer answer;
            char text[512];
            struct buf b = BUF_INIT(text);
            assert_int_equal(
                dialplan_lookup(context(calls[i].context), &call, explain, &arena, &answer), 0);
            write_candidates(&b, &answer);
            if (!span_eq(buf_span(&b), span_str(calls[i].leads_to)))
                fail_msg("%s from %s in %s leads to " SPAN_FMT, calls[i].called, calls[i].caller,
                         calls[i].context, SPAN_ARG(buf_span(&b)));
            assert_true(explain || !answer.n_steps);
        }
    }
}

static const struct dialplan_trace *trace_of(const struct dialplan_answer *a, const char *pattern)
{
    for (size_t i = 0; i < a->n_trace; i++) {
        if (span_eq(a->trace[i].entry->text, span_str(pattern)))
            return &a->trace[i];
    }
    fail_msg("%s is not told of", pattern);
    return NULL;
}

static void test_each_entry_is_told_of(void **state)
{
    struct dialplan_call call = { SPAN("9*19005551234"), SPAN("1001"), at(NOON) };
    struct dialplan_answer a;
    (void)state;
    assert_int_equal(dialplan_lookup(context("phones"), &call, true, &arena, &a), 0);
    assert_int_equal(a.n_trace, 7 + 7 + 2 + 2);
    assert_span(a.trace[0].entry->text, "9*1900555T");
    assert_int_equal(trace_of(&a, "9*1900T")->outcome, DIALPLAN_CHOSEN);
    assert_int_equal(precision_written(trace_of(&a, "9*1900T")->precision), 6);
    assert_int_equal(trace_of(&a, "9*.T")->outcome, DIALPLAN_NOT_REACHED);
    assert_int_equal(trace_of(&a, "1...")->outcome, DIALPLAN_NO_MATCH);
    call.caller = SPAN("3001");
    assert_int_equal(dialplan_lookup(context("phones"), &call, true, &arena, &a), 0);
    assert_int_equal(trace_of(&a, "9*1900555T")->outcome, DIALPLAN_OTHER_CALLER);
    call = (struct dialplan_call){ SPAN("3000"), SPAN("1001"), at(NIGHT) };
    assert_int_equal(dialplan_lookup(context("phones"), &call, true, &arena, &a), 0);
    assert_int_equal(trace_of(&a, "3...")->outcome, DIALPLAN_OTHER_TIME);
    call.called = SPAN("11");
    assert_int_equal(dialplan_lookup(context("phones"), &call, true, &arena, &a), 0);
    assert_int_equal(trace_of(&a, "112")->outcome, DIALPLAN_INCOMPLETE);
}

static void test_each_change_of_a_number_is_told_of(void **state)
{
    struct dialplan_call call = { SPAN("9*18001234999"), SPAN("1001"), at(NOON) };
    struct dialplan_answer a;
    (void)state;
    assert_int_equal(dialplan_lookup(context("phones"), &call, true, &arena, &a), 0);
    assert_int_equal(a.n_steps, 3);
    assert_span(a.steps[0].translation->name, "adde164");
    assert_true(a.steps[0].after.e164 && !a.steps[0].target && a.steps[0].entry);
    assert_span(a.steps[0].before, "9*18001234999");
    assert_span(a.steps[0].after.number, "+18001234999");
    assert_span(a.steps[1].translation->name, "main");
    assert_span(a.steps[1].target->trunk, "east");
    assert_int_equal(a.steps[1].which, TRANSLATION_CALLING);
    assert_span(a.steps[1].after.number, "+18005550100");
    assert_span(a.steps[2].translation->name, "no-nines");
    assert_true(a.steps[2].after.rejected && a.steps[2].after.rule->number == 1);
}

/* Over many calls each trunk has its share; the others stay where they are. */
static void test_chance_follows_the_weights(void **state)
{
    struct dialplan_call call = { SPAN("9*18001234567"), SPAN("1001"), at(NOON) };
    unsigned west = 0, n = 4000;
    (void)state;
    for (unsigned i = 0; i < n; i++) {
        struct dialplan_answer a;
        assert_int_equal(dialplan_lookup(context("phones"), &call, false, &arena, &a), 0);
        dialplan_draw(&a, i * UINT64_C(7919));
        assert_int_equal(a.n, 4);
        assert_span(a.candidates[2].name, "spare");
        assert_span(a.candidates[3].name, "backup");
        assert_false(span_eq(a.candidates[0].name, a.candidates[1].name));
        west += span_eq(a.candidates[0].name, SPAN("west"));
    }
    assert_in_range(west, n * 72 / 100, n * 78 / 100); /* 30 of 40 */
}

/* W-04: the same rule serves digits that come one by one. */
static const struct {
    const char *keys;
    enum dialplan_dialled each[16];
} presses[] = {
    { "9*1800",
      { DIALLED_PARTIAL, DIALLED_PARTIAL, DIALLED_UNLESS, DIALLED_UNLESS, DIALLED_UNLESS,
        DIALLED_UNLESS } },
    { "9*1#", { DIALLED_PARTIAL, DIALLED_PARTIAL, DIALLED_UNLESS, DIALLED_COMPLETE } },
    { "91", { DIALLED_PARTIAL, DIALLED_PARTIAL } }, /* 9112 */
    { "918", { DIALLED_PARTIAL, DIALLED_PARTIAL, DIALLED_NOWHERE } },
    { "9#", { DIALLED_PARTIAL, DIALLED_NOWHERE } },
    { "1234", { DIALLED_PARTIAL, DIALLED_PARTIAL, DIALLED_PARTIAL, DIALLED_COMPLETE } },
    { "1122", { DIALLED_PARTIAL, DIALLED_PARTIAL, DIALLED_COMPLETE, DIALLED_UNLESS } },
    { "*72#", { DIALLED_PARTIAL, DIALLED_PARTIAL, DIALLED_PARTIAL, DIALLED_COMPLETE } },
    { "1234#",
      { DIALLED_PARTIAL, DIALLED_PARTIAL, DIALLED_PARTIAL, DIALLED_COMPLETE, DIALLED_COMPLETE } },
    { "*4#", { DIALLED_PARTIAL, DIALLED_PARTIAL, DIALLED_NOWHERE } },
    { "#", { DIALLED_NOWHERE } },
};

static void test_digits_that_come_one_by_one(void **state)
{
    (void)state;
    assert_int_equal(plan.inter_digit.ms, 10000);
    for (size_t i = 0; i < CS_LEN(presses); i++) {
        struct dial d = { 0 };
        for (size_t k = 0; presses[i].keys[k]; k++) {
            enum dialplan_dialled dialled =
                dial_press(&d, presses[i].keys[k], context("phones"), SPAN("1001"), at(NOON));
            if (dialled != presses[i].each[k])
                fail_msg("key %zu of %s: %d", k + 1, presses[i].keys, dialled);
        }
    }
    struct dial d = { 0 };
    for (const char *key = "9*1#"; *key; key++)
        dial_press(&d, *key, context("phones"), SPAN("1001"), at(NOON));
    assert_span(dial_number(&d), "9*1");
    /* what this caller may not call is not waited for */
    d = (struct dial){ 0 };
    assert_int_equal(dial_press(&d, '3', context("features"), SPAN("1001"), at(NOON)),
                     DIALLED_NOWHERE);
    /* no end of digits */
    d = (struct dial){ 0 };
    enum dialplan_dialled last = DIALLED_PARTIAL;
    for (int i = 0; i < NUMBER_MAX + 1; i++)
        last = dial_press(&d, i == 1 ? '*' : '9', context("phones"), SPAN("1001"), at(NOON));
    assert_int_equal(last, DIALLED_NOWHERE);
    assert_int_equal(dial_number(&d).n, NUMBER_MAX);
}

static void test_memory_that_runs_out_is_said(void **state)
{
    struct dialplan_call call = { SPAN("9*18001234567"), SPAN("1001"), at(NOON) };
    struct dialplan_answer a;
    int err = CS_ENOMEM;
    (void)state;
    for (long n = 0; err; n++) {
        struct arena small;
        arena_init(&small, NULL, 0, 0);
        arena_fail_after(n);
        err = dialplan_lookup(context("phones"), &call, true, &small, &a);
        arena_fail_after(-1);
        assert_true(err == 0 || err == CS_ENOMEM);
        arena_fini(&small);
        assert_true(n < 100);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(test_where_calls_lead),
        T(test_each_entry_is_told_of),
        T(test_each_change_of_a_number_is_told_of),
        T(test_chance_follows_the_weights),
        T(test_digits_that_come_one_by_one),
        T(test_memory_that_runs_out_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
