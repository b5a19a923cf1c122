#include <stdio.h>

#include "base/rand.h"
#include "phone.h"
#include "sip/write.h"

#define USER_AGENT "User-Agent: csctl/" CS_VERSION "\r\n"

enum { MESSAGE = 16 * 1024, MAX_ANSWERED = 2 };

static void send_ask(struct ask *a);

/* ---- writing ---- */

/* Keys and addresses as a browser has them (RFC 5763, RFC 8839): who answers such an offer with
 * less is not believed. No media come by it, and the call is over before anybody misses them. */
static void write_webrtc(struct buf *b, const struct sip_msg *offer)
{
    struct span rest = offer->body, mid = SPAN("0");
    unsigned char random[32];
    char text[65];
    struct buf hex = BUF_INIT(text);
    while (rest.n) {
        struct span line = span_cut(&rest, '\n');
        if (span_ends(line, SPAN("\r")))
            line.n--;
        if (span_starts(line, SPAN("a=mid:")))
            mid = span_trim(span_skip(line, 6));
    }
    rand_bytes(random, sizeof(random));
    buf_hex(&hex, random, sizeof(random));
    buf_lit(b, "a=fingerprint:sha-256 ");
    for (size_t i = 0; i < sizeof(random); i++)
        buf_printf(b, "%s%02X", i ? ":" : "", random[i]);
    buf_printf(b,
               "\r\na=setup:active\r\na=ice-ufrag:%.8s\r\na=ice-pwd:%.32s\r\na=rtcp-mux\r\n"
               "a=mid:" SPAN_FMT "\r\n",
               text, text + 16, SPAN_ARG(mid));
}

static bool is_of_browsers(const struct sip_msg *offer)
{
    char text[16 * 1024];
    span_copy(text, sizeof(text), offer ? offer->body : SPAN_NULL);
    return offer && strstr(text, "UDP/TLS/RTP/SAVPF");
}

static void write_sdp(struct buf *b, const struct phone *p, const struct sip_msg *offer)
{
    bool webrtc = is_of_browsers(offer);
    const struct addr *local = siptp_listener_local(p->listener);
    char host[ADDR_STRLEN];
    struct buf h = BUF_INIT(host);
    const char *family = local->sa.sa_family == AF_INET6 ? "IP6" : "IP4";
    addr_write_bare(&h, local);
    const struct span ip = buf_span(&h);
    buf_printf(b,
               "v=0\r\no=- 1 1 IN %s " SPAN_FMT "\r\ns=-\r\nc=IN %s " SPAN_FMT "\r\nt=0 0\r\n"
               "m=audio 9 %s 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n",
               family, SPAN_ARG(ip), family, SPAN_ARG(ip),
               webrtc ? "UDP/TLS/RTP/SAVPF" : "RTP/AVP");
    if (webrtc)
        write_webrtc(b, offer);
}

void phone_write_body(struct buf *b, const struct phone *p, const struct sip_msg *offer)
{
    char sdp[1024];
    struct buf body = BUF_INIT(sdp);
    write_sdp(&body, p, offer);
    sip_write_end(b, SPAN("application/sdp"), buf_span(&body));
}

static void write_party(struct buf *b, const char *name, const char *uri, const char *tag)
{
    buf_printf(b, "%s: <%s>%s%s\r\n", name, uri, tag[0] ? ";tag=" : "", tag);
}

static void write_request(struct buf *b, const struct ask *a, enum sip_method method,
                          const char *uri, struct span branch)
{
    const struct phone *p = a->phone;
    const struct dialog *d = a->dialog;
    struct span name = sip_method_name(method);
    buf_printf(b, SPAN_FMT " %s SIP/2.0\r\nVia: SIP/2.0/" SPAN_FMT " " SPAN_FMT ";rport;branch=",
               SPAN_ARG(name), uri, SPAN_ARG(sip_transport_via(p->conf.transport)),
               SPAN_ARG(siptp_listener_sent_by(p->listener)));
    buf_put(b, branch);
    buf_lit(b, "\r\n");
    buf_printf(b, "%sMax-Forwards: 70\r\n", d->routes);
    write_party(b, "From", d->local, d->local_tag);
    write_party(b, "To", d->remote, d->remote_tag);
    buf_printf(b, "Call-ID: %s\r\nCSeq: %u " SPAN_FMT "\r\n" USER_AGENT, d->call_id, a->cseq,
               SPAN_ARG(name));
    buf_put(b, span_str(a->credentials));
}

/* An ACK to a 2xx goes along the dialog and repeats the INVITE's credentials (RFC 3261, 13.2.2.4
 * and 22.1). */
static int send_ack(struct ask *a)
{
    char text[MESSAGE], branch_text[SIP_BRANCH_LEN];
    struct buf b = BUF_INIT(text), branch = BUF_INIT(branch_text);
    siptx_branch(&branch);
    write_request(&b, a, SIP_ACK, a->dialog->target, buf_span(&branch));
    sip_write_end(&b, SPAN_NULL, SPAN_NULL);
    return buf_ok(&b) ? flow_send(a->phone->flow, buf_span(&b)) : CS_ELIMIT;
}

/* ---- what comes back ---- */

static void finish(struct ask *a, struct sip_msg *answer, int err)
{
    a->answer = answer ? sip_msg_ref(answer) : NULL;
    a->err = err;
    a->done = true;
}

static void note_status(struct ask *a, unsigned status)
{
    size_t n = strlen(a->trail);
    snprintf(a->trail + n, sizeof(a->trail) - n, "%s%u", n ? ", " : "", status);
}

/* False when this answer is the last word. */
static bool answer_challenge(struct ask *a, const struct sip_msg *m)
{
    struct digest_challenge c;
    char cnonce_text[16];
    unsigned char random[8];
    struct buf cnonce = BUF_INIT(cnonce_text);
    if (!a->challenge)
        a->challenge = m->status;
    if (a->bare || a->answered == MAX_ANSWERED || phone_digest_choose(m, &c))
        return false;
    if (a->answered && !c.is_stale)
        return false; /* refused; the same again would be, too (RFC 3261, 22.2) */
    rand_bytes(random, sizeof(random));
    buf_hex(&cnonce, random, sizeof(random));
    struct digest_answer who = { .user = a->phone->conf.user,
                                 .password = secret_span(a->phone->conf.password),
                                 .method = sip_method_name(a->method),
                                 .uri = span_str(a->uri),
                                 .cnonce = buf_span(&cnonce),
                                 .nc = 1 };
    struct buf b = buf_of(a->credentials, sizeof(a->credentials) - 1);
    buf_put(&b, m->status == 407 ? SPAN("Proxy-Authorization: ") : SPAN("Authorization: "));
    int err = phone_digest_write(&b, &c, &who);
    buf_lit(&b, "\r\n");
    a->credentials[err || !buf_ok(&b) ? 0 : b.n] = '\0';
    if (!a->credentials[0])
        return false;
    a->answered++;
    a->alg = c.alg;
    send_ask(a);
    return true;
}

static void write_contact(struct ask *a, unsigned expires)
{
    snprintf(a->lines, sizeof(a->lines), "Contact: <%s>;expires=%u\r\n", a->phone->contact,
             expires);
}

/* RFC 3261, 10.2.8 */
static bool follow_423(struct ask *a, const struct sip_msg *m)
{
    uint32_t least;
    if (m->status != 423 || a->longer || sip_hdr_u32(m, SIP_HDR_MIN_EXPIRES, &least))
        return false;
    a->longer = true;
    write_contact(a, least);
    a->credentials[0] = '\0'; /* used once */
    a->answered = 0;
    send_ask(a);
    return true;
}

static void on_response(void *arg, struct tx *tx, struct sip_msg *m)
{
    struct ask *a = arg;
    (void)tx;
    if (a->method == SIP_INVITE && m->status >= 200 && m->status < 300) {
        int err = a->done ? 0 : dialog_confirm(a->dialog, m);
        if (!err)
            err = send_ack(a); /* to each that comes again, too */
        if (!a->done) {
            note_status(a, m->status);
            a->phone->made = err ? NULL : a;
            finish(a, m, err);
        }
        return;
    }
    note_status(a, m->status);
    if (m->status < 200) {
        a->rang |= m->status == 180;
    } else if ((m->status == 401 || m->status == 407) && answer_challenge(a, m)) {
        return;
    } else if (a->method == SIP_REGISTER && follow_423(a, m)) {
        return;
    } else {
        finish(a, m, 0);
    }
}

static void on_failed(void *arg, struct tx *tx, int err)
{
    (void)tx;
    finish(arg, NULL, err);
}

/* ---- sending ---- */

static void let_go(struct ask *a)
{
    if (a->tx)
        tx_forget(a->tx);
    tx_unref(&a->tx);
}

static void send_ask(struct ask *a)
{
    static const struct tx_client_events events = { on_response, on_failed };
    char text[MESSAGE], branch_text[SIP_BRANCH_LEN];
    struct buf b = BUF_INIT(text), branch = BUF_INIT(branch_text);
    struct phone *p = a->phone;
    let_go(a);
    a->cseq = ++a->dialog->cseq;
    siptx_branch(&branch);
    write_request(&b, a, a->method, a->uri, buf_span(&branch));
    buf_put(&b, span_str(a->lines));
    if (a->sdp)
        sip_write_end(&b, SPAN("application/sdp"), span_str(a->sdp));
    else if (a->has_body)
        phone_write_body(&b, p, NULL);
    else
        sip_write_end(&b, SPAN_NULL, SPAN_NULL);
    int err = buf_ok(&b) ? 0 : CS_ELIMIT;
    if (!err)
        err =
            tx_send(p->tx, p->flow, a->method, buf_span(&branch), buf_span(&b), &events, a, &a->tx);
    if (err)
        finish(a, NULL, err);
}

static void start(struct phone *p, struct ask *a, enum sip_method method, struct dialog *d)
{
    a->phone = p;
    a->method = method;
    a->dialog = d;
    memcpy(a->uri, d->target, sizeof(a->uri));
    send_ask(a);
}

void phone_options(struct phone *p, struct ask *a)
{
    *a = (struct ask){ .bare = true };
    struct span server = span_str(p->registration.target);
    dialog_init(&a->own, span_str(p->aor), server, server);
    start(p, a, SIP_OPTIONS, &a->own);
}

void phone_register(struct phone *p, struct ask *a, unsigned expires, const char *credentials)
{
    *a = (struct ask){ .phone = p, .bare = credentials != NULL };
    write_contact(a, expires);
    if (credentials)
        span_copy(a->credentials, sizeof(a->credentials), span_str(credentials));
    start(p, a, SIP_REGISTER, &p->registration);
}

void phone_query(struct phone *p, struct ask *a)
{
    *a = (struct ask){ 0 };
    start(p, a, SIP_REGISTER, &p->registration);
}

static void invite(struct phone *p, struct ask *a, struct span user)
{
    char to[DIALOG_URI];
    struct buf b = BUF_INIT(to);
    phone_uri(&b, user, p->conf.domain);
    dialog_init(&a->own, span_str(p->aor), buf_span(&b), buf_span(&b));
    /* An identity that no phone may claim (RFC 3325, 5): the server puts the caller's own there. */
    snprintf(a->lines, sizeof(a->lines),
             "Contact: <%s>\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"
             "P-Asserted-Identity: <sip:nobody@csctl.invalid>\r\n",
             p->contact);
    start(p, a, SIP_INVITE, &a->own);
}

void phone_invite(struct phone *p, struct ask *a, struct span user, bool bare)
{
    *a = (struct ask){ .has_body = true, .bare = bare };
    invite(p, a, user);
}

void phone_invite_with(struct phone *p, struct ask *a, struct span user, const char *sdp)
{
    *a = (struct ask){ .sdp = sdp };
    invite(p, a, user);
}

void phone_bye(struct phone *p, struct ask *a, struct dialog *d)
{
    *a = (struct ask){ 0 };
    start(p, a, SIP_BYE, d);
}

void ask_cancel(struct ask *a)
{
    if (a->tx)
        tx_cancel(a->tx, SPAN_NULL);
}

void ask_fini(struct ask *a)
{
    let_go(a);
    sip_msg_unref(&a->answer);
    if (a->phone && a->phone->made == a)
        a->phone->made = NULL;
}
