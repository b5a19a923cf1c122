/* What is mixed: packets with timestamps of anybody's choice, and frames. A byte says what happens
 * and to whom, four are the timestamp, one is how long it is. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "b2bua/media/mixer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { STEP = 6 };
    struct mixer *m = calloc(1, sizeof(*m));
    char speech[2 * MIXER_PACKET];
    uint8_t frame[MIXER_FRAME];
    if (!m)
        abort();
    memset(speech, 0x2a, sizeof(speech));
    for (; size >= STEP; data += STEP, size -= STEP) {
        const int input = data[0] % MIXER_INPUTS;
        const size_t n = (size_t)data[5] * 5;
        uint32_t timestamp;
        memcpy(&timestamp, data + 1, 4);
        if (data[0] >> 6 == 0) {
            mixer_step(m);
            mixer_frame(m, input, data[1] & 8, frame);
        } else if (data[0] >> 6 == 1 && m->in[input].taken) {
            mixer_give_back(m, input);
        } else if (data[0] >> 6 == 1) {
            const int got = mixer_take(m);
            assert(got >= 0 && m->in[got].taken);
        } else if (m->in[input].taken) {
            mixer_hear(m, input, data[0] >> 5 & 1, timestamp, data[5] & 8, span_of(speech, n));
        }
        /* Nobody is heard later than a packet and what it may be ahead of. */
        const struct mixer_input *in = &m->in[input];
        assert(!in->begun || (int32_t)(in->end - in->next) <= MIXER_AHEAD + MIXER_PACKET);
    }
    free(m);
    return 0;
}
