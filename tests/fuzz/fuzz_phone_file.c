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
    free(text);
    return 0;
}
