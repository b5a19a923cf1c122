/* The name of a file, and texts in it: whatever they are, the file stays one device's XML. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "b2bua/provisioning/phone_file.h"

static char space[PHONE_FILE_MAX];

static size_t count(struct span s, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == c;
    return n;
}

static size_t write_file(const char *text, const struct phone_servers *servers)
{
    struct buf b = BUF_INIT(space);
    Countersign__Auth__DeviceRecord r = COUNTERSIGN__AUTH__DEVICE_RECORD__INIT;
    r.name = (char *)"SEP001122334455";
    r.date_format = r.locale = r.time_zone = (char *)text;
    phone_file_write(&b, &r, servers, SPAN_NULL);
    if (buf_ok(&b))
        assert(count(buf_span(&b), '<') == count(buf_span(&b), '>'));
    return buf_ok(&b) ? count(buf_span(&b), '<') : 0;
}

/* Of a phone of SIP, with a line and a number. */
static size_t write_sip(const char *text, const struct phone_servers *servers)
{
    struct buf b = BUF_INIT(space);
    Countersign__Auth__DeviceRecord r = COUNTERSIGN__AUTH__DEVICE_RECORD__INIT;
    Countersign__Auth__DeviceLine line = COUNTERSIGN__AUTH__DEVICE_LINE__INIT, *lines = &line;
    Countersign__Auth__DeviceButton own = COUNTERSIGN__AUTH__DEVICE_BUTTON__INIT;
    Countersign__Auth__DeviceButton dials = COUNTERSIGN__AUTH__DEVICE_BUTTON__INIT;
    Countersign__Auth__DeviceButton *buttons[] = { &own, &dials };
    line.user = (char *)"1001@example.test";
    line.aor = (char *)"sip:1001@example.test";
    line.display_name = line.password_secret = (char *)text;
    own.kind = COUNTERSIGN__AUTH__DEVICE_BUTTON_KIND__BUTTON_LINE;
    own.has_line = true;
    dials.kind = COUNTERSIGN__AUTH__DEVICE_BUTTON_KIND__BUTTON_SPEED_DIAL;
    own.label = dials.label = dials.number = (char *)text;
    r.name = (char *)"SEP001122334455";
    r.has_sip = r.sip = true;
    r.n_line = 1;
    r.line = &lines;
    r.n_button = 2;
    r.button = buttons;
    phone_file_write(&b, &r, servers, SPAN_NULL);
    return buf_ok(&b) ? count(buf_span(&b), '<') : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct addr a;
    const struct phone_servers servers = { &a, 1 };
    struct span device;
    char *text = calloc(1, size + 1);
    if (!text || addr_parse(SPAN("192.0.2.1"), 2000, &a)) {
        free(text);
        return 0;
    }
    memcpy(text, data, size);
    const enum phone_file_kind kind = phone_file_kind(span_of(text, size), &device);
    if (kind != PHONE_FILE_UNKNOWN && kind < PHONE_FILE_DEFAULT)
        assert(device.n == 15 && size > 15);
    else
        assert(!device.p);
    const size_t n = write_file(text, &servers);
    if (n && text[0]) /* no element but those that "x" has */
        assert(n == write_file("x", &servers) || phone_file_zone(span_str(text)).p);
    const size_t of_sip = write_sip(text, &servers);
    if (of_sip && text[0])
        assert(of_sip == write_sip("x", &servers));
    free(text);
    return 0;
}
