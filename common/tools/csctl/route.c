/* csctl route: where the dial plan of a configuration leads a number, and why. It decides with what
 * the b2bua decides with; nothing is asked but the file. */
#include <getopt.h>
#include <string.h>

#include "b2bua/dialplan/dial.h"
#include "b2bua/dialplan/dialplan_conf.h"
#include "csctl.h"

struct options {
    const char *config, *caller, *at;
    bool all;
};

struct file {
    struct dialplan dialplan;
};

static const struct conf_key file_keys[] = {
    CONF_SECTION("dialplan", struct file, dialplan, &dialplan_conf_section, "Where digits lead."),
    { 0 },
};
static const struct conf_section file_section = { .size = sizeof(struct file),
                                                  .keys = file_keys,
                                                  .part = true };

static json_t *json_span(struct span s)
{
    return s.p ? json_stringn(s.p, s.n) : json_null();
}

static json_t *json_buf(const struct buf *b)
{
    return json_stringn(b->p, b->n);
}

/* ---- entries ---- */

static void put_list(struct buf *b, const char *label, const struct span *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%s" SPAN_FMT, i ? ", " : label, SPAN_ARG(list[i]));
}

/* "office is closed, for it is Sat 19:30 there (Europe/Berlin)" */
static void put_schedule(struct buf *b, const struct schedule *s, struct wall now)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    const struct local_time t = zone_local(&s->zone, now);
    buf_printf(b, SPAN_FMT " is %s: %.3s %04d-%02d-%02d %02d:%02d " SPAN_FMT, SPAN_ARG(s->name),
               schedule_is_open(s, now) ? "open" : "closed", days + 3 * t.weekday, t.year, t.month,
               t.day, t.minute / 60, t.minute % 60, SPAN_ARG(s->time_zone));
}

static void put_why(struct buf *b, const struct dialplan_trace *t, struct wall now)
{
    const struct dialplan_entry *e = t->entry;
    switch (t->outcome) {
    case DIALPLAN_CHOSEN:
        buf_put(b, e->emergency ? SPAN("matches, for emergencies") : SPAN("matches"));
        return;
    case DIALPLAN_NO_MATCH:
        buf_lit(b, "does not match");
        return;
    case DIALPLAN_INCOMPLETE:
        buf_lit(b, "would match with more digits");
        return;
    case DIALPLAN_OTHER_CALLER:
        buf_lit(b, "not for this caller");
        put_list(b, "; callers: ", e->callers, e->n_callers);
        put_list(b, "; not_callers: ", e->not_callers, e->n_not_callers);
        return;
    case DIALPLAN_BARRED:
        buf_lit(b, "matches, but bars this caller");
        put_list(b, "; not_callers: ", e->not_callers, e->n_not_callers);
        return;
    case DIALPLAN_OTHER_TIME:
        buf_lit(b, "not now; ");
        put_schedule(b, e->during && !schedule_is_open(e->during, now) ? e->during : e->outside,
                     now);
        return;
    case DIALPLAN_NOT_REACHED:
        buf_lit(b, "matches, but a more exact entry ends the list");
        return;
    case DIALPLAN_REJECTED:
        buf_lit(b, "matches, but a rule rejects the number");
        return;
    }
}

static json_t *show_entry(const struct dialplan_trace *t, struct wall now)
{
    static const char *const outcomes[] = {
        [DIALPLAN_CHOSEN] = "chosen",         [DIALPLAN_NO_MATCH] = "no_match",
        [DIALPLAN_INCOMPLETE] = "incomplete", [DIALPLAN_OTHER_CALLER] = "other_caller",
        [DIALPLAN_OTHER_TIME] = "other_time", [DIALPLAN_NOT_REACHED] = "not_reached",
        [DIALPLAN_REJECTED] = "rejected",     [DIALPLAN_BARRED] = "barred",
    };
    char words[1024], exact[64];
    struct buf why = BUF_INIT(words), precision = BUF_INIT(exact);
    put_why(&why, t, now);
    if (t->outcome != DIALPLAN_NO_MATCH)
        buf_printf(&precision, "%u written, %u ranged, %u any", precision_written(t->precision),
                   precision_ranged(t->precision), precision_dots(t->precision));
    return json_pack("{s:o, s:o, s:s, s:o, s:o, s:b}", "context", json_span(t->context->name),
                     "pattern", json_span(t->entry->text), "outcome", outcomes[t->outcome],
                     "precision", json_buf(&precision), "why", json_buf(&why), "emergency",
                     t->entry->emergency);
}

/* ---- numbers ---- */

static void put_target(struct buf *b, const struct dialplan_target *t)
{
    if (t->refuse)
        buf_printf(b, "refuse %u", t->refuse);
    else if (t->trunk.p)
        buf_printf(b, "trunk " SPAN_FMT, SPAN_ARG(t->trunk));
    else if (t->extension.p)
        buf_printf(b, "extension " SPAN_FMT, SPAN_ARG(t->extension));
    else
        buf_printf(b, "line " SPAN_FMT, SPAN_ARG(t->line));
}

static json_t *show_step(const struct dialplan_step *s)
{
    char words[256], rule[RULE_MAX + 16];
    struct buf where = BUF_INIT(words), by = BUF_INIT(rule);
    if (s->target)
        put_target(&where, s->target);
    else if (s->entry)
        buf_printf(&where, "entry " SPAN_FMT, SPAN_ARG(s->entry->text));
    else
        buf_lit(&where, "all that comes in");
    if (s->after.rule)
        buf_put(&by, s->after.rule->text);
    if (s->after.e164)
        buf_put(&by, s->after.rule ? SPAN(", e164") : SPAN("e164"));
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:b}", "number",
                     s->which == TRANSLATION_CALLED ? "called" : "calling", "for", json_buf(&where),
                     "translation", json_span(s->translation->name), "by", json_buf(&by), "before",
                     json_span(s->before), "after",
                     s->after.rejected ? json_string("rejected") : json_span(s->after.number),
                     "rejected", s->after.rejected);
}

/* ---- candidates ---- */

/* Of the calls that come to it, in percent: 0 when chance has no part in it. */
static unsigned share_of(const struct dialplan_answer *a, const struct dialplan_candidate *c)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < a->n; i++) {
        if (a->candidates[i].entry == c->entry && a->candidates[i].priority == c->priority)
            sum += a->candidates[i].weight;
    }
    return c->weight && c->weight < sum ? (unsigned)((100 * c->weight + sum / 2) / sum) : 0;
}

static json_t *show_candidate(const struct dialplan_answer *a, size_t i)
{
    static const char *const kinds[] = { [DIALPLAN_LINE] = "line",
                                         [DIALPLAN_TRUNK] = "trunk",
                                         [DIALPLAN_EXTENSION] = "extension",
                                         [DIALPLAN_REFUSE] = "refuse" };
    const struct dialplan_candidate *c = &a->candidates[i];
    const unsigned share = share_of(a, c);
    char words[128];
    struct buf to = BUF_INIT(words);
    if (c->kind == DIALPLAN_REFUSE)
        buf_printf(&to, "refuse %u", c->status);
    else
        buf_printf(&to, "%s " SPAN_FMT, kinds[c->kind], SPAN_ARG(c->name));
    json_t *j = json_pack("{s:I, s:o, s:s, s:o, s:o, s:I, s:I, s:o, s:b}", "order",
                          (json_int_t)i + 1, "to", json_buf(&to), "kind", kinds[c->kind], "called",
                          json_span(c->called), "calling", json_span(c->calling), "priority",
                          (json_int_t)c->priority, "weight", (json_int_t)c->weight, "pattern",
                          json_span(c->entry->text), "emergency", c->entry->emergency);
    if (c->kind == DIALPLAN_REFUSE)
        json_object_set_new(j, "status", json_integer(c->status));
    else
        json_object_set_new(j, "name", json_span(c->name));
    if (share)
        json_object_set_new(j, "share", json_integer(share));
    return j;
}

/* ---- the whole ---- */

static const char *verdict(const struct dialplan_answer *a)
{
    if (a->n && a->candidates[0].kind == DIALPLAN_REFUSE)
        return "the call is refused";
    if (a->emergency)
        return "a call for help: no limit stops it, and the candidates are tried in this order";
    for (size_t i = 0; i < a->n; i++) {
        if (share_of(a, &a->candidates[i]))
            return "the candidates are tried one after the other; which of those with a share "
                   "comes first is chance";
    }
    if (a->n)
        return "the candidates are tried in this order, until one takes the call";
    if (a->status == 484)
        return "digits are missing: 484";
    if (a->status == 403)
        return "there is such a number, but not for this caller, not now, or a rule rejects it: "
               "403";
    return "no entry matches: 404";
}

/* The same keys on a desk phone. */
static void put_dialled(struct buf *b, const struct dialplan *plan,
                        const struct dialplan_context *context, const struct dialplan_call *call)
{
    static const char *const words[] = {
        [DIALLED_NOWHERE] = "nothing matches, and no digit more would help",
        [DIALLED_PARTIAL] = "more digits are needed",
        [DIALLED_COMPLETE] = "complete at once",
        [DIALLED_UNLESS] = "complete after # or ",
    };
    char digits[NUMBER_MAX];
    struct buf number = BUF_INIT(digits);
    struct dial d = { 0 };
    enum dialplan_dialled dialled = DIALLED_PARTIAL;
    size_t i = 0;
    if (number_plain(call->called, &number) || !number_is(buf_span(&number)))
        return;
    for (; i < number.n && (dialled == DIALLED_PARTIAL || dialled == DIALLED_UNLESS); i++)
        dialled = dial_press(&d, digits[i], context, call->caller, call->now);
    if (dialled == DIALLED_COMPLETE && i < number.n)
        buf_printf(b, SPAN_FMT " is complete before the rest is dialled",
                   SPAN_ARG(dial_number(&d)));
    else
        buf_put(b, span_str(words[dialled]));
    if (dialled == DIALLED_UNLESS)
        buf_printf(b, "%us without a digit", (unsigned)(plan->inter_digit.ms / 1000));
}

static json_t *explanation(const struct dialplan *plan, const struct dialplan_context *context,
                           const struct dialplan_call *call, const struct dialplan_answer *a)
{
    char at[WALL_STRLEN], words[128];
    struct buf dialled = BUF_INIT(words);
    json_t *contexts = json_array(), *entries = json_array(), *steps = json_array(),
           *candidates = json_array();
    wall_format(call->now, at);
    put_dialled(&dialled, plan, context, call);
    for (size_t i = 0; i < context->n_search; i++)
        json_array_append_new(contexts, json_span(context->search[i]->name));
    for (size_t i = 0; i < a->n_trace; i++)
        json_array_append_new(entries, show_entry(&a->trace[i], call->now));
    for (size_t i = 0; i < a->n_steps; i++)
        json_array_append_new(steps, show_step(&a->steps[i]));
    for (size_t i = 0; i < a->n; i++)
        json_array_append_new(candidates, show_candidate(a, i));
    json_t *j =
        json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:b}", "context",
                  json_span(context->name), "called", json_span(call->called), "caller",
                  json_span(call->caller), "at", at, "dialled", json_buf(&dialled), "contexts",
                  contexts, "entries", entries, "translations", steps, "candidates", candidates,
                  "result", verdict(a), "emergency", a->emergency);
    if (!a->n)
        json_object_set_new(j, "status", json_integer(a->status));
    return j;
}

/* Without those that do not match, if not all are wanted. */
static json_t *worth_showing(const json_t *entries, bool all)
{
    json_t *some = json_array(), *e;
    size_t i;
    json_array_foreach((json_t *)entries, i, e)
    {
        if (all || strcmp(json_string_value(json_object_get(e, "outcome")), "no_match"))
            json_array_append(some, e);
    }
    return some;
}

static void print_part(const json_t *rows, const struct column *columns)
{
    if (json_array_size(rows)) {
        putchar('\n');
        print_table(rows, columns);
    }
}

static void print_words(const json_t *j, bool all)
{
    static const struct column head[] = {
        { "context", "contexts" },  { "called", "called" }, { "caller", "caller" }, { "at", "at" },
        { "by digits", "dialled" }, { NULL, NULL },
    };
    static const struct column entry[] = {
        { "CONTEXT", "context" },       { "PATTERN", "pattern" }, { "DIGITS", "precision" },
        { "WHAT BECAME OF IT", "why" }, { NULL, NULL },
    };
    static const struct column step[] = {
        { "NUMBER", "number" }, { "FOR", "for" },       { "TRANSLATION", "translation" },
        { "BY", "by" },         { "BEFORE", "before" }, { "AFTER", "after" },
        { NULL, NULL },
    };
    static const struct column candidate[] = {
        { "ORDER", "order" },
        { "TO", "to" },
        { "CALLED", "called" },
        { "CALLING", "calling" },
        { "PRIORITY", "priority" },
        { "WEIGHT", "weight" },
        { "SHARE %", "share" },
        { "PATTERN", "pattern" },
        { NULL, NULL },
    };
    const json_t *entries = json_object_get(j, "entries");
    json_t *shown = worth_showing(entries, all);
    const size_t hidden = json_array_size(entries) - json_array_size(shown);
    print_object(j, head);
    print_part(shown, entry);
    if (hidden)
        printf("%s%zu %s match; --all shows them\n", json_array_size(shown) ? "" : "\n", hidden,
               hidden == 1 ? "other does not" : "others do not");
    print_part(json_object_get(j, "translations"), step);
    print_part(json_object_get(j, "candidates"), candidate);
    printf("\n%s\n", json_string_value(json_object_get(j, "result")));
    json_decref(shown);
}

static int no_context(const struct dialplan *plan, const char *file, const char *name)
{
    char words[512];
    struct buf b = BUF_INIT(words);
    for (size_t i = 0; i < plan->n_contexts; i++)
        buf_printf(&b, "%s" SPAN_FMT, i ? ", " : "", SPAN_ARG(plan->contexts[i].name));
    complain("%s has no context \"%s\"; it has %s" SPAN_FMT, file, name, b.n ? "" : "none at all",
             SPAN_ARG(buf_span(&b)));
    return EXIT_REFUSED;
}

static int run(struct ctl *c, const struct options *o, const char *name,
               const struct dialplan_call *call, struct arena *a)
{
    struct file file;
    struct dialplan_answer answer;
    if (conf_load(o->config, &file_section, a, &file, NULL, NULL))
        return EXIT_REFUSED;
    const struct dialplan_context *context = dialplan_context(&file.dialplan, span_str(name));
    if (!context)
        return no_context(&file.dialplan, o->config, name);
    if (dialplan_lookup(context, call, true, a, &answer)) {
        complain("out of memory");
        return EXIT_REFUSED;
    }
    json_t *j = explanation(&file.dialplan, context, call, &answer);
    if (c->json)
        print_json(j);
    else
        print_words(j, o->all);
    json_decref(j);
    return answer.n && answer.candidates[0].kind != DIALPLAN_REFUSE ? EXIT_OK : EXIT_REFUSED;
}

int route(struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = { { "config", required_argument, NULL, 'c' },
                                             { "caller", required_argument, NULL, 'f' },
                                             { "at", required_argument, NULL, 't' },
                                             { "all", no_argument, NULL, 'a' },
                                             { NULL, 0, NULL, 0 } };
    struct options o = { .config = "/etc/countersign/b2bua.yaml" };
    struct dialplan_call call = { .now = clock_wall() };
    struct arena a;
    int opt;
    optind = 0;
    opterr = 0;
    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == '?')
            return bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        o.config = opt == 'c' ? optarg : o.config;
        o.caller = opt == 'f' ? optarg : o.caller;
        o.at = opt == 't' ? optarg : o.at;
        o.all = o.all || opt == 'a';
    }
    if (argc - optind != 2)
        return bad_usage(c, "say a context and what is dialled there");
    if (o.at && wall_parse(span_str(o.at), &call.now))
        return bad_usage(c, "\"%s\" is no time; write 2026-12-24, or 2026-12-24T18:00:00Z", o.at);
    call.called = span_str(argv[optind + 1]);
    call.caller = span_str(o.caller);
    arena_init(&a, NULL, 0, 0);
    int err = run(c, &o, argv[optind], &call, &a);
    arena_fini(&a);
    return err;
}
