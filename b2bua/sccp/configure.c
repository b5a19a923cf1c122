#include "b2bua/sccp/configure.h"

#include "b2bua/sccp/soft_keys.h"
#include "b2bua/sccp/text.h"

enum { LINE_OPTIONS = 15, TEMPLATE = 42 };

unsigned sccp_agree(unsigned offered)
{
    return offered < SCCP_OLDEST ? SCCP_OLDEST : CS_MIN(offered, (unsigned)SCCP_NEWEST);
}

void sccp_features(unsigned version, uint8_t out[3])
{
    static const uint8_t of[3][3] = { { 0, 0, 0 }, { 0x20, 0, 0xfe }, { 0x20, 0xf1, 0xff } };
    memcpy(out, of[version >= 11 ? 2 : version > SCCP_OLDEST], 3);
}

uint8_t sccp_busy_lamp_type(unsigned version)
{
    return version < 15 ? SCCP_BUTTON_SPEED_DIAL : SCCP_BUTTON_BLF;
}

uint8_t sccp_key_type(const struct sccp_key *k, unsigned version)
{
    return k->type == SCCP_BUTTON_BLF ? sccp_busy_lamp_type(version) : k->type;
}

const struct sccp_key *sccp_key_of(const struct sccp_device *d, unsigned version, uint8_t type,
                                   uint32_t instance)
{
    for (size_t i = 0; i < d->n_keys; i++) {
        if (sccp_key_type(&d->keys[i], version) == type && --instance == 0)
            return &d->keys[i];
    }
    return NULL;
}

static const struct sccp_line *line_of(const struct sccp_device *d, uint32_t instance)
{
    const struct sccp_key *k = sccp_key_of(d, SCCP_NEWEST, SCCP_BUTTON_LINE, instance);
    return k && k->line < d->n_lines ? &d->lines[k->line] : NULL;
}

static uint32_t count(const struct sccp_device *d, unsigned version, uint8_t type)
{
    uint32_t n = 0;
    for (size_t i = 0; i < d->n_keys; i++)
        n += sccp_key_type(&d->keys[i], version) == type;
    return n;
}

/* In pieces of 42, each of which is full: what is not used is said to be undefined. */
static void tell_buttons(struct buf *b, const struct sccp_dialect *d, const struct sccp_device *dev)
{
    uint8_t instances[256] = { 0 };
    size_t n = CS_MIN(dev->n_keys, (size_t)SCCP_KEYS_MAX), at = 0;
    do {
        struct sccp_button_template m = { .offset = (uint32_t)at, .total = (uint32_t)n };
        for (size_t i = 0; i < TEMPLATE; i++, at++) {
            uint8_t type =
                at < n ? sccp_key_type(&dev->keys[at], d->version) : SCCP_BUTTON_UNDEFINED;
            m.n += at < n;
            m.buttons[i].type = type;
            if (type != SCCP_BUTTON_UNDEFINED)
                m.buttons[i].instance = ++instances[type];
        }
        sccp_put_button_template(b, d, &m);
    } while (at < n);
}

static void tell_line(struct buf *b, const struct sccp_dialect *d, const struct sccp_device *dev,
                      uint32_t instance)
{
    const struct sccp_line *l = line_of(dev, instance);
    struct sccp_line_stat m = { .line = instance };
    if (l) {
        m.number = l->number;
        m.name = l->name;
        m.label = l->label.n ? l->label : l->number;
        m.options = LINE_OPTIONS;
    }
    sccp_put_line_stat(b, d, &m);
}

void sccp_tell_forwards(struct buf *b, const struct sccp_dialect *d, const struct sccp_device *dev,
                        uint32_t instance)
{
    const struct sccp_line *l = line_of(dev, instance);
    struct sccp_forward_stat m = { .line = instance };
    if (l) {
        m.all = l->forward_all;
        m.busy = l->forward_busy;
        m.no_answer = l->forward_no_answer;
        m.all_active = m.all.n > 0;
        m.busy_active = m.busy.n > 0;
        m.no_answer_active = m.no_answer.n > 0;
        m.active = m.all_active || m.busy_active || m.no_answer_active;
    }
    sccp_put_forward_stat(b, d, &m);
}

static void tell_speed_dial(struct buf *b, const struct sccp_dialect *d,
                            const struct sccp_device *dev, uint32_t index)
{
    const struct sccp_key *k = sccp_key_of(dev, d->version, SCCP_BUTTON_SPEED_DIAL, index);
    sccp_put_speed_dial_stat(b, d,
                             &(struct sccp_speed_dial_stat){ index, k ? k->number : SPAN_NULL,
                                                             !k           ? SPAN_NULL
                                                             : k->label.n ? k->label
                                                                          : k->number });
}

void sccp_tell_feature(struct buf *b, const struct sccp_dialect *d, const struct sccp_device *dev,
                       uint32_t index, uint32_t status)
{
    const struct sccp_key *k = sccp_key_of(dev, d->version, SCCP_BUTTON_BLF, index);
    struct sccp_feature_stat m = { .index = index,
                                   .feature = SCCP_BUTTON_FEATURE,
                                   .status = status };
    if (k) {
        m.feature = SCCP_BUTTON_BLF;
        m.label = k->label.n ? k->label : k->number;
    }
    sccp_put_feature_stat(b, d, &m);
}

void sccp_tell_time(struct buf *b, const struct sccp_dialect *d, const struct sccp_device *device,
                    const struct sccp_house *house)
{
    static const struct zone utc;
    const struct zone *z = device->zone ? device->zone : house->zone ? house->zone : &utc;
    struct local_time t = zone_local(z, house->now);
    sccp_put_define_time_date(
        b, d,
        &(struct sccp_define_time_date){ .year = (uint32_t)t.year,
                                         .month = (uint32_t)t.month,
                                         .weekday = (uint32_t)t.weekday,
                                         .day = (uint32_t)t.day,
                                         .hour = (uint32_t)t.minute / 60,
                                         .minute = (uint32_t)t.minute % 60,
                                         .second = (uint32_t)(house->now.ms / 1000 % 60),
                                         .millisecond = (uint32_t)(house->now.ms % 1000),
                                         .unix_time = (uint32_t)(house->now.ms / 1000) });
}

void sccp_configure(struct buf *b, const struct sccp_dialect *d, const struct sccp_message *m,
                    const struct sccp_device *dev, const struct sccp_house *house)
{
    struct sccp_server_res servers = { .names = { house->name },
                                       .ports = { addr_port(&house->address) },
                                       .addresses = { house->address } };
    if (d->version < 17 && house->address.sa.sa_family == AF_INET6)
        servers.addresses[0] = (struct addr){ 0 }; /* it could not be said; the name is */
    switch (m->kind) {
    case SCCP_ButtonTemplateReq:
        tell_buttons(b, d, dev);
        break;
    case SCCP_SoftKeyTemplateReq:
        sccp_tell_soft_keys(b, d);
        break;
    case SCCP_SoftKeySetReq:
        sccp_tell_soft_key_sets(b, d, dev->soft_keys);
        sccp_put_select_soft_keys(
            b, d, &(struct sccp_select_soft_keys){ .set = SCCP_KEYS_ON_HOOK, .mask = UINT32_MAX });
        sccp_put_display_prompt_status(
            b, d, &(struct sccp_display_prompt_status){ .text = SCCP_LABEL("\x13") });
        break;
    case SCCP_LineStatReq:
        tell_line(b, d, dev, m->line_stat_req.line);
        break;
    case SCCP_ForwardStatReq:
        sccp_tell_forwards(b, d, dev, m->forward_stat_req.line);
        break;
    case SCCP_SpeedDialStatReq:
        tell_speed_dial(b, d, dev, m->speed_dial_stat_req.index);
        break;
    case SCCP_FeatureStatReq:
        sccp_tell_feature(b, d, dev, m->feature_stat_req.index, SCCP_BUSY_LAMP_UNKNOWN);
        break;
    case SCCP_ServiceURLStatReq:
        sccp_put_service_url_stat(
            b, d, &(struct sccp_service_url_stat){ .index = m->service_url_stat_req.index });
        break;
    case SCCP_VersionReq: /* a load that it does not have would make it look for that */
        sccp_put_version(b, d, &(struct sccp_version){ 0 });
        break;
    case SCCP_ConfigStatReq:
        sccp_put_config_stat(b, d,
                             &(struct sccp_config_stat){
                                 .name = dev->name,
                                 .instance = 1,
                                 .server = house->name,
                                 .lines = count(dev, d->version, SCCP_BUTTON_LINE),
                                 .speed_dials = count(dev, d->version, SCCP_BUTTON_SPEED_DIAL) });
        break;
    case SCCP_ServerReq:
        sccp_put_server_res(b, d, &servers);
        break;
    case SCCP_TimeDateReq:
        sccp_tell_time(b, d, dev, house);
        break;
    default:
        break;
    }
}
