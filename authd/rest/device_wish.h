/* What a request wants of a device: the JSON of a create or a change, read by one table. No I/O. */
#ifndef CS_AUTHD_REST_DEVICE_WISH_H
#define CS_AUTHD_REST_DEVICE_WISH_H

#include "authd/rest/wish.h"
#include "authd/store/device.h"

struct device_wish {
    struct device said; /* spans borrow from the JSON or the arena */
    bool has_enabled, has_security, has_lines, has_pins, has_buttons, has_forwards, has_dnd;
    bool has_text[DEVICE_TEXTS];
};

/* create: "device" must be there; else it must not. realm: of lines that say none. */
CS_CHECK int device_wish_parse(const json_t *j, bool create, struct span realm, struct arena *a,
                               struct device_wish *out, struct fault *f);
/* Puts on d what the wish says; forwards go with their lines. d is to be asked for its fault. */
void device_wish_apply(const struct device_wish *w, struct device *d);

/* How the world sees a device. */
json_t *device_to_json(const struct device *d);

#endif
