/* Records of devices and, if it begins with a brace, what requests wish of them. */
#include <assert.h>
#include <stdlib.h>

#include "authd/rest/device_wish.h"

static char space[DEVICE_MAX_RECORD];

/* What encodes comes back as it was. */
static void check_round(const struct device *d, struct arena *a)
{
    struct buf b = BUF_INIT(space);
    struct device again;
    if (device_encode(d, &b))
        return;
    assert(device_decode(buf_span(&b), a, &again) == 0);
    assert(span_eq(d->name, again.name) && d->security == again.security);
    assert(d->n_lines == again.n_lines && d->n_pins == again.n_pins);
    assert(span_eq(d->note, again.note) && d->enabled == again.enabled);
    assert(d->n_buttons == again.n_buttons && d->n_forwards == again.n_forwards);
    assert(span_eq(d->date_format, again.date_format) && d->dnd == again.dnd);
    assert(device_is_sip(d) == device_is_sip(&again));
    for (size_t i = 0; i < d->n_buttons; i++)
        assert(span_eq(d->buttons[i].number, again.buttons[i].number) &&
               d->buttons[i].kind == again.buttons[i].kind);
    for (size_t i = 0; i < d->n_pins; i++) {
        struct span pin;
        assert(pin_of(d->pins[i], a, &pin) == 0 && pin.n <= PIN_MAX);
    }
    json_decref(device_to_json(&again));
}

static void check_wish(struct span text, struct arena *a)
{
    struct device_wish w;
    struct fault f;
    json_t *j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    for (int create = 0; json_is_object(j) && create < 2; create++) {
        struct device d = { .name = SPAN("d") };
        if (device_wish_parse(j, create, SPAN("r"), a, &w, &f)) {
            assert(f.status >= 400 && f.detail[0]);
            continue;
        }
        if (create)
            d.name = w.said.name;
        device_wish_apply(&w, &d);
        check_round(&d, a);
    }
    json_decref(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct device d;
    if (size == 0)
        return 0;
    arena_init(&a, NULL, 0, 4u << 20);
    if (data[0] == '{')
        check_wish(span_of(data, size), &a);
    else if (device_decode(span_of(data, size), &a, &d))
        assert(!d.name.p);
    else
        check_round(&d, &a);
    arena_fini(&a);
    return 0;
}
