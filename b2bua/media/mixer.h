/* What each of several speakers is to hear: all others. Speech comes in packets of G.711 with the
 * timestamps of RTP, late, early or not at all, and goes out in frames of 20 ms. Pure: whoever has
 * it says when a frame is due. */
#ifndef CS_B2BUA_MEDIA_MIXER_H
#define CS_B2BUA_MEDIA_MIXER_H

#include <stdbool.h>

#include "b2bua/media/g711.h"
#include "base/span.h"

enum {
    MIXER_INPUTS = 8,
    MIXER_FRAME = 160,  /* samples: 20 ms */
    MIXER_DELAY = 320,  /* that speech waits, so that packets may be late by as much */
    MIXER_AHEAD = 960,  /* and no more: who is ahead of that begins anew */
    MIXER_PACKET = 960, /* samples of a packet, at most */
    MIXER_RING = 2048,
};

struct mixer_input {
    bool taken, begun;
    uint32_t ssrc;
    uint32_t next, end;        /* timestamps: of the next frame, and behind the latest sample */
    int16_t ring[MIXER_RING];  /* by timestamp; silence where nothing came */
    int16_t said[MIXER_FRAME]; /* in this frame */
};

struct mixer { /* all zero at first */
    struct mixer_input in[MIXER_INPUTS];
    int32_t sum[MIXER_FRAME];
};

/* An input that is free; -1: there is none. */
int mixer_take(struct mixer *m);
void mixer_give_back(struct mixer *m, int input);
/* A packet of it; one that is too late, or longer than any, is not heard. */
void mixer_hear(struct mixer *m, int input, uint32_t ssrc, uint32_t timestamp, enum g711_law law,
                struct span speech);
/* Another 20 ms are over. */
void mixer_step(struct mixer *m);
/* What others said in them. */
void mixer_frame(const struct mixer *m, int input, enum g711_law law, uint8_t out[MIXER_FRAME]);

#endif
