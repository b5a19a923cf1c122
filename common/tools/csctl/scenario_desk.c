#include "scenario.h"

enum { SOON_MS = 100 };

bool desk_registers(struct selftest *t)
{
    struct desk_phone *p = &t->desk;
    int err = desk_phone_open(t->loop, &t->sccp, t->device, p);
    while (!err && !t->late && !p->registered && !p->gone)
        uv_run(&t->loop->uv, UV_RUN_ONCE);
    if (err)
        saw(t, "%s", cs_strerror(err));
    else if (!p->registered)
        saw(t, "%s", p->reason[0] ? p->reason : p->gone ? "it was not let in" : "no answer");
    else
        saw(t, "version %u; line %s", p->dialect.version, p->number[0] ? p->number : "none");
    return p->registered && p->number[0];
}

/* ---- it is called ---- */

static void on_soon(struct timer *timer)
{
    container_of(timer, struct selftest, soon)->again = true;
}

static void wait_a_moment(struct selftest *t)
{
    t->again = false;
    timer_init(&t->soon, on_soon);
    timer_start(t->loop, &t->soon, DURATION_MS(SOON_MS));
    until(t, &t->again);
    timer_stop(t->loop, &t->soon);
}

/* It may take a moment until its line is registered as well. */
static bool rings(struct selftest *t)
{
    struct buf b = buf_of(t->offer, sizeof(t->offer) - 1);
    int err = phone_media_offer(&t->media, &b);
    if (err) {
        saw(t, "no media: %s", cs_strerror(err));
        return false;
    }
    t->offer[b.n] = '\0';
    do {
        hang_up_all(t);
        phone_invite_with(t->phone[0], &t->call, span_str(t->desk.number), t->offer);
        while (!t->late && !t->call.done && !t->desk.call.rings)
            uv_run(&t->loop->uv, UV_RUN_ONCE);
        if (t->call.answer && t->call.answer->status == 480)
            wait_a_moment(t);
    } while (!t->late && t->call.answer && t->call.answer->status == 480);
    if (!t->desk.call.rings)
        saw(t, "INVITE %s; the desk phone did not ring", t->call.trail);
    return t->desk.call.rings;
}

static bool talks(struct selftest *t)
{
    if (!rings(t))
        return false;
    desk_phone_answer(&t->desk);
    if (!answered(t, &t->call, 200) || !until(t, &t->desk.speaks))
        return false;
    wait_a_moment(t); /* a port takes no packet that came before it knew whose they are */
    int err = phone_media_talk(&t->media, t->call.answer->body);
    if (err) {
        saw(t, "it is not encrypted: %s", cs_strerror(err));
        return false;
    }
    bool good = all_comes_back(t);
    return hangs_up(t, t->phone[0], t->call.dialog, &t->desk.call.over) && good;
}

static bool with_media(struct selftest *t, bool (*run)(struct selftest *t))
{
    int err = phone_media_open(t->loop, siptp_listener_local(t->phone[0]->listener), &t->media);
    if (err)
        saw(t, "no media: %s", cs_strerror(err));
    bool good = !err && run(t);
    phone_media_close(&t->media);
    return good;
}

bool desk_is_called(struct selftest *t)
{
    return with_media(t, talks);
}

/* ---- it calls ---- */

static bool takes(struct selftest *t)
{
    struct phone *p = t->phone[0];
    struct buf b = buf_of(t->offer, sizeof(t->offer));
    hang_up_all(t);
    desk_phone_dial(&t->desk, user_of(t, 0));
    while (!t->late && !p->call.came && !t->desk.call.over)
        uv_run(&t->loop->uv, UV_RUN_ONCE);
    if (!p->call.came) {
        saw(t, "phone 1 did not ring");
        return false;
    }
    int err = phone_media_answer(&t->media, p->call.invite->body, &b);
    if (err) {
        saw(t, "the offer cannot be answered: %s", cs_strerror(err));
        return false;
    }
    phone_answer(p, buf_span(&b));
    if (!until(t, &p->call.acked))
        saw(t, "the ACK did not arrive");
    else if (!until(t, &t->desk.speaks))
        saw(t, "the desk phone was not told where to speak");
    else
        return true;
    return false;
}

static bool talks_back(struct selftest *t)
{
    if (!takes(t))
        return false;
    wait_a_moment(t);
    phone_media_begin(&t->media);
    bool good = all_comes_back(t);
    desk_phone_hang_up(&t->desk);
    if (!until(t, &t->phone[0]->call.ended))
        saw(t, "the BYE did not arrive");
    return t->phone[0]->call.ended && good;
}

bool desk_calls(struct selftest *t)
{
    return with_media(t, talks_back);
}
