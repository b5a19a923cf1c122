/* Where digits lead. A caller stands in a context; its entries, and those of the contexts it
 * includes, say by pattern, caller and time of day which candidates a call is offered to, one after
 * the other until one takes it.
 *
 * Of all entries that match, an emergency's comes first, then the more exact one, wherever it
 * stands; of equally exact ones that of the context itself, then of those it includes in their
 * order, then the one written first. When the candidates of an entry have failed those of the next
 * follow, as IOS hunts, unless it says huntstop. A refusal ends the list; so does an entry that
 * bars the caller, and a rule of the entry's translation that rejects the number, while one of a
 * target's takes away that target.
 *
 * This is what configuration reads and the decisions on it, which are pure: time and chance are
 * arguments. A struct dialplan is lent by the arena of its configuration and never changes. */
#ifndef CS_B2BUA_DIALPLAN_DIALPLAN_H
#define CS_B2BUA_DIALPLAN_DIALPLAN_H

#include "b2bua/dialplan/number.h"
#include "b2bua/dialplan/pattern.h"
#include "b2bua/dialplan/translation.h"
#include "schedule/schedule.h"

enum dialplan_kind {
    DIALPLAN_LINE,      /* a registered user */
    DIALPLAN_TRUNK,     /* by its name in the configuration */
    DIALPLAN_EXTENSION, /* a service of our own, "*43" */
    DIALPLAN_REFUSE,    /* with a status */
};

struct dialplan_target {
    struct span line, trunk, extension; /* one of them, or refuse */
    unsigned refuse;                    /* 400 to 699; 0: no refusal */
    unsigned priority, weight;          /* as of SRV: the lowest first, equal ones by chance */
    struct span translation_name;
    const struct translation *translation; /* NULL: none */
};

struct dialplan_entry {
    struct span text;
    struct pattern pattern;
    /* Whom it is for, and whom it bars; of a refusal, whom it spares. As written, and to match: */
    struct span *callers, *not_callers;
    size_t n_callers, n_not_callers;
    struct pattern *caller_patterns, *not_caller_patterns;
    struct span during_name, outside_name;
    const struct schedule *during, *outside; /* NULL: always */
    struct span translation_name;
    const struct translation *translation;
    bool emergency; /* no limit stops these calls */
    bool huntstop;
    bool auto_answer;
    struct dialplan_target *to;
    size_t n_to;
};

struct dialplan_context {
    struct span name;
    struct span *includes;
    size_t n_includes;
    struct span translation_name;
    const struct translation *translation; /* of what comes in, before anything is matched */
    struct dialplan_entry *entries;
    size_t n_entries;
    const struct dialplan_context **search; /* itself first, then all that it includes */
    size_t n_search;
};

struct dialplan {
    struct duration inter_digit; /* how long one more digit is waited for */
    struct translation *translations;
    size_t n_translations;
    struct schedule *schedules;
    size_t n_schedules;
    struct dialplan_context *contexts;
    size_t n_contexts;
};

/* NULL if there is none of that name. */
const struct dialplan_context *dialplan_context(const struct dialplan *p, struct span name);

/* ---- a call ---- */

struct dialplan_call {
    struct span called, caller; /* user parts, unescaped; an absent caller is anonymous */
    struct wall now;
};

/* Borrows from the plan, the call and the arena that dialplan_lookup() was given. */
struct dialplan_candidate {
    enum dialplan_kind kind;
    struct span name; /* of the line (its user part), trunk or extension */
    unsigned status;  /* of a refusal */
    struct span called, calling;
    unsigned priority, weight;
    const struct dialplan_entry *entry;
    const struct dialplan_context *context;
};

enum dialplan_outcome {
    DIALPLAN_CHOSEN,
    DIALPLAN_NO_MATCH,
    DIALPLAN_INCOMPLETE,   /* more digits could match */
    DIALPLAN_OTHER_CALLER, /* not for this caller */
    DIALPLAN_BARRED,       /* this caller may not, and what is less exact is no way around */
    DIALPLAN_OTHER_TIME,   /* not now */
    DIALPLAN_NOT_REACHED,  /* the list ended before */
    DIALPLAN_REJECTED,     /* by a translation rule */
};

/* What became of one entry. */
struct dialplan_trace {
    const struct dialplan_context *context;
    const struct dialplan_entry *entry;
    enum dialplan_outcome outcome;
    struct precision precision; /* of its match */
};

/* What became of a number. */
struct dialplan_step {
    const struct translation *translation;
    const struct dialplan_entry *entry;   /* NULL: in the context, before anything was matched */
    const struct dialplan_target *target; /* NULL: for all of the entry */
    enum translation_number which;
    struct span before;
    struct translated after;
};

struct dialplan_answer {
    struct dialplan_candidate *candidates; /* in order */
    size_t n;
    /* Without a candidate: 404 nobody has such a number, 484 digits are missing, 403 not for this
     * caller or not now, or a rule rejected it. */
    unsigned status;
    bool emergency;             /* the first candidate is an emergency's */
    struct span called, caller; /* as they were matched */
    /* When asked for: all entries in the order of their merit, those that do not match behind. */
    struct dialplan_trace *trace;
    size_t n_trace;
    struct dialplan_step *steps;
    size_t n_steps;
};

/* With explain, trace and steps are filled. CS_ENOMEM, else 0. */
CS_CHECK int dialplan_lookup(const struct dialplan_context *context,
                             const struct dialplan_call *call, bool explain, struct arena *a,
                             struct dialplan_answer *out);

/* Orders candidates of an entry that have one priority by chance, as their weights say; those
 * without a weight stay behind them, as written. seed is the call's. */
void dialplan_draw(struct dialplan_answer *answer, uint64_t seed);

/* ---- digits that come one by one ---- */

enum dialplan_dialled {
    DIALLED_NOWHERE,  /* and no digit more will lead anywhere */
    DIALLED_PARTIAL,  /* digits are missing */
    DIALLED_COMPLETE, /* there is nothing to wait for */
    DIALLED_UNLESS,   /* complete unless one more comes within inter_digit, or "#" ends it */
};
/* Where an emergency number is complete nothing is waited for. */
enum dialplan_dialled dialplan_dialled(const struct dialplan_context *context,
                                       const struct dialplan_call *call);

#endif
