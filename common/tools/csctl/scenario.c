#include <stdarg.h>

#include "base/rand.h"
#include "scenario.h"

/* ---- waiting and telling ---- */

static void on_deadline(struct timer *timer)
{
    container_of(timer, struct selftest, deadline)->late = true;
}

bool until(struct selftest *t, const bool *happened)
{
    while (!*happened && !t->late)
        uv_run(&t->loop->uv, UV_RUN_ONCE);
    return *happened;
}

void saw(struct selftest *t, const char *fmt, ...)
{
    size_t n = strlen(t->seen);
    va_list ap;
    if (n)
        n += (size_t)snprintf(t->seen + n, sizeof(t->seen) - n, "; ");
    if (n >= sizeof(t->seen))
        return;
    va_start(ap, fmt);
    vsnprintf(t->seen + n, sizeof(t->seen) - n, fmt, ap);
    va_end(ap);
}

bool finished(struct selftest *t, const struct ask *a)
{
    struct span name = sip_method_name(a->method);
    until(t, &a->done);
    saw(t, SPAN_FMT " %s", SPAN_ARG(name), a->trail[0] ? a->trail : "unanswered");
    if (!a->done)
        saw(t, "nothing more in %g s", (double)t->timeout.ms / 1000);
    else if (a->err)
        saw(t, "%s", cs_strerror(a->err));
    return a->answer && !a->err;
}

bool answered(struct selftest *t, const struct ask *a, unsigned status)
{
    if (!finished(t, a))
        return false;
    if (a->answer->status != status)
        saw(t, "%u was expected", status);
    return a->answer->status == status;
}

static bool is_challenge(unsigned status)
{
    return status == 401 || status == 407;
}

static bool was_challenged(struct selftest *t, const struct ask *a)
{
    if (a->challenge)
        saw(t, SPAN_FMT, SPAN_ARG(digest_alg_name(a->alg, false)));
    else
        saw(t, "it was not challenged");
    return a->challenge != 0;
}

struct ask *next_ask(struct selftest *t)
{
    ask_fini(&t->other);
    return &t->other;
}

/* ---- registering ---- */

bool answers(struct selftest *t)
{
    for (size_t i = 0; i < CS_LEN(t->phone); i++) {
        struct ask *a = next_ask(t);
        phone_options(t->phone[i], a);
        saw(t, "%s", sip_transport_name(t->conf[i].transport).p);
        t->unreachable = !finished(t, a);
        if (t->unreachable)
            return false;
    }
    return true;
}

/* Number of contacts in a 200 to REGISTER; *left gets the seconds of this phone's own, 0 if it is
 * not there. */
static size_t contacts(const struct phone *p, const struct sip_msg *m, uint64_t *left)
{
    struct sip_uri own;
    size_t n = 0;
    *left = 0;
    for (struct sip_values it = sip_values(m, SIP_HDR_CONTACT); sip_next(&it); n++) {
        struct sip_addr c;
        struct span expires;
        if (sip_addr_parse(it.value, &c) || sip_uri_parse(span_str(p->contact), &own) ||
            !sip_uri_eq(&c.uri, &own))
            continue;
        if (sip_param(c.params, SPAN("expires"), &expires) || span_u64(expires, UINT32_MAX, left))
            *left = 0;
    }
    return n;
}

static bool registers(struct selftest *t, unsigned who)
{
    struct ask *a = &t->reg[who];
    uint64_t left;
    saw(t, "%s", sip_transport_name(t->conf[who].transport).p);
    phone_register(t->phone[who], a, LIFETIME, NULL);
    if (!answered(t, a, 200) || !was_challenged(t, a))
        return false;
    contacts(t->phone[who], a->answer, &left);
    if (left)
        saw(t, "expires in %u s", (unsigned)left);
    else
        saw(t, "the 200 does not list the contact with its expires");
    return left > 0;
}

static bool first_registers(struct selftest *t)
{
    return registers(t, 0);
}

static bool second_registers(struct selftest *t)
{
    return registers(t, 1);
}

static bool is_refused(struct selftest *t, const struct ask *a)
{
    if (!finished(t, a))
        return false;
    unsigned status = a->answer->status;
    if (!is_challenge(status) && status != 403)
        saw(t, "401 or 403 was expected");
    else if (!a->answered)
        saw(t, "no credentials were asked for");
    return a->answered && (is_challenge(status) || status == 403);
}

static bool wrong_password(struct selftest *t)
{
    phone_register(t->wrong, &t->refused, LIFETIME, NULL);
    return is_refused(t, &t->refused);
}

/* Headers of the same names in the same order, the same reason: a stranger cannot tell. */
static bool looks_the_same(const struct sip_msg *a, const struct sip_msg *b)
{
    bool same = a->status == b->status && span_eq(a->reason, b->reason) && a->n_hdr == b->n_hdr;
    for (size_t i = 0; same && i < a->n_hdr; i++)
        same = span_eq(a->hdr[i].name, b->hdr[i].name);
    return same;
}

static bool unknown_user(struct selftest *t)
{
    struct ask *a = next_ask(t);
    phone_register(t->stranger, a, LIFETIME, NULL);
    if (!is_refused(t, a))
        return false;
    bool same = looks_the_same(a->answer, t->refused.answer);
    saw(t, "%s a wrong password", same ? "as" : "another answer than");
    return same;
}

static bool replay(struct selftest *t)
{
    struct ask *a = next_ask(t);
    phone_register(t->phone[0], a, LIFETIME, t->reg[0].credentials);
    if (!finished(t, a))
        return false;
    bool refused = is_challenge(a->answer->status) || a->answer->status == 403;
    if (!refused)
        saw(t, "401 or 403 was expected");
    return refused;
}

static bool unregister(struct selftest *t)
{
    uint64_t left;
    for (size_t i = 0; i < CS_LEN(t->phone); i++) {
        struct ask *a = next_ask(t);
        phone_register(t->phone[i], a, 0, NULL);
        if (!answered(t, a, 200))
            return false;
        contacts(t->phone[i], a->answer, &left);
        if (left) {
            saw(t, "the 200 still lists the contact");
            return false;
        }
    }
    return true;
}

static bool query(struct selftest *t)
{
    uint64_t left;
    for (size_t i = 0; i < CS_LEN(t->phone); i++) {
        struct ask *a = next_ask(t);
        phone_query(t->phone[i], a);
        if (!answered(t, a, 200))
            return false;
        size_t n = contacts(t->phone[i], a->answer, &left);
        if (left)
            saw(t, "our contact is still there");
        else if (n)
            saw(t, "%zu others are there: give a user without phones", n);
        if (n)
            return false;
    }
    return true;
}

/* ---- calling ---- */

void hang_up_all(struct selftest *t)
{
    if (t->call.phone && !t->call.done)
        ask_cancel(&t->call);
    ask_fini(&t->call);
    for (size_t i = 0; i < CS_LEN(t->phone); i++)
        phone_forget_call(t->phone[i]);
}

struct span user_of(const struct selftest *t, unsigned who)
{
    return t->conf[who].user;
}

static bool bare_call(struct selftest *t)
{
    struct digest_challenge c;
    struct ask *a = next_ask(t);
    hang_up_all(t);
    phone_invite(t->phone[0], a, user_of(t, 1), true);
    if (!finished(t, a))
        return false;
    if (!is_challenge(a->answer->status))
        saw(t, "407 was expected");
    else if (phone_digest_choose(a->answer, &c))
        saw(t, "it offers no Digest that can be answered");
    else if (t->phone[1]->call.came)
        saw(t, "but the other phone rang");
    else
        return true;
    return false;
}

/* The phone rings at both ends. */
static bool rings(struct selftest *t, unsigned from, unsigned to)
{
    hang_up_all(t);
    phone_invite(t->phone[from], &t->call, user_of(t, to), false);
    while (!t->late && !t->call.done && !(t->call.rang && t->phone[to]->call.came))
        uv_run(&t->loop->uv, UV_RUN_ONCE);
    if (t->call.rang && t->phone[to]->call.came && !t->call.done)
        return true;
    bool ended = finished(t, &t->call);
    saw(t, "phone %u %s", to + 1, t->phone[to]->call.came ? "rang" : "did not ring");
    if (ended)
        saw(t, "it ended before it was answered");
    return false;
}

static bool talks(struct selftest *t, unsigned from, unsigned to)
{
    if (!rings(t, from, to))
        return false;
    phone_answer(t->phone[to], SPAN_NULL);
    if (!answered(t, &t->call, 200))
        return false;
    if (!span_starts(t->call.answer->body, SPAN("v=0")))
        saw(t, "the 200 has no SDP");
    else if (!until(t, &t->phone[to]->call.acked))
        saw(t, "the ACK did not arrive");
    else
        return was_challenged(t, &t->call);
    return false;
}

bool hangs_up(struct selftest *t, struct phone *p, struct dialog *d, const bool *ended)
{
    struct ask *a = next_ask(t);
    phone_bye(p, a, d);
    if (!answered(t, a, 200))
        return false;
    if (!until(t, ended))
        saw(t, "the BYE did not arrive");
    return *ended;
}

static bool call(struct selftest *t)
{
    return talks(t, 0, 1);
}

static bool call_headers(struct selftest *t)
{
    const struct sip_msg *m = t->phone[1]->call.invite;
    struct sip_addr asserted;
    struct sip_uri caller;
    struct span identity = sip_hdr_value(m, SIP_HDR_P_ASSERTED_IDENTITY);
    bool same = sip_uri_parse(span_str(t->phone[0]->aor), &caller) == 0 &&
                sip_addr_parse(identity, &asserted) == 0 && sip_uri_eq(&asserted.uri, &caller);
    bool routed = sip_has(m, SIP_HDR_RECORD_ROUTE);
    bool leaks = sip_has(m, SIP_HDR_PROXY_AUTHORIZATION) || sip_has(m, SIP_HDR_AUTHORIZATION);
    if (!routed)
        saw(t, "no Record-Route");
    if (identity.p)
        saw(t, "P-Asserted-Identity " SPAN_FMT, SPAN_ARG(identity));
    else
        saw(t, "no P-Asserted-Identity");
    if (!same && identity.p)
        saw(t, "which is not %s", t->phone[0]->aor);
    if (leaks)
        saw(t, "the caller's credentials arrived");
    return routed && same && !leaks;
}

static bool callee_hangs_up(struct selftest *t)
{
    return hangs_up(t, t->phone[1], &t->phone[1]->call.dialog, &t->call.ended);
}

static bool call_back(struct selftest *t)
{
    return talks(t, 1, 0) && hangs_up(t, t->phone[1], t->call.dialog, &t->phone[0]->call.ended);
}

static bool give_up(struct selftest *t)
{
    if (!rings(t, 0, 1))
        return false;
    ask_cancel(&t->call);
    if (!answered(t, &t->call, 487))
        return false;
    if (!until(t, &t->phone[1]->call.cancelled))
        saw(t, "the CANCEL did not arrive");
    return t->phone[1]->call.cancelled;
}

static bool call_nobody(struct selftest *t)
{
    struct ask *a = next_ask(t);
    phone_invite(t->phone[0], a, span_str(t->nobody), false);
    if (!finished(t, a))
        return false;
    /* A b2bua cannot tell who is nobody from who is away. */
    bool refused = a->answer->status == 404 || a->answer->status == 480;
    if (!refused)
        saw(t, "404 or 480 was expected");
    return refused;
}

static bool call_gone(struct selftest *t)
{
    struct ask *a = next_ask(t);
    hang_up_all(t);
    phone_invite(t->phone[0], a, user_of(t, 1), false);
    return answered(t, a, 480);
}

/* ---- media ---- */

bool all_comes_back(struct selftest *t)
{
    struct phone_media *m = &t->media;
    struct span suite = keys_suite_name(m->keys.out.suite);
    saw(t, SPAN_FMT, SPAN_ARG(suite.p ? suite : SPAN("in the clear")));
    until(t, &m->done);
    saw(t, "%u of %u packets came back", m->heard, m->sent);
    if (m->heard)
        saw(t, "after %.1f ms", m->round_trips_ms / m->heard);
    bool good = m->heard == PHONE_MEDIA_FRAMES;
    phone_media_close(m);
    return good;
}

/* What it says comes back, unchanged, by keys that both sides agreed on. */
static bool hears_itself(struct selftest *t)
{
    struct buf b = buf_of(t->offer, sizeof(t->offer) - 1);
    struct phone_media *m = &t->media;
    hang_up_all(t);
    int err = phone_media_open(t->loop, siptp_listener_local(t->phone[0]->listener), m);
    if (!err)
        err = phone_media_offer(m, &b);
    if (err) {
        saw(t, "no media: %s", cs_strerror(err));
        return false;
    }
    t->offer[b.n] = '\0';
    phone_invite_with(t->phone[0], &t->call, t->echo, t->offer);
    if (!answered(t, &t->call, 200))
        return false;
    err = phone_media_talk(m, t->call.answer->body);
    if (err) {
        saw(t, "it is not encrypted: %s", cs_strerror(err));
        return false;
    }
    bool good = all_comes_back(t);
    struct ask *a = next_ask(t);
    phone_bye(t->phone[0], a, t->call.dialog);
    return answered(t, a, 200) && good;
}

/* ---- the scenario ---- */

enum {
    ANSWERS,
    REGISTER_1,
    REGISTER_2,
    WRONG_PASSWORD,
    UNKNOWN_USER,
    REPLAY,
    BARE_CALL,
    CALL,
    CALL_HEADERS,
    HANG_UP,
    CALL_BACK,
    GIVE_UP,
    CALL_NOBODY,
    HEARS_ITSELF,
    DESK_REGISTERS,
    DESK_CALLED,
    DESK_CALLS,
    UNREGISTER,
    QUERY,
    CALL_GONE,
    STEP_COUNT
};

#define PASSED(step) (1U << (step))
#define BOTH         (PASSED(REGISTER_1) | PASSED(REGISTER_2))

const struct step selftest_steps[STEP_COUNT + 1] = {
    [ANSWERS] = { "the server answers", "RFC 3261, 11", answers, 0 },
    [REGISTER_1] = { "phone 1 registers", "RFC 3261, 10; RFC 8760", first_registers, 0 },
    [REGISTER_2] = { "phone 2 registers", "RFC 3261, 10; RFC 8760", second_registers, 0 },
    [WRONG_PASSWORD] = { "a wrong password is refused", "RFC 3261, 22.4", wrong_password, 0 },
    [UNKNOWN_USER] = { "an unknown user is refused alike", "RFC 3261, 26.3.2", unknown_user,
                       PASSED(WRONG_PASSWORD) },
    [REPLAY] = { "replayed credentials are refused", "RFC 7616, 5.12", replay, PASSED(REGISTER_1) },
    [BARE_CALL] = { "a call without credentials is challenged", "RFC 3261, 22.3", bare_call, 0 },
    [CALL] = { "phone 1 calls phone 2, which answers", "RFC 3261, 13", call, BOTH },
    [CALL_HEADERS] = { "the caller is asserted, no secret passed on", "RFC 3325, 5; RFC 3261, 22.3",
                       call_headers, PASSED(CALL) },
    [HANG_UP] = { "phone 2 hangs up", "RFC 3261, 15", callee_hangs_up, PASSED(CALL) },
    [CALL_BACK] = { "phone 2 calls phone 1, and hangs up", "RFC 3261, 13", call_back, BOTH },
    [GIVE_UP] = { "phone 1 calls and gives up", "RFC 3261, 9", give_up, BOTH },
    [CALL_NOBODY] = { "a user that does not exist cannot be called", "RFC 3261, 21.4", call_nobody,
                      0 },
    [HEARS_ITSELF] = { "a phone hears itself, encrypted (SRTP)", "RFC 4568", hears_itself,
                       PASSED(REGISTER_1), STEP_WITH_ECHO },
    [DESK_REGISTERS] = { "a desk phone registers (SCCP)", "SCCP", desk_registers, 0,
                         STEP_WITH_DESK },
    [DESK_CALLED] = { "phone 1 calls the desk phone, both are heard", "SCCP", desk_is_called,
                      PASSED(REGISTER_1) | PASSED(DESK_REGISTERS), STEP_WITH_DESK },
    [DESK_CALLS] = { "the desk phone calls phone 1, both are heard", "SCCP", desk_calls,
                     PASSED(REGISTER_1) | PASSED(DESK_REGISTERS), STEP_WITH_DESK },
    [UNREGISTER] = { "both phones unregister", "RFC 3261, 10.2.2", unregister, BOTH },
    [QUERY] = { "nothing is registered any more", "RFC 3261, 10.2.3", query, PASSED(UNREGISTER) },
    [CALL_GONE] = { "a phone that is gone cannot be called", "RFC 3261, 21.4.18", call_gone,
                    PASSED(UNREGISTER) },
};
_Static_assert((int)STEP_COUNT <= (int)SELFTEST_STEPS, "results have no room for every step");

enum outcome selftest_step(struct selftest *t, const struct step *list, const struct step *s,
                           unsigned passed)
{
    t->seen[0] = '\0';
    for (size_t i = 0; list[i].name; i++) {
        if (s->needs & ~passed & PASSED(i)) {
            saw(t, "needs \"%s\"", list[i].name);
            return STEP_SKIPPED;
        }
    }
    t->late = false;
    timer_start(t->loop, &t->deadline, t->timeout);
    bool ok = s->run(t);
    timer_stop(t->loop, &t->deadline);
    return ok ? STEP_PASSED : STEP_FAILED;
}

int selftest_open(struct selftest *t)
{
    char text[24];
    struct buf b = BUF_INIT(text);
    unsigned char random[8];
    rand_bytes(random, sizeof(random));
    buf_hex(&b, random, sizeof(random));
    snprintf(t->nobody, sizeof(t->nobody), "nobody-" SPAN_FMT, SPAN_ARG(buf_span(&b)));
    timer_init(&t->deadline, on_deadline);
    int err = secret_set(&t->made_up, buf_span(&b));
    for (size_t i = 0; !err && i < CS_LEN(t->phone); i++)
        err = phone_open(t->loop, &t->conf[i], &t->phone[i]);
    struct phone_conf conf = t->conf[0];
    conf.password = &t->made_up;
    if (!err)
        err = phone_open(t->loop, &conf, &t->wrong);
    conf.user = span_str(t->nobody);
    if (!err)
        err = phone_open(t->loop, &conf, &t->stranger);
    return err;
}

void selftest_close(struct selftest *t)
{
    struct ask *asks[] = { &t->reg[0], &t->reg[1], &t->refused, &t->call, &t->other };
    for (size_t i = 0; i < CS_LEN(asks); i++)
        ask_fini(asks[i]);
    phone_media_close(&t->media);
    desk_phone_close(&t->desk);
    phone_close(&t->stranger);
    phone_close(&t->wrong);
    phone_close(&t->phone[1]);
    phone_close(&t->phone[0]);
    secret_fini(&t->made_up);
}
