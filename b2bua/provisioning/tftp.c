#include "b2bua/provisioning/tftp.h"

#include <stdlib.h>

#include "b2bua/provisioning/tftp_packet.h"
#include "base/list.h"
#include "base/log.h"
#include "net/udp.h"

enum { TRANSFERS_MAX = 256, TRIES = 5, RETRY_MS = 1000 };

struct tftp {
    struct loop *loop;
    struct provisioning *files;
    struct udp *udp;
    struct list transfers;
    size_t n;
};

/* One file to one phone, from a port of its own (RFC 1350, 4). */
struct transfer {
    struct list link;
    struct tftp *server;
    struct udp *udp;
    struct addr peer;
    struct provision *ask;
    struct tftp_packet request; /* without its file */
    struct timer timer;
    unsigned tries;
    char *file; /* owned */
    size_t size, block_size;
    uint16_t block; /* that was sent last; 0: the options */
    char packet[TFTP_PACKET_MAX];
    size_t n; /* of packet: what is sent again */
};

static const struct log tlog = { .module = "tftp" };

static void transfer_free(struct transfer *t)
{
    if (t->ask)
        provision_cancel(t->ask);
    timer_stop(t->server->loop, &t->timer);
    udp_close(&t->udp);
    list_remove(&t->link);
    t->server->n--;
    free(t->file);
    free(t);
}

static void send_packet(struct transfer *t)
{
    if (udp_send(t->udp, &t->peer, span_of(t->packet, t->n)))
        log_debug(&tlog, "a packet could not be sent", kv_addr("peer", &t->peer));
}

static void send_first_time(struct transfer *t, const struct buf *b)
{
    t->n = b->n;
    t->tries = 0;
    send_packet(t);
    timer_stop(t->server->loop, &t->timer);
    timer_start(t->server->loop, &t->timer, DURATION_MS(RETRY_MS));
}

/* A block that is shorter than the others is the last; one may be empty. */
static void send_block(struct transfer *t)
{
    struct buf b = BUF_INIT(t->packet);
    t->block++;
    const size_t at = (size_t)(t->block - 1) * t->block_size;
    if (at > t->size) {
        log_debug(&tlog, "a file was fetched", kv_addr("peer", &t->peer), kv_u("bytes", t->size));
        transfer_free(t);
        return;
    }
    tftp_write_data(&b, t->block, span_of(t->file + at, CS_MIN(t->size - at, t->block_size)));
    send_first_time(t, &b);
}

static void on_again(struct timer *timer)
{
    struct transfer *t = container_of(timer, struct transfer, timer);
    if (++t->tries == TRIES) {
        transfer_free(t);
        return;
    }
    send_packet(t);
    timer_start(t->server->loop, timer, DURATION_MS(RETRY_MS));
}

/* An ACK that comes twice is not answered twice (RFC 1123, 4.2.3.1). */
static void on_reply(void *arg, const struct addr *from, struct span data)
{
    struct transfer *t = arg;
    struct tftp_packet p;
    if (!addr_eq(from, &t->peer) || tftp_parse(data, &p) || !t->file)
        return;
    if (p.op == TFTP_ERROR)
        transfer_free(t);
    else if (p.op == TFTP_ACK && p.block == t->block)
        send_block(t);
}

static void refuse(struct udp *udp, const struct addr *to, enum tftp_error code, const char *words)
{
    char packet[TFTP_PACKET_MAX];
    struct buf b = BUF_INIT(packet);
    tftp_write_error(&b, code, words);
    if (udp_send(udp, to, buf_span(&b)))
        log_debug(&tlog, "a packet could not be sent", kv_addr("peer", to));
}

static void on_file(void *arg, enum provisioned what, struct span file)
{
    struct transfer *t = arg;
    struct buf b = BUF_INIT(t->packet);
    t->ask = NULL;
    t->file = what == PROVISIONED ? malloc(file.n + 1) : NULL;
    if (!t->file) {
        refuse(t->udp, &t->peer,
               what == PROVISION_NOT_FOUND ? TFTP_NOT_FOUND
               : what == PROVISION_REFUSED ? TFTP_DENIED
                                           : TFTP_SAYS,
               what == PROVISION_NOT_FOUND ? "no such file"
               : what == PROVISION_REFUSED ? "not for you"
                                           : "try again later");
        transfer_free(t);
        return;
    }
    memcpy(t->file, file.p, file.n);
    t->size = file.n;
    t->block_size = t->request.blksize ? t->request.blksize : TFTP_BLOCK;
    if (tftp_write_oack(&b, &t->request, t->size))
        send_first_time(t, &b);
    else
        send_block(t);
}

/* ---- requests ---- */

static bool is_open(const struct tftp *s, const struct addr *from)
{
    list_for_each (it, &s->transfers) {
        if (addr_eq(&container_of(it, struct transfer, link)->peer, from))
            return true;
    }
    return false;
}

static int transfer_new(struct tftp *s, const struct addr *from, const struct tftp_packet *p)
{
    struct addr local = *udp_local(s->udp);
    struct transfer *t = calloc(1, sizeof(*t));
    if (!t)
        return CS_ENOMEM;
    t->server = s;
    t->peer = *from;
    t->request = *p;
    t->request.file = SPAN_NULL;
    timer_init(&t->timer, on_again);
    list_push_back(&s->transfers, &t->link);
    s->n++;
    const struct provision_facts facts = { .from = from, .unproven = true };
    addr_set_port(&local, 0);
    int err = udp_open(s->loop, &local, on_reply, t, &t->udp);
    t->ask = err ? NULL : provision_ask(s->files, p->file, &facts, on_file, t);
    if (!t->ask)
        transfer_free(t);
    return err;
}

static void on_request(void *arg, const struct addr *from, struct span data)
{
    struct tftp *s = arg;
    struct tftp_packet p;
    if (tftp_parse(data, &p) || (p.op != TFTP_RRQ && p.op != TFTP_WRQ))
        return;
    if (p.op == TFTP_WRQ)
        refuse(s->udp, from, TFTP_DENIED, "nothing is taken here");
    else if (!p.octet)
        refuse(s->udp, from, TFTP_ILLEGAL, "only mode octet is known");
    else if (s->n == TRANSFERS_MAX)
        refuse(s->udp, from, TFTP_SAYS, "try again later");
    else if (!is_open(s, from) && transfer_new(s, from, &p))
        log_warn(&tlog, "a file cannot be given", kv_addr("peer", from));
}

int tftp_open(struct loop *l, const struct addr *listen, struct provisioning *p, struct tftp **out)
{
    struct tftp *t = *out = calloc(1, sizeof(*t));
    if (!t)
        return CS_ENOMEM;
    t->loop = l;
    t->files = p;
    list_init(&t->transfers);
    int err = udp_open(l, listen, on_request, t, &t->udp);
    if (err)
        tftp_close(out);
    return err;
}

void tftp_close(struct tftp **tp)
{
    struct tftp *t = *tp;
    *tp = NULL;
    if (!t)
        return;
    list_for_each (it, &t->transfers)
        transfer_free(container_of(it, struct transfer, link));
    udp_close(&t->udp);
    free(t);
}
