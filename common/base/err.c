#include "base/err.h"

#include <string.h>

const char *cs_strerror(int err)
{
    switch (err) {
    case 0:
        return "success";
    case CS_ENOTSUP:
        return "not supported";
    case CS_EPROTO:
        return "malformed";
    case CS_ENOMEM:
        return "out of memory";
    case CS_ELIMIT:
        return "limit reached";
    case CS_ENOENT:
        return "not found";
    case CS_ECONF:
        return "configuration error";
    case CS_ECLOSED:
        return "closed";
    case CS_ETIMEOUT:
        return "timed out";
    case CS_EDENIED:
        return "not allowed";
    case CS_ECONFLICT:
        return "changed by somebody else";
    case -4095: /* UV_EOF, the one libuv code we meet that is no errno */
        return "closed by the other side";
    default:
        return strerror(err < 0 ? -err : err);
    }
}
