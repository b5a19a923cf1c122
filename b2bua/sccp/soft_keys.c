#include "b2bua/sccp/soft_keys.h"

#include "b2bua/sccp/text.h"

enum { INFO_FIRST = 300 };

static const struct {
    uint8_t key; /* its event, and its label */
    struct span name;
} keys[] = {
    { SCCP_KEY_REDIAL, SPAN_INIT("redial") },
    { SCCP_KEY_NEW_CALL, SPAN_INIT("new_call") },
    { SCCP_KEY_HOLD, SPAN_INIT("hold") },
    { SCCP_KEY_TRANSFER, SPAN_INIT("transfer") },
    { SCCP_KEY_FORWARD_ALL, SPAN_INIT("forward_all") },
    { SCCP_KEY_BACKSPACE, SPAN_INIT("backspace") },
    { SCCP_KEY_END_CALL, SPAN_INIT("end_call") },
    { SCCP_KEY_RESUME, SPAN_INIT("resume") },
    { SCCP_KEY_ANSWER, SPAN_INIT("answer") },
    { SCCP_KEY_CONFERENCE, SPAN_INIT("conference") },
    { SCCP_KEY_REMOVE_LAST, SPAN_INIT("remove_last") },
    { SCCP_KEY_DND, SPAN_INIT("do_not_disturb") },
    { SCCP_KEY_PARK, SPAN_INIT("park") },
    { SCCP_KEY_PICKUP, SPAN_INIT("pickup") },
    { SCCP_KEY_GROUP_PICKUP, SPAN_INIT("group_pickup") },
};

const struct sccp_soft_keys
    sccp_soft_keys_default = { .sets = {
                                   [SCCP_KEYS_ON_HOOK] = { SCCP_KEY_REDIAL, SCCP_KEY_NEW_CALL,
                                                           SCCP_KEY_FORWARD_ALL, SCCP_KEY_PICKUP,
                                                           SCCP_KEY_GROUP_PICKUP, SCCP_KEY_DND },
                                   [SCCP_KEYS_CONNECTED] = { SCCP_KEY_HOLD, SCCP_KEY_END_CALL,
                                                             SCCP_KEY_TRANSFER, SCCP_KEY_CONFERENCE,
                                                             SCCP_KEY_REMOVE_LAST, SCCP_KEY_PARK },
                                   [SCCP_KEYS_ON_HOLD] = { SCCP_KEY_RESUME, SCCP_KEY_NEW_CALL,
                                                           SCCP_KEY_END_CALL },
                                   [SCCP_KEYS_RING_IN] = { SCCP_KEY_ANSWER, SCCP_KEY_END_CALL },
                                   [SCCP_KEYS_OFF_HOOK] = { SCCP_KEY_REDIAL, SCCP_KEY_END_CALL,
                                                            SCCP_KEY_FORWARD_ALL, SCCP_KEY_PICKUP,
                                                            SCCP_KEY_GROUP_PICKUP },
                                   [SCCP_KEYS_TRANSFER] = { SCCP_KEY_END_CALL, SCCP_KEY_TRANSFER },
                                   [SCCP_KEYS_DIGITS] = { SCCP_KEY_BACKSPACE, SCCP_KEY_END_CALL },
                                   [SCCP_KEYS_CONFERENCE] = { SCCP_KEY_END_CALL,
                                                              SCCP_KEY_CONFERENCE },
                                   [SCCP_KEYS_RING_OUT] = { SCCP_KEY_END_CALL },
                                   [SCCP_KEYS_OFF_HOOK_FEATURE] = { SCCP_KEY_REDIAL,
                                                                    SCCP_KEY_END_CALL },
                                   [SCCP_KEYS_IN_USE] = { SCCP_KEY_NEW_CALL },
                                   [SCCP_KEYS_STEALABLE] = { SCCP_KEY_NEW_CALL },
                               } };

uint8_t sccp_soft_key_named(struct span name)
{
    for (size_t i = 0; i < CS_LEN(keys); i++) {
        if (span_eq(keys[i].name, name))
            return keys[i].key;
    }
    return 0;
}

void sccp_tell_soft_keys(struct buf *b, const struct sccp_dialect *d)
{
    char labels[CS_LEN(keys)][2];
    struct sccp_soft_key_template_res m = { .n = CS_LEN(keys), .total = CS_LEN(keys) };
    for (size_t i = 0; i < CS_LEN(keys); i++) {
        memcpy(labels[i], (char[]){ SCCP_LABEL_MARK[0], (char)keys[i].key }, 2);
        m.keys[i] = (struct sccp_soft_key){ span_of(labels[i], 2), keys[i].key };
    }
    sccp_put_soft_key_template_res(b, d, &m);
}

/* Its place in what sccp_tell_soft_keys() says, from 1. */
static uint8_t place_of(uint8_t key)
{
    for (size_t i = 0; i < CS_LEN(keys); i++) {
        if (keys[i].key == key)
            return (uint8_t)(i + 1);
    }
    return 0;
}

void sccp_tell_soft_key_sets(struct buf *b, const struct sccp_dialect *d,
                             const struct sccp_soft_keys *of)
{
    struct sccp_soft_key_set_res m = { .n = SCCP_SETS, .total = SCCP_SETS };
    for (size_t i = 0; i < SCCP_SETS; i++) {
        const uint8_t *set = (of ? of : &sccp_soft_keys_default)->sets[i];
        for (size_t k = 0; k < SCCP_SET_KEYS && set[k]; k++) {
            m.sets[i].keys[k] = place_of(set[k]);
            m.sets[i].infos[k] = (uint16_t)(INFO_FIRST + set[k]);
        }
    }
    sccp_put_soft_key_set_res(b, d, &m);
}

uint32_t sccp_soft_keys_but(const struct sccp_soft_keys *of, uint32_t set, uint8_t hidden)
{
    const uint8_t *keys_of = (of ? of : &sccp_soft_keys_default)->sets[set];
    uint32_t mask = UINT32_MAX;
    for (size_t k = 0; k < SCCP_SET_KEYS && keys_of[k]; k++)
        mask &= keys_of[k] == hidden ? ~(UINT32_C(1) << k) : UINT32_MAX;
    return mask;
}
