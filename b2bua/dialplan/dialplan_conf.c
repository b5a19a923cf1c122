#include "b2bua/dialplan/dialplan_conf.h"

#include "e164/e164_conf.h"
#include "schedule/schedule_conf.h"

static const char *const numbers[] = { "called", "calling", NULL };

/* ---- translations ---- */

static const struct conf_key e164_keys[] = {
    E164_KEYS,
    CONF_STR("access_prefix", struct e164, access,
             "What is dialled before all of that for a line to the outside; it is taken away.",
             .def = "", .max = 8),
    CONF_SET("numbers", struct e164, numbers, numbers, "Which number it is for.", .def = "called"),
    { 0 },
};
static const struct conf_section e164_section = { sizeof(struct e164), e164_keys, e164_check };

static const struct conf_key translation_keys[] = {
    CONF_STR("name", struct translation, name, "What entries call it.", .required = true, .min = 1,
             .max = 64),
    CONF_STRS("called", struct translation, called,
              "Rules for the called number as IOS writes them, rule 1 /^9\\(.*\\)/ /\\1/; the "
              "first that matches counts.",
              .min = 1, .at_most = 100),
    CONF_STRS("calling", struct translation, calling, "The same for the number of the caller.",
              .min = 1, .at_most = 100),
    CONF_OPTION("e164", struct translation, e164, &e164_section,
                "Behind the rules: makes +CountryNumber of what is dialled in a country."),
    { 0 },
};

static void compile_rules(struct conf_check *c, const char *key, const struct span *texts, size_t n,
                          struct rule **out)
{
    struct rule *rules = arena_zalloc(conf_arena(c), n * sizeof(*rules));
    *out = rules;
    for (size_t i = 0; rules && i < n; i++) {
        char words[256], at[32];
        struct buf why = BUF_INIT(words);
        snprintf(at, sizeof(at), "%s[%zu]", key, i);
        int err = rule_compile(texts[i], conf_arena(c), &rules[i], &why);
        if (err)
            conf_error(c, at, SPAN_FMT,
                       SPAN_ARG(err == CS_EPROTO ? buf_span(&why) : SPAN("out of memory")));
        else if (i && rules[i].number <= rules[i - 1].number)
            conf_error(c, at,
                       "rule %u stands behind rule %u; write them in the order of their "
                       "numbers",
                       rules[i].number, rules[i - 1].number);
    }
    if (!rules)
        conf_error(c, key, "out of memory");
}

static void translation_check(struct conf_check *c, void *section)
{
    struct translation *t = section;
    compile_rules(c, "called", t->called, t->n_called, &t->rules[TRANSLATION_CALLED]);
    compile_rules(c, "calling", t->calling, t->n_calling, &t->rules[TRANSLATION_CALLING]);
    if (!t->n_called && !t->n_calling && !t->e164)
        conf_error(c, NULL, "changes nothing; write rules under called or calling, or e164");
}

static const struct conf_section translation_section = { sizeof(struct translation),
                                                         translation_keys, translation_check };

/* ---- entries ---- */

static const struct conf_key target_keys[] = {
    CONF_STR("line", struct dialplan_target, line,
             "User part of a registered address; {called} in it is the called number.", .min = 1,
             .max = 64),
    CONF_STR("trunk", struct dialplan_target, trunk, "Name of a trunk.", .min = 1, .max = 64),
    CONF_STR("extension", struct dialplan_target, extension,
             "A service of the b2bua itself, *43 for example.", .min = 1, .max = 64),
    CONF_UINT("refuse", struct dialplan_target, refuse,
              "Status that the call is refused with; nothing follows it.", .min = 400, .max = 699),
    CONF_UINT("priority", struct dialplan_target, priority, "The lowest is tried first.",
              .max = 65535),
    CONF_UINT("weight", struct dialplan_target, weight,
              "Share of the calls among those of the same priority; those without one come behind "
              "them, as written.",
              .max = 65535),
    CONF_STR("translation", struct dialplan_target, translation_name,
             "What becomes of the numbers on this way alone.", .min = 1, .max = 64),
    { 0 },
};

static void target_check(struct conf_check *c, void *section)
{
    const struct dialplan_target *t = section;
    const int n =
        (t->line.p != NULL) + (t->trunk.p != NULL) + (t->extension.p != NULL) + (t->refuse != 0);
    if (n != 1)
        conf_error(c, NULL,
                   "wants one of line, trunk, extension and refuse, as in: "
                   "{ trunk: carrier }, { line: \"{called}\" }");
    for (const char *bad = " \t\r\n@:;<>\""; *bad; bad++) {
        if (span_find(t->line, *bad) >= 0) {
            conf_error(c, "line", "is the user part alone; write reception, or \"{called}\"");
            break;
        }
    }
}

static const struct conf_section target_section = { sizeof(struct dialplan_target), target_keys,
                                                    target_check };

static const struct conf_key entry_keys[] = {
    CONF_STR("pattern", struct dialplan_entry, text,
             "What is called: a destination pattern as IOS has it, 9*.T, [2-9]..., +49T, for the "
             "whole number; or a name: user alice, user sales-*.",
             .required = true, .min = 1, .max = PATTERN_MAX),
    CONF_STRS("callers", struct dialplan_entry, callers,
              "Patterns of who may; when not written, everybody.", .min = 1, .max = PATTERN_MAX),
    CONF_STRS("not_callers", struct dialplan_entry, not_callers,
              "Patterns of who may not, though callers says so: they hear 403, and less exact "
              "entries are "
              "not tried. Of a refusal, who is spared it.",
              .min = 1, .max = PATTERN_MAX),
    CONF_STR("during", struct dialplan_entry, during_name,
             "Name of a schedule: only while it is open.", .min = 1, .max = 64),
    CONF_STR("outside", struct dialplan_entry, outside_name,
             "Name of a schedule: only while it is closed.", .min = 1, .max = 64),
    CONF_STR("translation", struct dialplan_entry, translation_name, "What becomes of the numbers.",
             .min = 1, .max = 64),
    CONF_BOOL("emergency", struct dialplan_entry, emergency,
              "Calls for help: before all other entries, for everybody, always, without waiting "
              "for further digits, and no limit stops them.",
              .def = "false"),
    CONF_BOOL("auto_answer", struct dialplan_entry, auto_answer,
              "Phones of the line take the call by themselves, as an intercom, where calls."
              "auto_answer allows that.",
              .def = "false"),
    CONF_BOOL("huntstop", struct dialplan_entry, huntstop,
              "When all of these have failed, less exact entries are not tried.", .def = "false"),
    CONF_SECTIONS("to", struct dialplan_entry, to, &target_section,
                  "Where such calls are offered, one after the other.", .required = true,
                  .at_least = 1, .at_most = 32),
    { 0 },
};

static void compile_patterns(struct conf_check *c, const char *key, const struct span *texts,
                             size_t n, struct pattern *out)
{
    for (size_t i = 0; out && i < n; i++) {
        char words[256], at[32];
        struct buf why = BUF_INIT(words);
        if (key)
            snprintf(at, sizeof(at), "%s[%zu]", key, i);
        int err = pattern_compile(texts[i], conf_arena(c), &out[i], &why);
        if (err)
            conf_error(c, key ? at : "pattern", "\"" SPAN_FMT "\" " SPAN_FMT, SPAN_ARG(texts[i]),
                       SPAN_ARG(err == CS_EPROTO ? buf_span(&why) : SPAN("finds no memory")));
    }
    if (!out)
        conf_error(c, key, "out of memory");
}

static struct pattern *list_of_patterns(struct conf_check *c, const char *key,
                                        const struct span *texts, size_t n)
{
    struct pattern *list = arena_zalloc(conf_arena(c), n * sizeof(*list));
    compile_patterns(c, key, texts, n, list);
    return list;
}

/* By priority, those with a weight before those without; else as written. */
static void sort_targets(struct dialplan_target *t, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const struct dialplan_target one = t[i];
        size_t k = i;
        for (; k > 0 && (t[k - 1].priority > one.priority ||
                         (t[k - 1].priority == one.priority && !t[k - 1].weight && one.weight));
             k--)
            t[k] = t[k - 1];
        t[k] = one;
    }
}

static void entry_check(struct conf_check *c, void *section)
{
    struct dialplan_entry *e = section;
    compile_patterns(c, NULL, &e->text, 1, &e->pattern);
    e->caller_patterns = list_of_patterns(c, "callers", e->callers, e->n_callers);
    e->not_caller_patterns = list_of_patterns(c, "not_callers", e->not_callers, e->n_not_callers);
    if (e->emergency && (e->n_callers || e->n_not_callers || e->during_name.p || e->outside_name.p))
        conf_error(c, "emergency",
                   "is for everybody and always; leave callers, not_callers, "
                   "during and outside away");
    for (size_t i = 0; i < e->n_to; i++) {
        if (e->emergency && e->to[i].refuse)
            conf_error(c, "emergency", "cannot be refused; name a trunk or a line");
    }
}

static const struct conf_section entry_section = { sizeof(struct dialplan_entry), entry_keys,
                                                   entry_check };

static const struct conf_key context_keys[] = {
    CONF_STR("name", struct dialplan_context, name, "What trunks and phones are put into.",
             .required = true, .min = 1, .max = 64),
    CONF_STRS("includes", struct dialplan_context, includes,
              "Contexts whose entries count here as well.", .min = 1, .max = 64, .unique = true),
    CONF_STR("translation", struct dialplan_context, translation_name,
             "What becomes of the numbers of a call before anything is matched.", .min = 1,
             .max = 64),
    CONF_SECTIONS("entries", struct dialplan_context, entries, &entry_section,
                  "Where digits lead; the most exact pattern counts, wherever it stands."),
    { 0 },
};
static const struct conf_section context_section = { sizeof(struct dialplan_context), context_keys,
                                                     NULL };

/* ---- the whole ---- */

static const struct conf_key dialplan_keys[] = {
    CONF_DURATION("inter_digit", struct dialplan, inter_digit,
                  "How long one more digit is waited for, where a number could be complete; # ends "
                  "it at once.",
                  .def = "10s", .min = CONF_SECOND, .max = CONF_MINUTE),
    CONF_SECTIONS("translations", struct dialplan, translations, &translation_section,
                  "What can become of numbers.", .unique = true),
    CONF_SECTIONS("schedules", struct dialplan, schedules, &schedule_section, "Times of day.",
                  .unique = true),
    CONF_SECTIONS("contexts", struct dialplan, contexts, &context_section,
                  "Where callers stand, and what they reach from there.", .at_most = 256,
                  .unique = true),
    { 0 },
};

static const struct translation *find_translation(struct conf_check *c, const struct dialplan *p,
                                                  const char *key, struct span name)
{
    for (size_t i = 0; i < p->n_translations; i++) {
        if (span_eq(p->translations[i].name, name))
            return &p->translations[i];
    }
    if (name.p)
        conf_error(c, key,
                   "there is no translation \"" SPAN_FMT "\"; describe it under "
                   "translations",
                   SPAN_ARG(name));
    return NULL;
}

static void resolve_entry(struct conf_check *c, const struct dialplan *p, size_t context, size_t n)
{
    struct dialplan_entry *e = &p->contexts[context].entries[n];
    char key[96];
    int at = snprintf(key, sizeof(key), "contexts[%zu].entries[%zu].", context, n);
#define KEY(name) (snprintf(key + at, sizeof(key) - (size_t)at, "%s", name), key)
    e->translation = find_translation(c, p, KEY("translation"), e->translation_name);
    e->during = schedule_find(c, KEY("during"), p->schedules, p->n_schedules, e->during_name);
    e->outside = schedule_find(c, KEY("outside"), p->schedules, p->n_schedules, e->outside_name);
#undef KEY
    for (size_t i = 0; i < e->n_to; i++) {
        snprintf(key + at, sizeof(key) - (size_t)at, "to[%zu].translation", i);
        e->to[i].translation = find_translation(c, p, key, e->to[i].translation_name);
    }
    sort_targets(e->to, e->n_to);
}

/* Each context once, in the order in which a reader would come to it. */
static void add_search(const struct dialplan *p, const struct dialplan_context *one,
                       struct dialplan_context *of)
{
    for (size_t i = 0; i < of->n_search; i++) {
        if (of->search[i] == one)
            return;
    }
    of->search[of->n_search++] = one;
    for (size_t i = 0; i < one->n_includes; i++) {
        const struct dialplan_context *next = dialplan_context(p, one->includes[i]);
        if (next)
            add_search(p, next, of);
    }
}

static void dialplan_check(struct conf_check *c, void *section)
{
    struct dialplan *p = section;
    char key[64];
    for (size_t i = 0; i < p->n_contexts; i++) {
        struct dialplan_context *context = &p->contexts[i];
        snprintf(key, sizeof(key), "contexts[%zu].translation", i);
        context->translation = find_translation(c, p, key, context->translation_name);
        for (size_t k = 0; k < context->n_includes; k++) {
            snprintf(key, sizeof(key), "contexts[%zu].includes[%zu]", i, k);
            if (!dialplan_context(p, context->includes[k]))
                conf_error(c, key,
                           "there is no context \"" SPAN_FMT "\"; describe it under "
                           "contexts",
                           SPAN_ARG(context->includes[k]));
        }
        for (size_t k = 0; k < context->n_entries; k++)
            resolve_entry(c, p, i, k);
        context->search = arena_alloc(conf_arena(c), p->n_contexts * sizeof(*context->search));
        if (context->search)
            add_search(p, context, context);
        else
            conf_error(c, NULL, "out of memory");
    }
}

const struct conf_section dialplan_conf_section = { sizeof(struct dialplan), dialplan_keys,
                                                    dialplan_check };

void dialplan_check_trunks(struct conf_check *c, const char *key, const struct dialplan *plan,
                           bool (*known)(const void *arg, struct span name), const void *arg)
{
    char at[128];
    for (size_t i = 0; i < plan->n_contexts; i++) {
        const struct dialplan_context *context = &plan->contexts[i];
        for (size_t k = 0; k < context->n_entries; k++) {
            const struct dialplan_entry *e = &context->entries[k];
            for (size_t t = 0; t < e->n_to; t++) {
                if (!e->to[t].trunk.p || known(arg, e->to[t].trunk))
                    continue;
                snprintf(at, sizeof(at), "%s.contexts[%zu].entries[%zu].to", key, i, k);
                conf_error(c, at, "there is no trunk \"" SPAN_FMT "\"", SPAN_ARG(e->to[t].trunk));
            }
        }
    }
}
