/* What trunks say outside of calls: that a mailbox has messages (RFC 3842), which goes to the line
 * that its dial plan names; and what they ask there, for which there is nothing. */
#ifndef CS_B2BUA_TRUNK_NEWS_H
#define CS_B2BUA_TRUNK_NEWS_H

#include "b2bua/ua/ua.h"

static inline bool news_is(const struct sip_msg *m)
{
    return m->method == SIP_NOTIFY || m->method == SIP_SUBSCRIBE || m->method == SIP_REFER;
}
/* Of a trunk that may; it will be answered. */
void news_take(struct ua *u, struct tx *tx, const struct trunk_conf *from);
/* At the end of the process. */
void news_drop_all(struct ua *u);

#endif
