#include "authd/inspect/flaw.h"

#define ROW(flaw, name, repairable, meaning, remedy) \
    [FLAW_##flaw] = { SPAN_INIT(name), SPAN_INIT(meaning), SPAN_INIT(remedy), repairable }

static const struct {
    struct span name, meaning, remedy;
    bool repairable;
} flaws[FLAWS] = {
    ROW(UNREADABLE, "unreadable", false,
        "This record cannot be read: it is damaged, or was written by hand. Whoever needs it is "
        "answered as if Redis were away.",
        "Restore it from a backup, or remove it (redis-cli DEL, of a hash HDEL with the entry) and "
        "make it anew with csctl; bindings by csctl bindings AOR --remove."),
    ROW(UNKNOWN_SCHEMA, "unknown-schema", false,
        "This record has a schema that this authd does not know: a newer one wrote it.",
        "Update every authd and registrar. After a step back to an older version: restore the "
        "backup from before the update."),
    ROW(UNKNOWN_KEY, "unknown-key", false,
        "Countersign has no key of this kind: a newer version made it, or somebody by hand.",
        "Update, or, where nothing newer runs, remove it: redis-cli DEL."),
    ROW(MISPLACED, "misplaced", false,
        "The record speaks of another name than its key: it was copied or renamed by hand, and its "
        "verifiers open nothing here.",
        "Remove the key (redis-cli DEL), and make the record anew with csctl."),
    ROW(UNLISTED, "unlisted", false,
        "The record is not in the index of its kind: it works, or not, but no list shows it.",
        "Change anything of it, which puts it there: csctl user enable NAME, csctl trunk, device "
        "or "
        "address-set with the change; a ban: csctl ban add it again."),
    ROW(AOR_NOT_INDEXED, "aor-not-indexed", false,
        "The index of this address of record does not name this user, who may use it: requests for "
        "it get 404.",
        "Write the user again: csctl user enable NAME --realm REALM."),
    ROW(LACK_NOT_INDEXED, "lack-not-indexed", false,
        "The user has no verifier for this algorithm, and is not counted among those: it is "
        "offered "
        "to the realm, and this user fails.",
        "Write the user again: csctl user enable NAME --realm REALM."),
    ROW(DANGLING, "dangling", true,
        "The index names a record that is not there. What counts by the index counts one too many.",
        "csctl check --repair takes the entry out."),
    ROW(STALE_ENTRY, "stale-entry", true,
        "The index names a user whose record says otherwise: who is disabled, or has not, or no "
        "longer, what the index is of.",
        "csctl check --repair takes the entry out."),
    ROW(UNKNOWN_REALM, "unknown-realm", false,
        "The user is of a realm that is not in the configuration, so nothing proves who it is.",
        "Put the realm back, or say formerly: at the one that took its place; or remove the user."),
    ROW(UNKNOWN_KEY_ID, "unknown-sealing-key", false,
        "This authd cannot open what is sealed there: the key is not in seal_key_file (of a "
        "trunk: trunk_key_file), or it was sealed for another name. Nobody is accepted by it.",
        "Put the key with that id back and restart; or give a new password: csctl user passwd, "
        "csctl "
        "trunk passwd. Where one authd alone has trunk_key_file, ask that one (--url)."),
    ROW(LINE_OF_NOBODY, "line-of-nobody", false,
        "The device has a line of a user that there is none of: that line is dead.",
        "csctl device set DEVICE --line ... with the lines that it should have, or csctl user "
        "add."),
    ROW(ABSENT_SET, "absent-address-set", false,
        "An address set is referred to, and there is none of that name: it holds no address, so "
        "nobody is known by it.",
        "csctl address-set add NAME, or name another one."),
    ROW(BINDING_OF_NOBODY, "binding-of-nobody", true,
        "Something is registered by a user that there is none of any more.",
        "csctl check --repair ends it, as if the user were removed now."),
    ROW(BINDING_OF_DISABLED, "binding-of-disabled", true,
        "Something is registered by a user who is disabled.",
        "csctl check --repair ends it, as if the user were disabled now."),
    ROW(BINDING_NOT_ALLOWED, "binding-not-allowed", true,
        "Something is registered at an address of record that its user may not use any more.",
        "csctl check --repair ends it, as if the address were taken from the user now."),
    ROW(REGISTRAR_AWAY, "registrar-away", false,
        "The registrar that has this phone's connection has given no sign of life for ten seconds: "
        "the phone cannot be called before it registers again.",
        "Start that registrar, under the same node name. If it is gone for good: csctl bindings "
        "AOR "
        "--remove, or wait until it expires."),
    ROW(UNFINISHED, "unfinished", false,
        "Something was taken from a user or revoked more than a minute ago, and no authd has seen "
        "it "
        "to its end.",
        "See that every authd is ready (csctl health), and what their logs say of it."),
    ROW(NO_EXPIRY, "no-expiry", false,
        "What is of its kind expires by itself, but this has no time to live and stays for good.",
        "If it is not wanted, remove it: redis-cli DEL."),
    ROW(EXPIRES, "expires", false,
        "What is of its kind stays until it is removed, but this has a time to live, and will be "
        "gone.",
        "redis-cli PERSIST KEY."),
};

struct span flaw_name(enum flaw f)
{
    return flaws[f].name;
}

struct span flaw_meaning(enum flaw f)
{
    return flaws[f].meaning;
}

struct span flaw_remedy(enum flaw f)
{
    return flaws[f].remedy;
}

bool flaw_is_repairable(enum flaw f)
{
    return flaws[f].repairable;
}
