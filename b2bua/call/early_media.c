#include "b2bua/call/early_media.h"

/* Of few, and seldom: a search will do. */
static struct early_media_source *find(struct early_media *e, struct span name)
{
    struct early_media_source *oldest = &e->sources[0];
    for (size_t i = 0; i < e->n; i++) {
        struct early_media_source *s = &e->sources[i];
        if (span_eq(span_str(s->name), name))
            return s;
        if (s->last.ms < oldest->last.ms)
            oldest = s;
    }
    if (e->n < EARLY_MEDIA_SOURCES)
        oldest = &e->sources[e->n++];
    *oldest = (struct early_media_source){ .unanswered = 0 };
    span_copy(oldest->name, sizeof(oldest->name), name);
    return oldest;
}

void early_media_add(struct early_media *e, struct span source, struct wall now)
{
    struct early_media_source *s = find(e, span_head(source, EARLY_MEDIA_NAME_MAX));
    s->unanswered++;
    s->last = now;
}
