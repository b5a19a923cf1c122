/* Something users speak through, a desk phone most often (message Device of proto/store.proto):
 * which users are its lines, how safe it has to be, and what it shows itself by; of a phone that is
 * set up from here (SCCP) also what its keys do and how it shows the time. */
#ifndef CS_AUTHD_STORE_DEVICE_H
#define CS_AUTHD_STORE_DEVICE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

enum {
    DEVICE_MAX_RECORD = 64 * 1024,
    DEVICE_MAX_NAME = 64,
    DEVICE_MAX_NOTE = 256,
    DEVICE_MAX_LINES = 64,
    DEVICE_MAX_PINS = 16,
    DEVICE_MAX_BUTTONS = 64,
    DEVICE_MAX_LABEL = 120,
    DEVICE_MAX_NUMBER = 64,
    DEVICE_MAX_CERTIFICATE = 8192,
    PIN_MAX = 7 + 64, /* "sha256:" and the hash */
};

/* Where records are kept, see authd/store/records.h. */
#define DEVICE_PREFIX "cs:dev:"
#define DEVICE_INDEX  "cs:devs"

enum device_security { DEVICE_NONSECURE, DEVICE_AUTHENTICATED, DEVICE_ENCRYPTED };
/* Whether its calls ring. */
enum device_dnd { DEVICE_DND_OFF, DEVICE_DND_SILENT, DEVICE_DND_REJECT };

enum device_button_kind {
    DEVICE_BUTTON_NONE,
    DEVICE_BUTTON_LINE,
    DEVICE_BUTTON_SPEED_DIAL,
    DEVICE_BUTTON_BUSY_LAMP
};
struct device_button { /* an absent span was not said */
    enum device_button_kind kind;
    struct span user;   /* of a line, one of the device's */
    struct span number; /* what SPEED_DIAL and BUSY_LAMP dial */
    struct span label;
};

/* Where calls of one line go; absent: they do not. */
struct device_forward {
    struct span user, all, busy, no_answer;
};

struct device { /* spans borrow: from the record's arena, or from who fills it */
    struct span name;
    bool enabled;
    enum device_security security;
    const struct span *lines; /* "name@realm" */
    size_t n_lines;
    const struct span *pins; /* as pin_of() writes them */
    size_t n_pins;
    struct span note, model, softkeys, time_zone, date_format, locale, address_set;
    struct span certificate;             /* PEM, RSA: files for it are encrypted for this */
    struct span protocol;                /* device_is_sip() */
    const struct device_button *buttons; /* none: a key for each line, in their order */
    size_t n_buttons;
    struct device_forward *forwards; /* at most one of each line */
    size_t n_forwards;
    enum device_dnd dnd;
    struct wall created, changed;
    struct span record; /* the bytes it was decoded from; absent for a new one */
};

/* Everything is copied into the arena. CS_EPROTO for what is no device of a schema we know. */
CS_CHECK int device_decode(struct span record, struct arena *a, struct device *out);
/* CS_ELIMIT when a bound above or the buffer is too small for it. */
CS_CHECK int device_encode(const struct device *d, struct buf *out);

/* NULL, or why this cannot be a device's name or line, a label, or what is dialled: a sentence for
 * people. */
const char *device_name_fault(struct span name);
const char *device_line_fault(struct span line);
const char *device_label_fault(struct span label);
const char *device_number_fault(struct span number);
/* The same of what it says of its lines elsewhere; *member gets where. */
const char *device_fault(const struct device *d, const char **member);
/* Its other texts: each empty, or what fault() takes. */
enum { DEVICE_TEXTS = 9 };
extern const struct device_text {
    const char *name; /* in REST */
    size_t offset;    /* of a span in struct device */
    const char *(*fault)(struct span text);
} device_texts[DEVICE_TEXTS];
/* Of a line, which has both. */
void device_line_split(struct span line, struct span *name, struct span *realm);
bool device_has_line(const struct device *d, struct span line);
/* It registers by itself, by what its file says; else it speaks SCCP, or is none that is set up
 * from here. */
bool device_is_sip(const struct device *d);
/* Of this line; NULL: its calls go nowhere else. */
const struct device_forward *device_forward_of(const struct device *d, struct span line);
/* "nonsecure", "authenticated", "encrypted", and NULL. */
extern const char *const device_security_names[];
/* "off", "silent", "reject", and NULL. */
extern const char *const device_dnd_names[];
/* "none", "line", "speed-dial", "busy-lamp", and NULL. */
extern const char *const device_button_names[];

/* A certificate or its key by their SHA-256: "sha256:<64 digits>" or "spki:<64 digits>" in lower
 * case, in the arena. Colons between the digits, which openssl writes, are left out. CS_EPROTO for
 * what is none. */
CS_CHECK int pin_of(struct span text, struct arena *a, struct span *out);

#endif
