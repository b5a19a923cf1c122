#include "b2bua/media/mixer.h"

#include <string.h>

#include "base/util.h"

int mixer_take(struct mixer *m)
{
    for (int i = 0; i < MIXER_INPUTS; i++) {
        if (m->in[i].taken)
            continue;
        m->in[i] = (struct mixer_input){ .taken = true };
        return i;
    }
    return -1;
}

void mixer_give_back(struct mixer *m, int input)
{
    m->in[input].taken = false;
}

static void begin(struct mixer_input *in, uint32_t ssrc, uint32_t timestamp)
{
    memset(in->ring, 0, sizeof(in->ring));
    in->begun = true;
    in->ssrc = ssrc;
    in->next = timestamp - MIXER_DELAY;
    in->end = timestamp;
}

/* Differences of timestamps, which wrap. */
static int32_t behind(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

void mixer_hear(struct mixer *m, int input, uint32_t ssrc, uint32_t timestamp, enum g711_law law,
                struct span speech)
{
    struct mixer_input *in = &m->in[input];
    if (speech.n > MIXER_PACKET)
        return;
    if (!in->begun || in->ssrc != ssrc)
        begin(in, ssrc, timestamp);
    const int32_t ahead = behind(timestamp, in->next);
    if (ahead < 0 && behind(timestamp, in->end) < 0)
        return; /* it was overtaken */
    if (ahead < 0 || ahead > MIXER_AHEAD)
        begin(in, ssrc, timestamp); /* its clock is another one, or it was silent */
    for (uint32_t i = 0; i < speech.n; i++)
        in->ring[(timestamp + i) % MIXER_RING] = g711_decode(law, (uint8_t)speech.p[i]);
    if (behind(timestamp + (uint32_t)speech.n, in->end) > 0)
        in->end = timestamp + (uint32_t)speech.n;
}

static void play(struct mixer_input *in)
{
    for (uint32_t i = 0; i < MIXER_FRAME; i++) {
        int16_t *at = &in->ring[(in->next + i) % MIXER_RING];
        in->said[i] = *at;
        *at = 0;
    }
    in->next += MIXER_FRAME;
    in->begun = behind(in->next, in->end) < MIXER_RING; /* before its timestamps mean anything */
}

void mixer_step(struct mixer *m)
{
    memset(m->sum, 0, sizeof(m->sum));
    for (int i = 0; i < MIXER_INPUTS; i++) {
        struct mixer_input *in = &m->in[i];
        memset(in->said, 0, sizeof(in->said));
        if (!in->taken || !in->begun)
            continue;
        play(in);
        for (size_t k = 0; k < MIXER_FRAME; k++)
            m->sum[k] += in->said[k];
    }
}

void mixer_frame(const struct mixer *m, int input, enum g711_law law, uint8_t out[MIXER_FRAME])
{
    for (size_t i = 0; i < MIXER_FRAME; i++) {
        const int32_t others = m->sum[i] - m->in[input].said[i];
        out[i] = g711_encode(law, (int16_t)CS_MAX(INT16_MIN, CS_MIN(others, INT16_MAX)));
    }
}
