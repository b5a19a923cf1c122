#include "authd/audit/figures.h"

#include <stdlib.h>

#include "base/metric.h"

enum { METHODS = 3, VERDICTS = COUNTERSIGN__AUTH__VERDICT_KIND__LATER + 1, CAUSES_MAX = 256 };

static const struct span methods[METHODS] = { SPAN_INIT("REGISTER"), SPAN_INIT("INVITE"),
                                              SPAN_INIT("other") };
static struct span verdicts[VERDICTS], causes[CAUSES_MAX];
static struct span *groups; /* the last one is "": none */
static size_t n_causes;

/* By number; where there is a hole in the list, nobody counts. */
static void name_causes(void)
{
    const ProtobufCEnumDescriptor *d = &countersign__auth__cause__descriptor;
    n_causes = 0;
    for (unsigned i = 0; i < d->n_values; i++) {
        const size_t value = (size_t)d->values[i].value;
        if (value >= CAUSES_MAX)
            continue;
        causes[value] = cause_name((Countersign__Auth__Cause)value);
        n_causes = CS_MAX(n_causes, value + 1);
    }
    for (unsigned i = 0; i < VERDICTS; i++)
        verdicts[i] = decision_kind((Countersign__Auth__VerdictKind)i);
}

int figures_init(const struct authd_conf *conf)
{
    const size_t n = conf->n_peer_groups;
    figures_fini();
    groups = calloc(n + 1, sizeof(*groups));
    if (!groups)
        return CS_ENOMEM;
    name_causes();
    for (size_t i = 0; i < n; i++)
        groups[i] = conf->peer_groups[i].name;
    groups[n] = SPAN("");
    const struct metric_label of_decision[] = {
        { "group", groups, n + 1 },
        { "method", methods, METHODS },
        { "verdict", verdicts, VERDICTS },
        { "cause", causes, n_causes },
    };
    int err = metric_table(M_AUTHD_DECISIONS, of_decision, CS_LEN(of_decision));
    if (!err)
        err = metric_table(M_AUTHD_GROUP_SECONDS, of_decision, 1);
    if (err)
        figures_fini();
    return err;
}

void figures_fini(void)
{
    metric_table_drop(M_AUTHD_DECISIONS);
    metric_table_drop(M_AUTHD_GROUP_SECONDS);
    free(groups);
    groups = NULL;
}

static size_t method_of(const struct facts *f)
{
    return f->is_register ? 0 : span_eq(f->method, SPAN("INVITE")) ? 1 : 2;
}

void figures_count(const struct authd_conf *conf, const struct group_conf *group,
                   const struct decision *d, struct mono began, struct mono now)
{
    const size_t g = group ? (size_t)(group - conf->peer_groups) : conf->n_peer_groups;
    const size_t at[] = { g, method_of(d->facts), (size_t)d->kind, (size_t)d->cause };
    metric_table_inc(M_AUTHD_DECISIONS, at);
    metric_table_observe(M_AUTHD_GROUP_SECONDS, g, began, now);
}
