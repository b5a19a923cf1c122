#include <stdio.h>

#include "b2bua/sccp/machine.h"
#include "lib/test.h"

#define GO(state, action)                    \
    {                                        \
        SCCP_STATE_##state, SCCP_DO_##action \
    }

/* Every cell, by rules instead of by a table. */
static struct sccp_move expected(enum sccp_state s, enum sccp_event e)
{
    const bool attached = s == SCCP_STATE_CONFIGURING || s == SCCP_STATE_REGISTERED;
    const struct sccp_move none = { s, SCCP_DO_NOTHING }, close = GO(LEAVING, CLOSE);
    if (s == SCCP_STATE_LEAVING)
        return none;
    switch (e) {
    case SCCP_EV_KEEPALIVE:
        return (struct sccp_move){ s, SCCP_DO_ACK_KEEPALIVE };
    case SCCP_EV_REGISTER: /* one question at a time */
        return s == SCCP_STATE_ASKING ? none : (struct sccp_move)GO(ASKING, ASK);
    case SCCP_EV_TOKEN:
        if (s == SCCP_STATE_REGISTERED)
            return (struct sccp_move){ s, SCCP_DO_GRANT_TOKEN };
        return s == SCCP_STATE_NEW || s == SCCP_STATE_TOKEN
                   ? (struct sccp_move)GO(ASKING_TOKEN, ASK_TOKEN)
                   : none;
    case SCCP_EV_UNREGISTER:
        return (struct sccp_move)GO(LEAVING, FAREWELL);
    case SCCP_EV_REQUEST:
        return attached ? (struct sccp_move){ s, SCCP_DO_CONFIGURE } : none;
    case SCCP_EV_FINISH:
        return attached ? (struct sccp_move)GO(REGISTERED, CONFIGURE) : none;
    case SCCP_EV_CAPABLE:
        return attached ? (struct sccp_move){ s, SCCP_DO_LEARN } : none;
    case SCCP_EV_NOTE:
        return (struct sccp_move){ s, SCCP_DO_NOTE };
    case SCCP_EV_CALL:
        return attached                 ? (struct sccp_move)GO(REGISTERED, CALL)
               : s == SCCP_STATE_ASKING ? (struct sccp_move)GO(ASKING, CALL)
                                        : none;
    case SCCP_EV_ACCEPTED:
        return s == SCCP_STATE_ASKING         ? (struct sccp_move)GO(CONFIGURING, WELCOME)
               : s == SCCP_STATE_ASKING_TOKEN ? (struct sccp_move)GO(TOKEN, GRANT_TOKEN)
               : attached                     ? (struct sccp_move){ s, SCCP_DO_RENEW }
                                              : none;
    case SCCP_EV_REJECTED:
        return s == SCCP_STATE_ASKING         ? (struct sccp_move)GO(LEAVING, REFUSE)
               : s == SCCP_STATE_ASKING_TOKEN ? (struct sccp_move)GO(NEW, REFUSE_TOKEN)
               : attached                     ? (struct sccp_move)GO(LEAVING, EXPEL)
               : s == SCCP_STATE_TOKEN        ? close
                                              : none;
    case SCCP_EV_LATER:
        return s == SCCP_STATE_ASKING         ? close
               : s == SCCP_STATE_ASKING_TOKEN ? (struct sccp_move)GO(NEW, REFUSE_TOKEN)
                                              : none;
    case SCCP_EV_DEADLINE:
        return close;
    case SCCP_EV_REPLACED: /* also while it registers once more */
        return attached || s == SCCP_STATE_ASKING ? close : none;
    case SCCP_EV_RESTART:
        return attached ? (struct sccp_move)GO(LEAVING, RESTART) : none;
    default:
        return none;
    }
}

static void test_every_cell(void **state)
{
    (void)state;
    for (enum sccp_state s = 0; s < SCCP_STATES; s++) {
        for (enum sccp_event e = 0; e < SCCP_EVENTS; e++) {
            struct sccp_move want = expected(s, e), got = sccp_machine(s, e);
            if (got.next != want.next || got.action != want.action)
                print_error("%s: %s\n", sccp_state_name(s), sccp_event_name(e));
            assert_int_equal(got.next, want.next);
            assert_int_equal(got.action, want.action);
        }
    }
}

/* From anywhere silence, and the phone's own wish, end it. */
static void test_no_state_is_for_ever(void **state)
{
    (void)state;
    for (enum sccp_state s = 0; s < SCCP_STATE_LEAVING; s++) {
        assert_int_equal(sccp_machine(s, SCCP_EV_DEADLINE).next, SCCP_STATE_LEAVING);
        assert_int_equal(sccp_machine(s, SCCP_EV_UNREGISTER).next, SCCP_STATE_LEAVING);
        assert_non_null(sccp_state_name(s));
    }
}

/* What only phones send is an event, and nothing else is. */
static void test_what_phones_send_means_something(void **state)
{
    enum sccp_event e;
    unsigned n = 0;
    (void)state;
    for (enum sccp_kind k = SCCP_UNREAD; k < SCCP_KINDS; k++)
        n += sccp_event_of(k, &e);
    assert_int_equal(n, 35);
    assert_false(sccp_event_of(SCCP_UNREAD, &e));
    assert_false(sccp_event_of(SCCP_RegisterAck, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cell),
        cmocka_unit_test(test_no_state_is_for_ever),
        cmocka_unit_test(test_what_phones_send_means_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
