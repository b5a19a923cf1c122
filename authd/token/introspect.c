#include "authd/token/introspect.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "authd/token/json.h"
#include "authd/token/jwt.h"
#include "base/log.h"

enum { ANSWER_MAX = 16 * 1024, CREDENTIALS_MAX = 3000 };

static const struct log ilog = { .module = "token" };

struct inquirer {
    struct fetcher *fetcher;
    const struct issuer_conf *conf;
    struct secret authorization; /* value of the header */
    struct list open;
    bool failing;
};

struct inquiry {
    struct list link;
    struct inquirer *inquirer;
    unsigned char hash[INQUIRY_HASH];
    enum inquiry_state state;
    struct fetch *fetch;
    struct list waiters;
    json_t *claims;
};

/* ---- what is sent ---- */

/* application/x-www-form-urlencoded, of the parts that need it least. */
static void put_encoded(struct buf *b, struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        const char c = s.p[i];
        if (ascii_alpha(c) || ascii_digit(c) || c == '-' || c == '_' || c == '.' || c == '~')
            buf_putc(b, c);
        else
            buf_printf(b, "%%%02X", (unsigned char)c);
    }
}

/* client_secret_basic (RFC 6749, 2.3.1): both are encoded before they are joined. */
static int make_authorization(struct inquirer *q, struct span secret)
{
    char plain[CREDENTIALS_MAX], text[6 + CREDENTIALS_MAX / 3 * 4 + 5] = "Basic ";
    struct buf b = BUF_INIT(plain);
    put_encoded(&b, q->conf->introspection.client_id);
    buf_putc(&b, ':');
    put_encoded(&b, secret);
    int err = buf_ok(&b) ? 0 : CS_ELIMIT;
    if (!err) {
        int n = EVP_EncodeBlock((unsigned char *)text + 6, (unsigned char *)plain, (int)b.n);
        err = secret_set(&q->authorization, span_of(text, 6 + (size_t)n));
    }
    ct_wipe(plain, sizeof(plain));
    ct_wipe(text, sizeof(text));
    return err;
}

/* ---- one question ---- */

static void inquiry_free(struct inquiry *y)
{
    list_for_each (it, &y->waiters)
        list_remove(it);
    list_remove(&y->link);
    fetch_cancel(&y->fetch);
    json_decref(y->claims);
    free(y);
}

static enum inquiry_state judge(struct inquiry *y, const struct fetch_answer *a)
{
    y->claims = a->err ? NULL : json_read_object(a->body);
    const json_t *active = json_object_get(y->claims, "active");
    if (!json_is_boolean(active)) {
        if (!y->inquirer->failing)
            log_error(&ilog, "an issuer does not say whether tokens hold",
                      kv_s("issuer", y->inquirer->conf->name), kv_u("status", a->status),
                      kv_str("why", a->err ? a->why : "the answer is none of RFC 7662"));
        y->inquirer->failing = true;
        return INQUIRY_FAILED;
    }
    y->inquirer->failing = false;
    return json_is_true(active) ? INQUIRY_ACTIVE : INQUIRY_INACTIVE;
}

static void on_answer(void *arg, const struct fetch_answer *a)
{
    struct inquiry *y = arg;
    y->fetch = NULL;
    y->state = judge(y, a);
    waiters_wake(&y->waiters); /* they find it answered */
    inquiry_free(y);
}

static int ask(struct inquiry *y, const char *url, struct span token)
{
    const struct issuer_conf *c = y->inquirer->conf;
    char text[32 + 3 * JWT_MAX];
    struct buf b = BUF_INIT(text);
    buf_lit(&b, "token_type_hint=access_token&token=");
    put_encoded(&b, token);
    const struct fetch_request r = {
        .url = url,
        .ca_file = c->ca_file,
        .accept = "application/json",
        .form = buf_span(&b),
        .authorization = secret_span(&y->inquirer->authorization),
        .max = ANSWER_MAX,
        .timeout = c->timeout,
    };
    int err =
        buf_ok(&b) ? fetch_start(y->inquirer->fetcher, &r, on_answer, y, &y->fetch) : CS_ELIMIT;
    ct_wipe(text, b.n);
    return err;
}

static struct inquiry *find(struct inquirer *q, const unsigned char hash[INQUIRY_HASH])
{
    list_for_each (it, &q->open) { /* no more than fetches may be under way */
        struct inquiry *y = container_of(it, struct inquiry, link);
        if (memcmp(y->hash, hash, INQUIRY_HASH) == 0)
            return y;
    }
    return NULL;
}

static struct inquiry *begin(struct inquirer *q, const char *url, struct span token,
                             const unsigned char hash[INQUIRY_HASH])
{
    struct inquiry *y = calloc(1, sizeof(*y));
    if (!y)
        return NULL;
    y->inquirer = q;
    memcpy(y->hash, hash, INQUIRY_HASH);
    list_init(&y->waiters);
    list_push_back(&q->open, &y->link);
    if (ask(y, url, token) == 0)
        return y;
    inquiry_free(y);
    return NULL;
}

enum inquiry_state inquire(struct inquirer *q, const char *url, struct span token,
                           const unsigned char hash[INQUIRY_HASH], struct waiter *w,
                           const json_t **claims)
{
    struct inquiry *y = find(q, hash);
    *claims = NULL;
    if (!y)
        y = begin(q, url, token, hash);
    if (!y)
        return INQUIRY_FAILED;
    if (y->state == INQUIRY_WAITS) {
        list_remove(&w->link);
        list_push_back(&y->waiters, &w->link);
    }
    *claims = y->claims;
    return y->state;
}

/* ---- life ---- */

int inquirer_new(struct fetcher *f, const struct issuer_conf *c, struct inquirer **out)
{
    struct secret secret = { 0 };
    struct inquirer *q = calloc(1, sizeof(*q));
    *out = q;
    if (!q)
        return CS_ENOMEM;
    q->fetcher = f;
    q->conf = c;
    list_init(&q->open);
    int err = secret_read_file(&secret, c->introspection.client_secret_file);
    if (err)
        log_error(&ilog, "cannot read the secret that an issuer knows us by",
                  kv_str("file", c->introspection.client_secret_file), kv_err(err));
    else
        err = make_authorization(q, secret_span(&secret));
    secret_fini(&secret);
    if (err)
        inquirer_free(out);
    return err;
}

void inquirer_free(struct inquirer **qp)
{
    struct inquirer *q = *qp;
    *qp = NULL;
    if (!q)
        return;
    list_for_each (it, &q->open)
        inquiry_free(container_of(it, struct inquiry, link));
    secret_fini(&q->authorization);
    free(q);
}
