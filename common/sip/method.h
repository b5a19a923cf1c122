/* Request methods. */
#ifndef CS_SIP_METHOD_H
#define CS_SIP_METHOD_H

#include "base/span.h"

enum sip_method {
    SIP_OTHER,
    SIP_INVITE,
    SIP_ACK,
    SIP_BYE,
    SIP_CANCEL,
    SIP_REGISTER,
    SIP_OPTIONS,
    SIP_INFO,
    SIP_UPDATE,
    SIP_PRACK,
    SIP_SUBSCRIBE,
    SIP_NOTIFY,
    SIP_MESSAGE,
    SIP_REFER,
    SIP_PUBLISH,
    SIP_METHOD_COUNT
};

/* Methods are case-sensitive (RFC 3261, 7.1): "invite" is OTHER. */
enum sip_method sip_method_of(struct span name);
/* "INVITE"; "OTHER" for SIP_OTHER. */
struct span sip_method_name(enum sip_method m);

#endif
