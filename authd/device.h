/* Something users speak through, a desk phone most often (message Device of proto/store.proto):
 * which users are its lines, how safe it has to be, and what it shows itself by. */
#ifndef CS_AUTHD_DEVICE_H
#define CS_AUTHD_DEVICE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

enum {
    DEVICE_MAX_RECORD = 64 * 1024,
    DEVICE_MAX_NAME = 64,
    DEVICE_MAX_NOTE = 256,
    DEVICE_MAX_LINES = 64,
    DEVICE_MAX_PINS = 16,
    PIN_MAX = 7 + 64, /* "sha256:" and the hash */
};

/* Where records are kept, see authd/records.h. */
#define DEVICE_PREFIX "cs:dev:"
#define DEVICE_INDEX  "cs:devs"

enum device_security { DEVICE_NONSECURE, DEVICE_AUTHENTICATED, DEVICE_ENCRYPTED };

struct device { /* spans borrow: from the record's arena, or from who fills it */
    struct span name;
    bool enabled;
    enum device_security security;
    const struct span *lines; /* "name@realm" */
    size_t n_lines;
    const struct span *pins; /* as pin_of() writes them */
    size_t n_pins;
    struct span note;
    struct wall created, changed;
    struct span record; /* the bytes it was decoded from; absent for a new one */
};

/* Everything is copied into the arena. CS_EPROTO for what is no device of a schema we know. */
CS_CHECK int device_decode(struct span record, struct arena *a, struct device *out);
/* CS_ELIMIT when a bound above or the buffer is too small for it. */
CS_CHECK int device_encode(const struct device *d, struct buf *out);

/* NULL, or why this cannot be a device's name, line or note: a sentence for people. */
const char *device_name_fault(struct span name);
const char *device_line_fault(struct span line);
const char *device_note_fault(struct span note);
bool device_has_line(const struct device *d, struct span line);
/* "nonsecure", "authenticated", "encrypted", and NULL. */
extern const char *const device_security_names[];

/* A certificate or its key by their SHA-256: "sha256:<64 digits>" or "spki:<64 digits>" in lower
 * case, in the arena. Colons between the digits, which openssl writes, are left out. CS_EPROTO for
 * what is none. */
CS_CHECK int pin_of(struct span text, struct arena *a, struct span *out);

#endif
