/* The web console: files of authd/console, built into the program. They hold no data and no secret;
 * what they show they ask REST for, with the operator's token. */
#ifndef CS_AUTHD_REST_CONSOLE_H
#define CS_AUTHD_REST_CONSOLE_H

#include "base/asset.h"

/* Made by common/web/embed.cmake; ends with a NULL name. */
extern const struct asset console_assets[];

#endif
