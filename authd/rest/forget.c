#include "authd/rest/forget.h"

static void begin(struct forget *f);

static void done(struct forget *f, int err)
{
    f->fn(f->arg, err == CS_ENOENT ? 0 : err);
}

static void on_removed(void *arg, int err)
{
    struct forget *f = arg;
    f->call = NULL;
    if (err == CS_ECONFLICT) /* somebody changed it, and may not do so again */
        begin(f);
    else
        done(f, err);
}

static void on_user(void *arg, int err, const struct user *u)
{
    struct forget *f = arg;
    f->call = err ? NULL : store_remove_user(f->store, u, on_removed, f);
    if (!f->call)
        done(f, err ? err : CS_ENOMEM);
}

static void begin(struct forget *f)
{
    f->call = store_get_user(f->store, f->name, f->realm, on_user, f);
    if (!f->call)
        done(f, CS_ENOMEM);
}

void forget_user(struct forget *f, struct store *s, struct span name, struct span realm,
                 store_done_fn *fn, void *arg)
{
    *f = (struct forget){ .store = s, .name = name, .realm = realm, .fn = fn, .arg = arg };
    begin(f);
}

void forget_cancel(struct forget *f)
{
    if (f->call)
        store_cancel(f->call);
    f->call = NULL;
}
