/* Responses of DNS servers: the first byte says which type was asked for, the rest is the response
 * to a question for sip.example.com. */
#include <assert.h>
#include <stdint.h>

#include "dns/srv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(struct span name)
{
    assert(name.p && name.n <= DNS_NAME_MAX);
    assert(!name.n || dns_name_is_good(name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum dns_type types[] = { DNS_A, DNS_AAAA, DNS_SRV, DNS_NAPTR };
    struct dns_answer answer;
    struct arena a;
    if (!size)
        return 0;
    enum dns_type type = types[data[0] % 4];
    arena_init(&a, NULL, 0, 0);
    if (dns_answer_read(span_of(data + 1, size - 1), SPAN("sip.example.com"), type, &a, &answer) ==
        0) {
        assert(answer.n <= DNS_RECORDS_MAX);
        for (size_t i = 0; i < answer.n; i++) {
            if (type == DNS_SRV)
                check_name(answer.records[i].srv.target);
            if (type == DNS_NAPTR)
                check_name(answer.records[i].naptr.replacement);
        }
        if (type == DNS_SRV)
            srv_order(answer.records, answer.n, size);
    }
    arena_fini(&a);
    return 0;
}
