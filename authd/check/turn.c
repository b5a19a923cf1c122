#include "authd/check/turn.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

int turn_credentials(const struct secret *shared, struct span user, struct wall until,
                     struct buf *username, char password[TURN_PASSWORD_LEN + 1])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    buf_i64(username, until.ms / 1000);
    buf_putc(username, ':');
    buf_put(username, user);
    if (!buf_ok(username))
        return CS_ELIMIT;
    if (!HMAC(EVP_sha1(), shared->p, (int)shared->n, (const unsigned char *)username->p,
              username->n, mac, &n))
        return CS_ENOMEM;
    EVP_EncodeBlock((unsigned char *)password, mac, (int)n);
    ct_wipe(mac, sizeof(mac));
    return 0;
}
