#include "sip/method.h"

static const struct span names[SIP_METHOD_COUNT] = {
    [SIP_OTHER] = SPAN_INIT("OTHER"),
    [SIP_INVITE] = SPAN_INIT("INVITE"),
    [SIP_ACK] = SPAN_INIT("ACK"),
    [SIP_BYE] = SPAN_INIT("BYE"),
    [SIP_CANCEL] = SPAN_INIT("CANCEL"),
    [SIP_REGISTER] = SPAN_INIT("REGISTER"),
    [SIP_OPTIONS] = SPAN_INIT("OPTIONS"),
    [SIP_INFO] = SPAN_INIT("INFO"),
    [SIP_UPDATE] = SPAN_INIT("UPDATE"),
    [SIP_PRACK] = SPAN_INIT("PRACK"),
    [SIP_SUBSCRIBE] = SPAN_INIT("SUBSCRIBE"),
    [SIP_NOTIFY] = SPAN_INIT("NOTIFY"),
    [SIP_MESSAGE] = SPAN_INIT("MESSAGE"),
    [SIP_REFER] = SPAN_INIT("REFER"),
    [SIP_PUBLISH] = SPAN_INIT("PUBLISH"),
};

enum sip_method sip_method_of(struct span name)
{
    for (enum sip_method m = SIP_OTHER + 1; m < SIP_METHOD_COUNT; m++) {
        if (span_eq(name, names[m]))
            return m;
    }
    return SIP_OTHER;
}

struct span sip_method_name(enum sip_method m)
{
    return names[m];
}
