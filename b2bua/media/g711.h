/* G.711 (ITU-T, 11/88): 8000 samples a second, a byte each, by either law. Samples here are linear
 * and of 16 bits. Pure functions. */
#ifndef CS_B2BUA_MEDIA_G711_H
#define CS_B2BUA_MEDIA_G711_H

#include <stdint.h>

enum g711_law { G711_PCMU = 0, G711_PCMA = 8 }; /* by their payload types (RFC 3551, 6) */

int16_t g711_decode(enum g711_law law, uint8_t byte);
/* The level of the interval that the sample is in; what is too loud is the loudest. */
uint8_t g711_encode(enum g711_law law, int16_t sample);

#endif
