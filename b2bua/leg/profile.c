#include "b2bua/leg/profile.h"

/* As carriers' walls know it: that these are supported says that they are understood when they
 * come, not that they are asked for. */
void profile_write_cisco(struct buf *b, struct wall now, bool body)
{
    char date[WALL_HTTP_STRLEN];
    wall_format_http(now, date);
    buf_lit(b, "Supported: 100rel,timer,resource-priority,replaces,sdp-anat\r\n");
    buf_printf(b, "Date: %s\r\nTimestamp: %llu\r\n", date, (unsigned long long)(now.ms / 1000));
    buf_lit(b, "Expires: 180\r\nAllow-Events: telephone-event\r\n");
    if (body)
        buf_lit(b, "Content-Disposition: session;handling=required\r\n");
}
