#include "b2bua/sccp/machine.h"

#define GO(next_, action_)                    \
    {                                         \
        SCCP_STATE_##next_, SCCP_DO_##action_ \
    }

/* A missing cell means nothing. */
static const struct sccp_move moves[SCCP_STATES][SCCP_EVENTS] = {
    [SCCP_STATE_NEW] = {
        [SCCP_EV_KEEPALIVE] = GO(NEW, ACK_KEEPALIVE),
        [SCCP_EV_REGISTER] = GO(ASKING, ASK),
        [SCCP_EV_TOKEN] = GO(ASKING_TOKEN, ASK_TOKEN),
        [SCCP_EV_UNREGISTER] = GO(LEAVING, FAREWELL),
        [SCCP_EV_NOTE] = GO(NEW, NOTE),
        [SCCP_EV_DEADLINE] = GO(LEAVING, CLOSE),
    },
    [SCCP_STATE_ASKING_TOKEN] = {
        [SCCP_EV_KEEPALIVE] = GO(ASKING_TOKEN, ACK_KEEPALIVE),
        [SCCP_EV_REGISTER] = GO(ASKING, ASK),
        [SCCP_EV_UNREGISTER] = GO(LEAVING, FAREWELL),
        [SCCP_EV_NOTE] = GO(ASKING_TOKEN, NOTE),
        [SCCP_EV_ACCEPTED] = GO(TOKEN, GRANT_TOKEN),
        [SCCP_EV_REJECTED] = GO(NEW, REFUSE_TOKEN),
        [SCCP_EV_LATER] = GO(NEW, REFUSE_TOKEN),
        [SCCP_EV_DEADLINE] = GO(LEAVING, CLOSE),
    },
    [SCCP_STATE_TOKEN] = {
        [SCCP_EV_KEEPALIVE] = GO(TOKEN, ACK_KEEPALIVE),
        [SCCP_EV_REGISTER] = GO(ASKING, ASK),
        [SCCP_EV_TOKEN] = GO(ASKING_TOKEN, ASK_TOKEN),
        [SCCP_EV_UNREGISTER] = GO(LEAVING, FAREWELL),
        [SCCP_EV_NOTE] = GO(TOKEN, NOTE),
        [SCCP_EV_REJECTED] = GO(LEAVING, CLOSE),
        [SCCP_EV_DEADLINE] = GO(LEAVING, CLOSE),
    },
    [SCCP_STATE_ASKING] = {
        [SCCP_EV_KEEPALIVE] = GO(ASKING, ACK_KEEPALIVE),
        [SCCP_EV_UNREGISTER] = GO(LEAVING, FAREWELL),
        [SCCP_EV_NOTE] = GO(ASKING, NOTE),
        [SCCP_EV_CALL] = GO(ASKING, CALL), /* of one that was here and registers once more */
        [SCCP_EV_ACCEPTED] = GO(CONFIGURING, WELCOME),
        [SCCP_EV_REJECTED] = GO(LEAVING, REFUSE),
        [SCCP_EV_LATER] = GO(LEAVING, CLOSE), /* an outage is no refusal: it will try again */
        [SCCP_EV_DEADLINE] = GO(LEAVING, CLOSE),
        [SCCP_EV_REPLACED] = GO(LEAVING, CLOSE),
    },
    [SCCP_STATE_CONFIGURING] = {
        [SCCP_EV_KEEPALIVE] = GO(CONFIGURING, ACK_KEEPALIVE),
        [SCCP_EV_REGISTER] = GO(ASKING, ASK),
        [SCCP_EV_UNREGISTER] = GO(LEAVING, FAREWELL),
        [SCCP_EV_REQUEST] = GO(CONFIGURING, CONFIGURE),
        [SCCP_EV_FINISH] = GO(REGISTERED, CONFIGURE),
        [SCCP_EV_CAPABLE] = GO(CONFIGURING, LEARN),
        [SCCP_EV_NOTE] = GO(CONFIGURING, NOTE),
        [SCCP_EV_CALL] = GO(REGISTERED, CALL),
        [SCCP_EV_ACCEPTED] = GO(CONFIGURING, RENEW),
        [SCCP_EV_REJECTED] = GO(LEAVING, EXPEL),
        [SCCP_EV_DEADLINE] = GO(LEAVING, CLOSE),
        [SCCP_EV_REPLACED] = GO(LEAVING, CLOSE),
        [SCCP_EV_RESTART] = GO(LEAVING, RESTART),
    },
    [SCCP_STATE_REGISTERED] = {
        [SCCP_EV_KEEPALIVE] = GO(REGISTERED, ACK_KEEPALIVE),
        [SCCP_EV_REGISTER] = GO(ASKING, ASK),
        [SCCP_EV_TOKEN] = GO(REGISTERED, GRANT_TOKEN),
        [SCCP_EV_UNREGISTER] = GO(LEAVING, FAREWELL),
        [SCCP_EV_REQUEST] = GO(REGISTERED, CONFIGURE),
        [SCCP_EV_FINISH] = GO(REGISTERED, CONFIGURE),
        [SCCP_EV_CAPABLE] = GO(REGISTERED, LEARN),
        [SCCP_EV_NOTE] = GO(REGISTERED, NOTE),
        [SCCP_EV_CALL] = GO(REGISTERED, CALL),
        [SCCP_EV_ACCEPTED] = GO(REGISTERED, RENEW),
        [SCCP_EV_REJECTED] = GO(LEAVING, EXPEL),
        [SCCP_EV_DEADLINE] = GO(LEAVING, CLOSE),
        [SCCP_EV_REPLACED] = GO(LEAVING, CLOSE),
        [SCCP_EV_RESTART] = GO(LEAVING, RESTART),
    },
    [SCCP_STATE_LEAVING] = { { 0 } },
};

struct sccp_move sccp_machine(enum sccp_state state, enum sccp_event event)
{
    struct sccp_move m = moves[state][event];
    return m.action ? m : (struct sccp_move){ state, SCCP_DO_NOTHING };
}

bool sccp_event_of(enum sccp_kind kind, enum sccp_event *out)
{
    switch (kind) {
    case SCCP_KeepAlive:
        *out = SCCP_EV_KEEPALIVE;
        return true;
    case SCCP_Register:
        *out = SCCP_EV_REGISTER;
        return true;
    case SCCP_RegisterTokenReq:
        *out = SCCP_EV_TOKEN;
        return true;
    case SCCP_Unregister:
        *out = SCCP_EV_UNREGISTER;
        return true;
    case SCCP_ForwardStatReq:
    case SCCP_SpeedDialStatReq:
    case SCCP_LineStatReq:
    case SCCP_ConfigStatReq:
    case SCCP_ButtonTemplateReq:
    case SCCP_VersionReq:
    case SCCP_ServerReq:
    case SCCP_SoftKeySetReq:
    case SCCP_SoftKeyTemplateReq:
    case SCCP_ServiceURLStatReq:
    case SCCP_FeatureStatReq:
        *out = SCCP_EV_REQUEST;
        return true;
    case SCCP_TimeDateReq:
    case SCCP_RegisterAvailableLines:
        *out = SCCP_EV_FINISH;
        return true;
    case SCCP_CapabilitiesRes:
    case SCCP_UpdateCapabilities:
        *out = SCCP_EV_CAPABLE;
        return true;
    case SCCP_Alarm:
    case SCCP_XMLAlarm:
    case SCCP_IpPort:
    case SCCP_HeadsetStatus:
    case SCCP_MediaPathEvent:
        *out = SCCP_EV_NOTE;
        return true;
    case SCCP_KeypadButton:
    case SCCP_EnblocCall:
    case SCCP_Stimulus:
    case SCCP_OffHook:
    case SCCP_OnHook:
    case SCCP_SoftKeyEvent:
    case SCCP_OpenReceiveChannelAck:
    case SCCP_ConnectionStatisticsRes:
    case SCCP_MediaTransmissionFailure:
    case SCCP_PortRes:
    case SCCP_StartMediaTransmissionAck:
        *out = SCCP_EV_CALL;
        return true;
    default:
        return false;
    }
}

bool sccp_state_is_attached(enum sccp_state state)
{
    return state == SCCP_STATE_CONFIGURING || state == SCCP_STATE_REGISTERED;
}

const char *sccp_state_name(enum sccp_state state)
{
    static const char *const names[SCCP_STATES] = {
        [SCCP_STATE_NEW] = "connected",           [SCCP_STATE_ASKING_TOKEN] = "asking for a token",
        [SCCP_STATE_TOKEN] = "may register",      [SCCP_STATE_ASKING] = "asking",
        [SCCP_STATE_CONFIGURING] = "configuring", [SCCP_STATE_REGISTERED] = "registered",
        [SCCP_STATE_LEAVING] = "leaving",
    };
    return names[state];
}

const char *sccp_event_name(enum sccp_event event)
{
    static const char *const names[SCCP_EVENTS] = {
        [SCCP_EV_KEEPALIVE] = "keepalive",
        [SCCP_EV_REGISTER] = "register",
        [SCCP_EV_TOKEN] = "token request",
        [SCCP_EV_UNREGISTER] = "unregister",
        [SCCP_EV_REQUEST] = "request",
        [SCCP_EV_FINISH] = "last request",
        [SCCP_EV_CAPABLE] = "capabilities",
        [SCCP_EV_NOTE] = "note",
        [SCCP_EV_CALL] = "call",
        [SCCP_EV_ACCEPTED] = "accepted",
        [SCCP_EV_REJECTED] = "rejected",
        [SCCP_EV_LATER] = "later",
        [SCCP_EV_DEADLINE] = "deadline",
        [SCCP_EV_REPLACED] = "replaced",
        [SCCP_EV_RESTART] = "restart",
    };
    return names[event];
}
