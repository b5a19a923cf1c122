/* Any bytes as a configuration file: read or refused with a line number, never a crash. */
#include <assert.h>

#include "conf/conf.h"

struct inner {
    struct span name;
    struct duration life;
    struct cidr *source;
    size_t n_source;
    unsigned set;
};
struct outer {
    struct addr listen;
    const char *file;
    uint16_t number;
    size_t size;
    bool on;
    unsigned level;
    struct span *names;
    size_t n_names;
    struct inner *list;
    size_t n_list;
    struct inner *option;
    struct inner one;
};

static const char *const names[] = { "udp", "tcp", "tls", NULL };
static const struct conf_key inner_keys[] = {
    CONF_STR("name", struct inner, name, "Name.", .def = "x", .min = 1, .max = 64),
    CONF_DURATION("life", struct inner, life, "Life.", .def = "5m", .max = CONF_DAY),
    CONF_CIDRS("source", struct inner, source, "Networks."),
    CONF_SET("transport", struct inner, set, names, "Transports.", .def = "udp, tcp"),
    { 0 },
};
static void check(struct conf_check *c, void *section)
{
    const struct inner *in = section;
    assert(in->name.n >= 1 && in->name.n <= 64 && in->name.p[in->name.n] == '\0');
    assert(in->life.ms >= 0 && (uint64_t)in->life.ms <= CONF_DAY);
    assert(in->set < 8);
    if (in->n_source > 2)
        conf_error(c, "source[1]", "no more than two, and not %u", in->source[1].bits);
}
static const struct conf_section inner_section = { sizeof(struct inner), inner_keys, check };
static const struct conf_key outer_keys[] = {
    CONF_ADDR("listen", struct outer, listen, "Address."),
    CONF_PATH("file", struct outer, file, "File."),
    CONF_UINT("number", struct outer, number, "Number.", .min = 1),
    CONF_SIZE("size", struct outer, size, "Size.", .def = "64k", .max = CONF_GIB),
    CONF_BOOL("on", struct outer, on, "On."),
    CONF_ENUM("level", struct outer, level, names, "Level."),
    CONF_STRS("names", struct outer, names, "Names.", .unique = true, .at_most = 5),
    CONF_SECTIONS("list", struct outer, list, &inner_section, "List.", .unique = true),
    CONF_OPTION("option", struct outer, option, &inner_section, "Option."),
    CONF_SECTION("one", struct outer, one, &inner_section, "One."),
    { 0 },
};
static const struct conf_section root = { sizeof(struct outer), outer_keys, NULL };

static void on_error(void *arg, const char *line)
{
    assert(strncmp(line, "f.yaml:", 7) == 0);
    for (const char *p = line; *p; p++)
        assert(*p != '\n' && *p != '\r');
    ++*(unsigned *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct outer out;
    unsigned errors = 0;
    arena_init(&a, NULL, 0, 0);
    int err = conf_parse(span_of(data, size), "f.yaml", &root, &a, &out, on_error, &errors);
    assert((err == 0) == (errors == 0));
    arena_fini(&a);
    return 0;
}
