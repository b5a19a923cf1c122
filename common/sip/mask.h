/* Secrets in the text of a SIP message, for whoever shows it to people: what proves who somebody is
 * (credentials, nonces, tokens, cookies, passwords in URIs), keys of media (SDES, ice-pwd), and
 * what people say or press (bodies of MESSAGE and INFO). No I/O. */
#ifndef CS_SIP_MASK_H
#define CS_SIP_MASK_H

#include "base/span.h"

/* Each byte of a secret becomes '*': lengths and places stay as they were. What cannot be read as
 * what it should be counts as secret: unknown schemes and parameters of credentials, bodies of
 * unknown types. */
void sip_mask(char *text, size_t n);

#endif
