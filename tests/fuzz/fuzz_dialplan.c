/* "context called caller\n" and the section of a configuration: read or refused; what is read leads
 * somewhere, the same with an explanation as without. */
#include <assert.h>

#include "b2bua/dialplan/dialplan_conf.h"

static void on_error(void *arg, const char *line)
{
    assert(strncmp(line, "f.yaml", 6) == 0);
    ++*(unsigned *)arg;
}

static void look_up(const struct dialplan *p, struct span first, struct arena *a)
{
    const struct dialplan_context *c = dialplan_context(p, span_cut(&first, ' '));
    struct dialplan_call call = { .now = { INT64_C(1795262400000) } };
    struct dialplan_answer brief, full;
    call.called = span_cut(&first, ' ');
    call.caller = first;
    if (!c && p->n_contexts)
        c = &p->contexts[0];
    if (!c)
        return;
    const enum dialplan_dialled dialled = dialplan_dialled(c, &call);
    assert(dialplan_lookup(c, &call, false, a, &brief) == 0);
    assert(dialplan_lookup(c, &call, true, a, &full) == 0);
    assert(brief.n == full.n && brief.status == full.status);
    assert(!brief.n || dialled >= DIALLED_COMPLETE || span_ends(call.called, SPAN("#")));
    for (size_t i = 0; i < full.n; i++) {
        const struct dialplan_candidate *x = &brief.candidates[i], *y = &full.candidates[i];
        assert(x->kind == y->kind && x->entry == y->entry && span_eq(x->called, y->called));
        assert(x->kind == DIALPLAN_REFUSE ? i + 1 == full.n : x->name.p != NULL);
    }
    dialplan_draw(&full, full.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size), first = span_cut(&text, '\n');
    struct dialplan plan;
    unsigned errors = 0;
    struct arena a;
    arena_init(&a, NULL, 0, 0);
    const int err =
        conf_parse(text, "f.yaml", &dialplan_conf_section, &a, &plan, on_error, &errors);
    assert((err == 0) == (errors == 0));
    if (!err)
        look_up(&plan, first, &a);
    arena_fini(&a);
    return 0;
}
