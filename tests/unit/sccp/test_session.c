#include "unit/sccp/world.h"

#define NAME  "SEP001122334455"
#define OTHER "SEP001122334466"

static struct world w;
static struct sccp_directory directory;
static struct phone p, q;

static int open_world(void **state)
{
    (void)state;
    world_open(&w, &directory, 4);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    phone_close(&p);
    phone_close(&q);
    world_close(&w);
    return 0;
}

static void test_a_phone_registers_at_each_version(void **state)
{
    (void)state;
    for (unsigned v = SCCP_OLDEST; v <= SCCP_NEWEST; v++) {
        const struct sccp_message *m;
        phone_open(&p, &w, v);
        SAY(&p, Alarm, alarm, .text = SPAN("Name=" NAME " Last=Initialized"));
        say_register(&p, NAME);
        assert_int_equal(p.s->state, SCCP_STATE_ASKING);
        assert_string_equal(w.asked[(w.n_asked - 1) % ASKED_MAX].name, NAME);
        accept_it(&w);
        m = hear(&p, SCCP_RegisterAck);
        assert_int_equal(m->register_ack.version, v);
        assert_int_equal(m->register_ack.keepalive, 30);
        assert_span(m->register_ack.date, "D.M.Y");
        hear(&p, SCCP_CapabilitiesReq);
        assert_int_equal(p.s->state, SCCP_STATE_CONFIGURING);
        SAY(&p, CapabilitiesRes, capabilities_res, .n = 3,
            .audio = { { .codec = SCCP_CODEC_PCMU },
                       { .codec = SCCP_CODEC_EVENTS },
                       { .codec = SCCP_CODEC_PCMA } });
        assert_int_equal(p.s->n_codecs, 2);
        assert_int_equal(p.s->codecs[1].id, SCCP_CODEC_PCMA);
        SAY(&p, VersionReq, version_req);
        hear(&p, SCCP_Version);
        SAY(&p, ButtonTemplateReq, button_template_req);
        m = hear(&p, SCCP_ButtonTemplate);
        assert_int_equal(m->button_template.n, 4);
        assert_int_equal(m->button_template.total, 4);
        assert_int_equal(m->button_template.buttons[1].type, SCCP_BUTTON_LINE);
        assert_int_equal(m->button_template.buttons[1].instance, 2);
        assert_int_equal(m->button_template.buttons[3].type, SCCP_BUTTON_SPEED_DIAL);
        assert_int_equal(m->button_template.buttons[3].instance, 1);
        assert_int_equal(m->button_template.buttons[41].type, SCCP_BUTTON_UNDEFINED);
        assert_int_equal(m->button_template.buttons[41].instance, 0);
        SAY(&p, SoftKeyTemplateReq, soft_key_template_req);
        m = hear(&p, SCCP_SoftKeyTemplateRes);
        assert_span(m->soft_key_template_res.keys[0].label, "\x80\x01");
        assert_int_equal(m->soft_key_template_res.keys[0].event, SCCP_KEY_REDIAL);
        SAY(&p, SoftKeySetReq, soft_key_set_req);
        m = hear(&p, SCCP_SoftKeySetRes);
        assert_int_equal(m->soft_key_set_res.sets[SCCP_KEYS_RING_IN].infos[0],
                         300 + SCCP_KEY_ANSWER);
        hear(&p, SCCP_SelectSoftKeys);
        assert_span(hear(&p, SCCP_DisplayPromptStatus)->display_prompt_status.text, "\x80\x13");
        SAY(&p, LineStatReq, line_stat_req, 1);
        m = hear(&p, SCCP_LineStat);
        assert_span(m->line_stat.number, "2001");
        assert_span(m->line_stat.name, "J\xc3\xbcrgen");
        assert_span(m->line_stat.label, "2001");
        SAY(&p, LineStatReq, line_stat_req, 2);
        assert_span(hear(&p, SCCP_LineStat)->line_stat.label, "Door");
        SAY(&p, LineStatReq, line_stat_req, 3);
        assert_span(hear(&p, SCCP_LineStat)->line_stat.number, "");
        SAY(&p, ForwardStatReq, forward_stat_req, 1);
        m = hear(&p, SCCP_ForwardStat);
        assert_int_equal(m->forward_stat.active, 1);
        assert_int_equal(m->forward_stat.all_active, 0);
        assert_span(m->forward_stat.busy, "2009");
        SAY(&p, SpeedDialStatReq, speed_dial_stat_req, 1);
        m = hear(&p, SCCP_SpeedDialStat);
        assert_span(m->speed_dial_stat.number, "0");
        assert_span(m->speed_dial_stat.label, "0");
        SAY(&p, ConfigStatReq, config_stat_req);
        m = hear(&p, SCCP_ConfigStat);
        assert_int_equal(m->config_stat.lines, 2);
        assert_span(m->config_stat.server, "pbx.example.test");
        SAY(&p, ServerReq, server_req);
        assert_span(hear(&p, SCCP_ServerRes)->server_res.names[0], "pbx.example.test");
        SAY(&p, FeatureStatReq, feature_stat_req, 1);
        hear(&p, SCCP_FeatureStat);
        SAY(&p, ServiceURLStatReq, service_url_stat_req, 1);
        hear(&p, SCCP_ServiceURLStat);
        assert_int_equal(p.s->state, SCCP_STATE_CONFIGURING);
        SAY(&p, RegisterAvailableLines, register_available_lines, 2);
        assert_int_equal(p.s->state, SCCP_STATE_REGISTERED);
        SAY(&p, TimeDateReq, time_date_req);
        hear(&p, SCCP_DefineTimeDate);
        assert_true(quiet(&p) && !p.closed);
        phone_close(&p);
    }
    assert_int_equal(w.attached, 20);
    assert_int_equal(w.detached, 20);
}

static void test_the_time_is_that_of_the_wall(void **state)
{
    (void)state;
    phone_open(&p, &w, 17);
    phone_register(&p, &w, NAME);
    SAY(&p, TimeDateReq, time_date_req);
    const struct sccp_define_time_date *t = &hear(&p, SCCP_DefineTimeDate)->define_time_date;
    int64_t wall = zone_days((int)t->year, (int)t->month, (int)t->day) * 86400 + t->hour * 3600 +
                   t->minute * 60 + t->second;
    assert_int_equal(t->unix_time, loop_wall(&w.loop).ms / 1000);
    assert_true(wall - t->unix_time == 3600 || wall - t->unix_time == 7200); /* CET, or CEST */
}

static void test_a_new_connection_takes_the_place_of_the_old(void **state)
{
    (void)state;
    phone_open(&p, &w, 17);
    phone_open(&q, &w, 17);
    phone_register(&p, &w, NAME);
    say_register(&q, NAME);
    assert_false(p.closed); /* anybody may say the name */
    assert_ptr_equal(sccp_find(&w.sccp, SPAN(NAME)), p.s);
    accept_it(&w);
    assert_true(p.closed);
    assert_int_equal(p.s->end, SCCP_END_REPLACED);
    assert_ptr_equal(w.was, p.s);
    assert_ptr_equal(sccp_find(&w.sccp, SPAN(NAME)), q.s);
    hear(&q, SCCP_RegisterAck);
    phone_close(&p);
    assert_ptr_equal(sccp_find(&w.sccp, SPAN(NAME)), q.s);
    assert_int_equal(w.detached, 0);
}

static void test_it_may_register_again_by_the_same_connection(void **state)
{
    (void)state;
    phone_open(&p, &w, 20);
    phone_register(&p, &w, NAME);
    phone_register(&p, &w, NAME);
    assert_int_equal(w.attached, 2);
    assert_int_equal(w.detached, 0);
    assert_false(p.closed);
    say_register(&p, OTHER); /* but not as another device */
    assert_span(hear(&p, SCCP_RegisterReject)->register_reject.reason, "Invalid device name");
    assert_true(p.closed);
    assert_int_equal(w.detached, 1);
}

static void test_who_registers_again_stays_while_nobody_can_say(void **state)
{
    (void)state;
    phone_open(&p, &w, 20);
    phone_register(&p, &w, NAME);
    say_register(&p, NAME);
    answer(&w, &(struct sccp_answer){ .verdict = SCCP_LATER });
    hear(&p, SCCP_RegisterAck);
    hear(&p, SCCP_CapabilitiesReq);
    SAY(&p, TimeDateReq, time_date_req);
    hear(&p, SCCP_DefineTimeDate);
    assert_int_equal(p.s->state, SCCP_STATE_REGISTERED);
    assert_int_equal(w.attached, 2);
    assert_int_equal(w.detached, 0);
    w.n_asked--; /* what was asked first stands, and is answered again */
    answer(&w, &(struct sccp_answer){ .verdict = SCCP_REJECTED });
    w.n_asked++;
    hear(&p, SCCP_Reset);
    assert_true(p.closed);
}

static void test_who_is_refused_while_it_registers_again_goes(void **state)
{
    (void)state;
    phone_open(&p, &w, 20);
    phone_register(&p, &w, NAME);
    say_register(&p, NAME);
    w.n_asked--;
    accept_it(&w); /* of what was asked before, and nothing any more */
    assert_true(quiet(&p));
    answer(&w, &(struct sccp_answer){ .verdict = SCCP_REJECTED, .reason = SPAN("no") });
    w.n_asked++;
    hear(&p, SCCP_RegisterReject);
    assert_true(p.closed);
    assert_int_equal(w.detached, 1);
}

static void test_several_are_behind_one_address(void **state)
{
    (void)state;
    phone_open(&p, &w, 3);
    phone_open(&q, &w, 22);
    phone_register(&p, &w, NAME);
    phone_register(&q, &w, OTHER);
    assert_false(p.closed || q.closed);
    assert_int_equal(w.sccp.devices.n, 2);
}

static void test_who_is_refused_reads_why(void **state)
{
    (void)state;
    phone_open(&p, &w, 11);
    say_register(&p, NAME);
    answer(&w, &(struct sccp_answer){ .verdict = SCCP_REJECTED, .reason = SPAN("Unknown device") });
    assert_span(hear(&p, SCCP_RegisterReject)->register_reject.reason, "Unknown device");
    assert_true(p.closed);
    assert_int_equal(p.s->end, SCCP_END_REFUSED);
    phone_open(&q, &w, 11);
    say_register(&q, "a/b");
    hear(&q, SCCP_RegisterReject);
    assert_true(q.closed);
    assert_int_equal(w.n_asked, 1);
}

static void test_an_outage_is_no_refusal(void **state)
{
    (void)state;
    phone_open(&p, &w, 11);
    say_register(&p, NAME);
    answer(&w, &(struct sccp_answer){ .verdict = SCCP_LATER });
    assert_true(p.closed && quiet(&p));
    assert_int_equal(p.s->end, SCCP_END_LATER);
}

static void test_tokens(void **state)
{
    (void)state;
    phone_open(&p, &w, 17);
    SAY(&p, RegisterTokenReq, register_token_req, .name = SPAN(NAME));
    assert_true(w.asked[0].token);
    answer(&w, &(struct sccp_answer){ .verdict = SCCP_LATER, .wait_s = 20 });
    assert_int_equal(hear(&p, SCCP_RegisterTokenReject)->register_token_reject.wait, 20);
    SAY(&p, RegisterTokenReq, register_token_req, .name = SPAN(NAME));
    answer(&w, &(struct sccp_answer){ .verdict = SCCP_REJECTED });
    assert_int_equal(hear(&p, SCCP_RegisterTokenReject)->register_token_reject.wait, 5);
    SAY(&p, RegisterTokenReq, register_token_req, .name = SPAN(NAME));
    answer(&w, &(struct sccp_answer){ .verdict = SCCP_ACCEPTED, .device = device_of(NAME) });
    hear(&p, SCCP_RegisterTokenAck);
    assert_int_equal(p.s->state, SCCP_STATE_TOKEN);
    assert_null(sccp_find(&w.sccp, SPAN(NAME)));
    phone_register(&p, &w, NAME);
    SAY(&p, RegisterTokenReq, register_token_req, .name = SPAN(NAME));
    hear(&p, SCCP_RegisterTokenAck);
    assert_int_equal(p.s->state, SCCP_STATE_REGISTERED);
}

static void test_who_does_not_register_is_closed(void **state)
{
    (void)state;
    phone_open(&p, &w, 17);
    for (unsigned i = 0; i < 14; i++) {
        loop_skip(&w.loop, DURATION_S(1));
        SAY(&p, KeepAlive, keep_alive); /* answered, and of no help */
        hear(&p, SCCP_KeepAliveAck);
    }
    loop_skip(&w.loop, DURATION_MS(1100));
    assert_true(p.closed);
    assert_int_equal(p.s->end, SCCP_END_STALLED);
    phone_open(&q, &w, 17);
    say_register(&q, NAME);
    accept_it(&w);
    loop_skip(&w.loop, DURATION_S(10));
    SAY(&q, ButtonTemplateReq, button_template_req); /* a step */
    loop_skip(&w.loop, DURATION_S(10));
    assert_false(q.closed);
    loop_skip(&w.loop, DURATION_S(6));
    assert_true(q.closed);
    assert_int_equal(q.s->end, SCCP_END_STALLED);
    assert_int_equal(w.detached, 1);
}

static void test_who_falls_silent_is_closed(void **state)
{
    (void)state;
    phone_open(&p, &w, 17);
    phone_register(&p, &w, NAME);
    for (unsigned i = 0; i < 10; i++) {
        loop_skip(&w.loop, DURATION_S(80));
        SAY(&p, KeepAlive, keep_alive);
        hear(&p, SCCP_KeepAliveAck);
    }
    loop_skip(&w.loop, DURATION_S(89));
    assert_false(p.closed);
    loop_skip(&w.loop, DURATION_S(2));
    assert_true(p.closed);
    assert_int_equal(p.s->end, SCCP_END_SILENT);
    assert_int_equal(w.detached, 1);
}

static void test_unregistering_is_acknowledged(void **state)
{
    (void)state;
    phone_open(&p, &w, 17);
    phone_register(&p, &w, NAME);
    SAY(&p, Unregister, unregister);
    assert_int_equal(hear(&p, SCCP_UnregisterAck)->unregister_ack.status, SCCP_UNREGISTERED);
    assert_true(p.closed);
    assert_null(sccp_find(&w.sccp, SPAN(NAME)));
    assert_int_equal(w.detached, 1);
}

static void test_it_is_told_to_register_again(void **state)
{
    (void)state;
    phone_open(&p, &w, 17);
    phone_open(&q, &w, 17);
    sccp_session_restart(q.s, SCCP_RESTART); /* it has not registered */
    assert_false(q.closed);
    phone_register(&p, &w, NAME);
    sccp_session_restart(p.s, SCCP_RESTART);
    assert_int_equal(hear(&p, SCCP_Reset)->reset.how, SCCP_RESTART);
    assert_true(p.closed);
}

static void change_record(void)
{
    struct sccp_device *d = device_of(NAME);
    d->keys[3].number = SPAN("110");
    answer(&w, &(struct sccp_answer){ .verdict = SCCP_ACCEPTED, .device = d });
}

static void test_a_record_that_changes_waits_for_the_end_of_a_call(void **state)
{
    (void)state;
    phone_open(&p, &w, 17);
    phone_register(&p, &w, NAME);
    sccp_session_idle(p.s);
    w.busy = true;
    change_record();
    accept_it(&w); /* and back */
    sccp_session_idle(p.s);
    assert_true(quiet(&p) && !p.closed);
    change_record();
    assert_true(quiet(&p) && !p.closed);
    say_register(&p, NAME); /* what its user does meanwhile is heard */
    SAY(&p, OnHook, on_hook, .line = 1);
    assert_int_equal(w.last_call, SCCP_OnHook);
    accept_it(&w);
    sccp_session_idle(p.s); /* it has asked for all of it again */
    assert_false(p.closed);
    change_record();
    sccp_session_idle(p.s);
    hear(&p, SCCP_RegisterAck);
    hear(&p, SCCP_CapabilitiesReq);
    assert_int_equal(hear(&p, SCCP_Reset)->reset.how, SCCP_RESTART);
    assert_true(p.closed);
}

static void test_a_record_that_changes_is_shown(void **state)
{
    (void)state;
    phone_open(&p, &w, 17);
    phone_register(&p, &w, NAME);
    answer(&w, &(struct sccp_answer){ .verdict = SCCP_LATER }); /* what stands stands */
    accept_it(&w);                                              /* the same */
    assert_true(quiet(&p) && !p.closed);
    change_record();
    assert_int_equal(hear(&p, SCCP_Reset)->reset.how, SCCP_RESTART);
    assert_true(p.closed);
    assert_int_equal(p.s->end, SCCP_END_RESTARTED);
}

static void test_what_its_user_sets_is_shown_at_once(void **state)
{
    (void)state;
    phone_open(&p, &w, 17);
    phone_register(&p, &w, NAME);
    assert_int_equal(w.ready, 1);
    struct sccp_device *d = device_of(NAME);
    d->lines[0].forward_all = SPAN("2003");
    d->dnd = SCCP_DND_REJECT;
    answer(&w, &(struct sccp_answer){ .verdict = SCCP_ACCEPTED, .device = d });
    assert_int_equal(w.ready, 2);
    assert_true(quiet(&p) && !p.closed);
    assert_span(p.s->device->lines[0].forward_all, "2003");
    assert_int_equal(p.s->device->dnd, SCCP_DND_REJECT);
}

static void test_who_may_no_longer_goes(void **state)
{
    (void)state;
    phone_open(&p, &w, 17);
    phone_register(&p, &w, NAME);
    answer(&w, &(struct sccp_answer){ .verdict = SCCP_REJECTED });
    hear(&p, SCCP_Reset);
    assert_true(p.closed);
    assert_int_equal(p.s->end, SCCP_END_REFUSED);
    assert_null(sccp_find(&w.sccp, SPAN(NAME)));
}

static void test_stopping_closes_all(void **state)
{
    (void)state;
    phone_open(&p, &w, 17);
    phone_open(&q, &w, 17);
    phone_register(&p, &w, NAME);
    say_register(&q, OTHER);
    sccp_stop(&w.sccp);
    assert_true(p.closed && q.closed);
    assert_int_equal(p.s->end, SCCP_END_STOPPED);
    assert_int_equal(w.n_cancelled, 2); /* nothing is asked any more */
}

static void test_calls_are_of_who_is_accepted(void **state)
{
    (void)state;
    phone_open(&p, &w, 17);
    SAY(&p, OffHook, off_hook);
    say_register(&p, NAME);
    SAY(&p, OffHook, off_hook);
    assert_int_equal(w.called, 0);
    accept_it(&w);
    SAY(&p, OffHook, off_hook); /* a phone that asks for no more is one that works */
    assert_int_equal(w.called, 1);
    assert_int_equal(w.last_call, SCCP_OffHook);
    assert_int_equal(p.s->state, SCCP_STATE_REGISTERED);
}

static void test_there_is_room_for_who_comes(void **state)
{
    struct phone crowd[3];
    (void)state;
    phone_open(&p, &w, 17);
    say_register(&p, NAME);
    for (size_t i = 0; i < 3; i++)
        phone_open(&crowd[i], &w, 17);
    assert_int_equal(w.sccp.n_waiting, 4);
    phone_open(&q, &w, 17); /* the oldest that says nothing makes room */
    assert_false(q.closed || p.closed || crowd[1].closed);
    assert_true(crowd[0].closed);
    assert_int_equal(crowd[0].s->end, SCCP_END_CROWDED);
    accept_it(&w);
    assert_int_equal(w.sccp.n_waiting, 3);
    for (size_t i = 0; i < 3; i++)
        phone_close(&crowd[i]);
    assert_int_equal(w.sccp.n_waiting, 1);
}

static void test_a_source_has_its_share_of_room(void **state)
{
    struct phone crowd[3];
    (void)state;
    w.sccp.conf.unregistered_of_source = 2;
    phone_open(&p, &w, 17);
    for (size_t i = 0; i < 3; i++)
        phone_open_at(&crowd[i], &w, 17,
                      i ? "[2001:db8::1]:1" : "[2001:db8::2]:2"); /* of one /64 */
    assert_false(p.closed || crowd[1].closed || crowd[2].closed);
    assert_true(crowd[0].closed); /* and not who is there for longest */
    assert_int_equal(w.left, 1);
    phone_open_at(&q, &w, 17, "192.0.2.11:1");
    assert_false(q.closed || p.closed);
    for (size_t i = 0; i < 3; i++)
        phone_close(&crowd[i]);
}

static void test_who_is_banned_is_not_let_in_nor_read(void **state)
{
    struct phone other;
    (void)state;
    phone_open(&p, &w, 17);
    say_register(&p, NAME);
    accept_it(&w);
    phone_open(&q, &w, 17);
    phone_open_at(&other, &w, 17, "192.0.2.11:1");
    assert_int_equal(cidr_parse(SPAN("192.0.2.10"), &w.banned), 0);
    SAY(&p, KeepAlive, keep_alive); /* who registered is heard until he is closed */
    assert_false(p.closed);
    SAY(&q, KeepAlive, keep_alive);
    assert_true(q.closed);
    assert_int_equal(q.s->end, SCCP_END_UNHEARD);
    phone_close(&q);
    phone_open(&q, &w, 17);
    assert_true(q.closed);
    assert_null(q.s);
    sccp_close_from(&w.sccp, &w.banned, 1); /* another port */
    assert_false(p.closed);
    sccp_close_from(&w.sccp, &w.banned, 0);
    assert_true(p.closed);
    assert_int_equal(w.detached, 1);
    assert_int_equal(w.left, 1); /* who was accepted is no stranger */
    assert_false(other.closed);
    phone_close(&other);
}

static void test_nobody_more_comes_while_all_are_asked_about(void **state)
{
    struct phone crowd[4];
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        phone_open(&crowd[i], &w, 17);
        say_register(&crowd[i], NAME);
    }
    phone_open(&q, &w, 17);
    assert_true(q.closed);
    assert_null(q.s);
    for (size_t i = 0; i < 4; i++)
        phone_close(&crowd[i]);
    assert_int_equal(w.n_cancelled, 4);
}

static void test_bytes_come_in_any_pieces(void **state)
{
    char text[SCCP_FRAME_MAX];
    struct buf b = BUF_INIT(text);
    const struct sccp_dialect d = { 17, true };
    (void)state;
    sccp_put_keep_alive(&b, &d, &(struct sccp_keep_alive){});
    sccp_put_register_device(&b, &d, &(struct sccp_register_device){ .name = SPAN(NAME) });
    sccp_put_keep_alive(&b, &d, &(struct sccp_keep_alive){});
    for (size_t cut = 0; cut <= b.n; cut++) {
        phone_open(&p, &w, 17);
        ptrdiff_t used = sccp_session_data(p.s, span_of(text, cut));
        assert_true(used >= 0 && (size_t)used <= cut);
        used += sccp_session_data(p.s, span_of(text + used, b.n - (size_t)used));
        assert_int_equal(used, b.n);
        assert_int_equal(p.s->state, SCCP_STATE_ASKING);
        assert_int_equal(p.n, 2);
        phone_close(&p);
    }
}

static void test_what_is_no_sccp_is_closed(void **state)
{
    (void)state;
    phone_open(&p, &w, 17);
    assert_int_equal(sccp_session_data(p.s, SPAN("GET / HTTP/1.1\r\n\r\n")), 18);
    assert_true(p.closed);
    assert_int_equal(p.s->end, SCCP_END_MALFORMED);
    phone_open(&q, &w, 17);
    assert_int_equal(sccp_session_data(q.s, SPAN("\4\0\0\0\0\0\0\0\1\0\0\0")), 12); /* Register */
    assert_true(q.closed);
}

static void test_a_phone_in_use_is_forgiven(void **state)
{
    (void)state;
    phone_open(&p, &w, 17);
    phone_register(&p, &w, NAME);
    sccp_session_data(p.s, SPAN("\4\0\0\0\0\0\0\0\3\0\0\0"));      /* KeypadButton without a key */
    sccp_session_data(p.s, SPAN("\6\0\0\0\0\0\0\0\xff\xf\0\0?!")); /* unknown */
    assert_false(p.closed);
    assert_int_equal(w.called, 0);
}

static void test_without_memory_it_is_later(void **state)
{
    (void)state;
    for (long n = 0; n < 8; n++) {
        phone_open(&p, &w, 17);
        say_register(&p, NAME);
        arena_fail_after(n);
        accept_it(&w);
        arena_fail_after(-1);
        bool registered = p.n > 0;
        assert_true(registered != p.closed);
        assert_true(registered || p.s->end == SCCP_END_LATER);
        assert_true(registered || n < 7);
        phone_close(&p);
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_phone_registers_at_each_version),
        TEST(test_the_time_is_that_of_the_wall),
        TEST(test_a_new_connection_takes_the_place_of_the_old),
        TEST(test_it_may_register_again_by_the_same_connection),
        TEST(test_who_registers_again_stays_while_nobody_can_say),
        TEST(test_who_is_refused_while_it_registers_again_goes),
        TEST(test_several_are_behind_one_address),
        TEST(test_who_is_refused_reads_why),
        TEST(test_an_outage_is_no_refusal),
        TEST(test_tokens),
        TEST(test_who_does_not_register_is_closed),
        TEST(test_who_falls_silent_is_closed),
        TEST(test_unregistering_is_acknowledged),
        TEST(test_it_is_told_to_register_again),
        TEST(test_a_record_that_changes_is_shown),
        TEST(test_what_its_user_sets_is_shown_at_once),
        TEST(test_a_record_that_changes_waits_for_the_end_of_a_call),
        TEST(test_who_may_no_longer_goes),
        TEST(test_stopping_closes_all),
        TEST(test_calls_are_of_who_is_accepted),
        TEST(test_there_is_room_for_who_comes),
        TEST(test_a_source_has_its_share_of_room),
        TEST(test_who_is_banned_is_not_let_in_nor_read),
        TEST(test_nobody_more_comes_while_all_are_asked_about),
        TEST(test_bytes_come_in_any_pieces),
        TEST(test_what_is_no_sccp_is_closed),
        TEST(test_a_phone_in_use_is_forgiven),
        TEST(test_without_memory_it_is_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
