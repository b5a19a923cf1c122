/* What a desk phone hears and speaks in a call: the channel that it opens, where it sends, and by
 * which keys. */
#include "b2bua/leg/leg_sccp.h"
#include "base/ct.h"
#include "base/rand.h"

enum { OPEN_MS = 5000, PACKET_MS = 20 /* where nobody said */, EXPEDITED = 0xb8, DTMF = 10 };

/* ---- keys ---- */

/* The suite that all of these phones have. */
static void make_key(struct crypt_key *k)
{
    k->suite = CRYPT_AES_CM_128_HMAC_SHA1_32;
    rand_bytes(k->bytes, crypt_key_len(k->suite));
}

void desk_channel_init(struct sccp_leg *l)
{
    if (!desk_is_encrypted(l->session))
        return;
    make_key(&l->keys.in);
    make_key(&l->keys.out);
    l->renewed = true;
    l->leg.keys = &l->keys;
}

/* A phone begins each transmission at the same index of packets, perhaps: never by the same key. */
void desk_channel_renew(struct sccp_leg *l)
{
    const bool goes_on =
        l->offer && l->sending && addr_eq(&l->to, &l->peer.at) && l->sends_ms == l->peer.packet_ms;
    if (!l->leg.keys || l->renewed || goes_on)
        return;
    make_key(&l->keys.in);
    l->renewed = true;
}

/* A phone that says digits in its media is told by which type. */
static unsigned events_of(const struct sccp_leg *l)
{
    return !l->session->events ? 0 : l->peer.codec ? l->peer.events : DESK_EVENTS;
}

static void write_key(const struct sccp_leg *l, const struct crypt_key *k, struct sccp_crypto *out)
{
    if (!l->leg.keys)
        return;
    out->cipher = SCCP_CIPHER_AES_CM_128_32;
    out->key_length = sizeof(out->key);
    out->salt_length = (uint16_t)(crypt_key_len(k->suite) - sizeof(out->key));
    memcpy(out->key, k->bytes, out->key_length);
    memcpy(out->salt, k->bytes + out->key_length, out->salt_length);
}

/* ---- both directions ---- */

static void stop_sending(struct sccp_leg *l)
{
    if (l->sending)
        SCCP_SEND(l->session, stop_media_transmission, .conference = l->ref, .party = l->ref,
                  .call = l->ref);
    l->sending = false;
}

void desk_channel_close(struct sccp_leg *l)
{
    const bool was_open = l->codec && !l->opening;
    if (l->codec)
        SCCP_SEND(l->session, close_receive_channel, .conference = l->ref, .party = l->ref,
                  .call = l->ref);
    stop_sending(l);
    if (was_open && l->statistics)
        statistics_ask(l->statistics, l->line->number);
    l->codec = NULL;
    l->opening = false;
    timer_stop(l->session->sccp->loop, &l->timer);
}

bool desk_channel_open(struct sccp_leg *l, const struct desk_codec *codec)
{
    if (l->codec == codec)
        return !l->opening;
    desk_channel_close(l);
    if (l->leg.keys && l->used) {
        make_key(&l->keys.out);
        l->untold = true;
    }
    l->used = false;
    l->codec = codec;
    l->opening = true;
    if (!l->statistics)
        l->statistics = statistics_new(l->line->desk, l->ref);
    l->hears_ms = l->peer.codec == codec ? l->peer.packet_ms : PACKET_MS;
    struct sccp_open_receive_channel m = { .conference = l->ref,
                                           .party = l->ref,
                                           .packet_ms = l->hears_ms,
                                           .codec = codec->sccp,
                                           .call = l->ref,
                                           .event_payload = events_of(l),
                                           .dtmf = DTMF };
    write_key(l, &l->keys.out, &m.crypto);
    SCCP_SEND_SECRET(l->session, open_receive_channel, &m);
    timer_start(l->session->sccp->loop, &l->timer, DURATION_MS(OPEN_MS));
    return false;
}

void desk_channel_send(struct sccp_leg *l)
{
    const bool hears = l->peer.codec && l->peer.codec == l->codec && !l->opening;
    const bool wanted = hears && l->peer.direction & SDP_RECVONLY && !addr_is_any(&l->peer.at);
    l->used |= hears;
    if (l->sending && wanted && addr_eq(&l->to, &l->peer.at) && l->sends_ms == l->peer.packet_ms &&
        !l->renewed)
        return;
    stop_sending(l);
    if (!wanted || (l->leg.keys && !l->renewed))
        return; /* the key that it had is used up: it sends once another was described */
    struct addr host = l->to = l->peer.at;
    addr_set_port(&host, 0);
    l->sending = true;
    l->sends_ms = l->peer.packet_ms;
    l->renewed = false;
    struct sccp_start_media_transmission m = { .conference = l->ref,
                                               .party = l->ref,
                                               .remote = host,
                                               .remote_port = addr_port(&l->to),
                                               .packet_ms = l->sends_ms,
                                               .codec = l->codec->sccp,
                                               .precedence = EXPEDITED,
                                               .call = l->ref,
                                               .event_payload = events_of(l),
                                               .dtmf = DTMF };
    write_key(l, &l->keys.in, &m.crypto);
    SCCP_SEND_SECRET(l->session, start_media_transmission, &m);
}
