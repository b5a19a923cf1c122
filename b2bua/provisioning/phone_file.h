/* The files that a Cisco desk phone fetches when it boots, by their names, and what stands in its
 * own. Pure. */
#ifndef CS_B2BUA_PROVISIONING_PHONE_FILE_H
#define CS_B2BUA_PROVISIONING_PHONE_FILE_H

#include "auth.pb-c.h"
#include "base/addr.h"
#include "base/buf.h"

enum { PHONE_FILE_NAME_MAX = 128, PHONE_FILE_MAX = 32 * 1024, CALL_MANAGERS_MAX = 5 };

enum phone_file_kind {
    PHONE_FILE_UNKNOWN,
    PHONE_FILE_CONFIG,         /* SEP001122334455.cnf.xml */
    PHONE_FILE_SIGNED,         /* SEP001122334455.cnf.xml.sgn */
    PHONE_FILE_ENCRYPTED,      /* SEP001122334455.cnf.xml.enc.sgn */
    PHONE_FILE_ITL,            /* ITLSEP001122334455.tlv */
    PHONE_FILE_CTL,            /* CTLSEP001122334455.tlv */
    PHONE_FILE_DEFAULT,        /* XMLDefault.cnf.xml, of phones that have no other */
    PHONE_FILE_DEFAULT_SIGNED, /* XMLDefault.cnf.xml.sgn */
    PHONE_FILE_DIAL_RULES,     /* dialplan.xml, of phones of SIP; dial_rules.h writes it */
    PHONE_FILE_DIAL_RULES_SIGNED,
};
/* What a phone asks for; *device is its name, absent where it is unknown or not said. */
enum phone_file_kind phone_file_kind(struct span name, struct span *device);

struct phone_servers { /* in the order of their failover */
    const struct addr *address;
    size_t n; /* at most CALL_MANAGERS_MAX */
};
/* Overflow of b is seen there; PHONE_FILE_MAX is enough for every record of authd's but of a phone
 * of SIP with more lines than any has. servers: where it registers, by SCCP or, as r says, by SIP:
 * then b gets passwords, and is to be wiped. hash: of the certificate that it is encrypted for;
 * absent: it is not. */
void phone_file_write(struct buf *b, const Countersign__Auth__DeviceRecord *r,
                      const struct phone_servers *servers, struct span hash);
/* What nobody's phone gets: where to register, and no more. */
void phone_file_write_default(struct buf *b, const struct phone_servers *servers);
/* What is signed and not encrypted beside such a file: that there is one, and for which
 * certificate.
 */
void phone_file_write_short(struct buf *b, struct span hash);
/* What XML needs written otherwise, and without what it cannot hold (XML 1.0, 2.2 and 2.4). */
void phone_file_escape(struct buf *b, struct span text);
/* The name that these phones have for an IANA zone; absent: none that we know. */
struct span phone_file_zone(struct span zone);

#endif
