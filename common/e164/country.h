/* Whose a number in E.164 form is (ITU-T E.164, annex to Operational Bulletin 1114): as ISO 3166-1
 * writes countries, and "001", the world, where it is nobody's: satellites and international
 * networks. */
#ifndef CS_E164_COUNTRY_H
#define CS_E164_COUNTRY_H

#include "base/span.h"
#include "base/util.h"

enum { COUNTRY_LEN = 3 };

/* digits: without +. Absent where no country has such numbers. */
struct span country_of(struct span digits);
/* Whether country_of() can say this. */
bool country_is_known(struct span country);

#endif
