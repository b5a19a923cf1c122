/* Files to import, as CSV and as JSON lines: each line is refused with a reason, or is a user. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "tools/csctl/csctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void complain(const char *fmt, ...) /* csctl's goes to stderr */
{
    (void)fmt;
}

static void read_all(FILE *f, enum rows_format format)
{
    struct rows *r = rows_open(f, "input", format);
    unsigned long line = 0, before = 0;
    const char *why;
    json_t *user;
    int rc;
    if (!r)
        return;
    while ((rc = rows_next(r, &user, &line, &why)) != 0) {
        assert(line > before);
        before = line;
        assert((rc > 0) == json_is_object(user) && (rc < 0) == (why != NULL));
        json_decref(user);
    }
    rows_free(&r);
    assert(!r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (enum rows_format format = ROWS_GUESS; size && format <= ROWS_JSONL; format++) {
        FILE *f = fmemopen((void *)data, size, "r");
        if (!f)
            abort();
        read_all(f, format);
        fclose(f);
    }
    return 0;
}
