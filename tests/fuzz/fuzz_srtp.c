/* What is taken for encrypted media is so to another reader, too: to a simple one that splits
 * lines. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/srtp.h"

static bool has(const char *line, const char *text)
{
    return strstr(line, text) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!srtp_alone(span_of(data, size)))
        return 0;
    char *text = malloc(size + 1), *rest = text, *line;
    bool used = true; /* what is said of the session holds for all */
    memcpy(text, data, size);
    text[size] = '\0';
    while ((line = strsep(&rest, "\r\n")) != NULL) {
        if (strncmp(line, "m=", 2) == 0) {
            const char *kind = strtok(line + 2, " "), *port = strtok(NULL, " "),
                       *proto = strtok(NULL, " ");
            assert(kind && port && proto);
            used = strtoul(port, NULL, 10) != 0;
            assert(!used || has(proto, "SAVP"));
            continue;
        }
        if (used && strncmp(line, "a=crypto:", 9) == 0)
            assert(!has(line, " UNENCRYPTED_SRTP "));
        assert(!used || strncmp(line, "a=tcap:", 7) != 0);
    }
    free(text);
    return 0;
}
