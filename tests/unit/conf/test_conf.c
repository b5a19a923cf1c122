#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "lib/test.h"
#include "lib/tmp.h"

/* ---- a configuration with a key of every type ---- */

enum level { LOW, MIDDLE, HIGH };
static const char *const levels[] = { "low", "middle", "high", NULL };
static const char *const transports[] = { "udp", "tcp", "tls", NULL };

struct digest_conf {
    struct span realm;
    struct duration nonce_lifetime;
    bool userhash;
};
struct expires_conf {
    struct duration min, max;
};
struct group_conf {
    struct span name;
    struct cidr *source;
    size_t n_source;
    unsigned transport;
    struct digest_conf digest;
    struct expires_conf *expires;
};
struct test_conf {
    struct addr listen;
    struct addr *peers;
    size_t n_peers;
    const char *key_file;
    const char **extra;
    size_t n_extra;
    uint16_t workers;
    size_t memory;
    enum level level;
    uint64_t wide_set;
    struct span *realms;
    size_t n_realms;
    uint32_t *codes;
    size_t n_codes;
    struct group_conf *groups;
    size_t n_groups;
    struct digest_conf digest;
    struct span pattern;
    struct span *patterns;
    size_t n_patterns;
};

static const struct conf_key digest_keys[] = {
    CONF_STR("realm", struct digest_conf, realm, "The realm.", .def = "example.com", .min = 1,
             .max = 32),
    CONF_DURATION("nonce_lifetime", struct digest_conf, nonce_lifetime, "Life of a nonce.",
                  .def = "5m", .min = CONF_SECOND, .max = CONF_DAY),
    CONF_BOOL("userhash", struct digest_conf, userhash, "Whether user names may be hashed.",
              .def = "true"),
    { 0 },
};
static const struct conf_section digest_section = { sizeof(struct digest_conf), digest_keys, NULL };

static const struct conf_key expires_keys[] = {
    CONF_DURATION("min", struct expires_conf, min, "Shortest.", .def = "1m"),
    CONF_DURATION("max", struct expires_conf, max, "Longest.", .def = "1h"),
    { 0 },
};

static void check_expires(struct conf_check *c, void *section)
{
    const struct expires_conf *e = section;
    if (e->min.ms > e->max.ms)
        conf_error(c, "min", "is longer than max");
}
static const struct conf_section expires_section = { sizeof(struct expires_conf), expires_keys,
                                                     check_expires };

static const struct conf_key group_keys[] = {
    CONF_STR("name", struct group_conf, name, "Its name.", .required = true, .min = 1),
    CONF_CIDRS("source", struct group_conf, source, "Networks."),
    CONF_SET("transport", struct group_conf, transport, transports, "Transports.",
             .def = "udp, tls"),
    CONF_SECTION("digest", struct group_conf, digest, &digest_section, "Digest of the group."),
    CONF_OPTION("expires", struct group_conf, expires, &expires_section, "Expiry of bindings."),
    { 0 },
};
static const struct conf_section group_section = { sizeof(struct group_conf), group_keys, NULL };

static void check_root(struct conf_check *c, void *section)
{
    const struct test_conf *t = section;
    for (size_t i = 0; i < t->n_groups; i++) {
        if (span_eq(t->groups[i].name, SPAN("forbidden"))) {
            char key[64];
            snprintf(key, sizeof(key), "groups[%zu].name", i);
            conf_error(c, key, "may not be used");
        }
    }
    if (t->workers == 13)
        conf_error(c, NULL, "thirteen of anything is too much");
    assert_non_null(arena_alloc(conf_arena(c), 16));
}

static const struct conf_key root_keys[] = {
    CONF_ADDR("listen", struct test_conf, listen, "Where to listen.", .required = true),
    CONF_ADDRS("peers", struct test_conf, peers, "Peers.", .port = 6379),
    CONF_PATH("key_file", struct test_conf, key_file, "File of the key."),
    CONF_PATHS("extra", struct test_conf, extra, "Further files."),
    CONF_UINT("workers", struct test_conf, workers, "Processes.", .def = "1", .min = 1, .max = 64),
    CONF_SIZE("memory", struct test_conf, memory, "Memory.", .def = "32m", .min = CONF_KIB,
              .max = CONF_GIB),
    CONF_ENUM("level", struct test_conf, level, levels, "How much.", .def = "middle"),
    CONF_SET("wide_set", struct test_conf, wide_set, levels, "Levels."),
    CONF_STRS("realms", struct test_conf, realms, "Realms.", .def = "a.example, b.example",
              .at_least = 1, .at_most = 3, .unique = true),
    CONF_UINTS("codes", struct test_conf, codes, "Codes."),
    CONF_SECTIONS("groups", struct test_conf, groups, &group_section, "Peer groups.",
                  .unique = true),
    CONF_SECTION("digest", struct test_conf, digest, &digest_section, "Digest."),
    CONF_STR("pattern", struct test_conf, pattern, "A default that YAML would misread.",
             .def = "*: #"),
    CONF_STRS("patterns", struct test_conf, patterns, "The same.", .def = "*a,null: x,Yealink/*"),
    { 0 },
};
static const struct conf_section root = { sizeof(struct test_conf), root_keys, check_root };

/* ---- helpers ---- */

static struct arena arena;
static struct test_conf conf;
static char errors[65536];
static size_t n_errors;

static void on_error(void *arg, const char *line)
{
    (void)arg;
    assert_null(strchr(line, '\n'));
    strncat(errors, line, sizeof(errors) - strlen(errors) - 2);
    strcat(errors, "\n");
    n_errors++;
}

static int parse_span(struct span text)
{
    arena_fini(&arena);
    arena_init(&arena, NULL, 0, 0);
    errors[0] = '\0';
    n_errors = 0;
    return conf_parse(text, "etc/t.yaml", &root, &arena, &conf, on_error, NULL);
}

static int parse(const char *text)
{
    return parse_span(span_str(text));
}

/* Exactly these lines are reported. */
static void refuses(const char *text, const char *expected)
{
    static const struct test_conf zero;
    assert_int_equal(parse(text), CS_ECONF);
    assert_string_equal(errors, expected);
    assert_memory_equal(&conf, &zero, sizeof(zero));
}

#define LISTEN         "listen: 127.0.0.1:5060\n"
#define EQ(span, text) assert_true(span_eq(span, SPAN(text)))

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

/* ---- tests ---- */

static void test_defaults_fill_what_is_not_written(void **state)
{
    (void)state;
    assert_int_equal(parse(LISTEN "groups:\n  - name: one\n  - name: two\n    digest:\n"), 0);
    assert_string_equal(errors, "");
    assert_int_equal(conf.workers, 1);
    assert_int_equal(conf.memory, 32 * 1024 * 1024);
    assert_int_equal(conf.level, MIDDLE);
    assert_int_equal(conf.wide_set, 0);
    assert_null(conf.key_file);
    assert_int_equal(conf.n_realms, 2);
    EQ(conf.realms[0], "a.example");
    EQ(conf.realms[1], "b.example");
    assert_int_equal(conf.n_codes, 0);
    EQ(conf.digest.realm, "example.com");
    assert_int_equal(conf.digest.nonce_lifetime.ms, 300000);
    assert_int_equal(conf.n_groups, 2);
    for (int i = 0; i < 2; i++) {
        EQ(conf.groups[i].digest.realm, "example.com");
        assert_true(conf.groups[i].digest.userhash);
        assert_int_equal(conf.groups[i].transport, 1 << 0 | 1 << 2);
        assert_null(conf.groups[i].expires);
    }
}

static void test_every_type_is_read(void **state)
{
    (void)state;
    assert_int_equal(parse("listen: '[::1]:0'\n"
                           "peers: [10.0.0.1, '10.0.0.2:7', '[2001:db8::1]:8']\n"
                           "key_file: keys/nonce\n"
                           "extra: [/abs/file, rel]\n"
                           "workers: 8\n"
                           "memory: 64k\n"
                           "level: high\n"
                           "wide_set: [low, high]\n"
                           "realms:\n  - one\n  - \"two words\"\n"
                           "codes: [404, 4294967295]\n"
                           "groups:\n"
                           "  - name: phones\n"
                           "    source: [10.0.0.0/8, 2001:db8::/32, 192.0.2.1]\n"
                           "    transport: [tcp]\n"
                           "    digest: { nonce_lifetime: 30s, userhash: false }\n"
                           "    expires: { min: 90s }\n"),
                     0);
    assert_string_equal(errors, "");
    char text[ADDR_STRLEN];
    assert_string_equal(addr_format(&conf.listen, text), "[::1]:0");
    assert_int_equal(conf.n_peers, 3);
    assert_string_equal(addr_format(&conf.peers[0], text), "10.0.0.1:6379");
    assert_string_equal(addr_format(&conf.peers[1], text), "10.0.0.2:7");
    assert_string_equal(addr_format(&conf.peers[2], text), "[2001:db8::1]:8");
    assert_string_equal(conf.key_file, "etc/keys/nonce");
    assert_string_equal(conf.extra[0], "/abs/file");
    assert_string_equal(conf.extra[1], "etc/rel");
    assert_int_equal(conf.workers, 8);
    assert_int_equal(conf.memory, 65536);
    assert_int_equal(conf.level, HIGH);
    assert_int_equal(conf.wide_set, 1 << LOW | 1 << HIGH);
    EQ(conf.realms[1], "two words");
    assert_string_equal(conf.realms[1].p, "two words");
    assert_int_equal(conf.codes[1], 4294967295u);
    const struct group_conf *g = conf.groups;
    assert_int_equal(g->n_source, 3);
    assert_int_equal(g->source[1].bits, 32);
    assert_int_equal(g->source[2].bits, 32);
    assert_int_equal(g->transport, 1 << 1);
    assert_int_equal(g->digest.nonce_lifetime.ms, 30000);
    assert_false(g->digest.userhash);
    assert_int_equal(g->expires->min.ms, 90000);
    assert_int_equal(g->expires->max.ms, 3600000);
}

static void test_a_wrong_value_is_named_with_line_place_and_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *value, *expected;
    } cases[] = {
        { "digest: { nonce_lifetime: 5 min }",
          "digest.nonce_lifetime: \"5 min\" is not a duration; write 5m" },
        { "digest: { nonce_lifetime: 30 }",
          "digest.nonce_lifetime: \"30\" is not a duration; write 30s" },
        { "digest: { nonce_lifetime: 2 Hours }",
          "digest.nonce_lifetime: \"2 Hours\" is not a duration; write 2h" },
        { "digest: { nonce_lifetime: soon }",
          "digest.nonce_lifetime: \"soon\" is not a duration; write a number and ms, s, m, h or d, "
          "such as 30s" },
        { "digest: { nonce_lifetime: 2d }",
          "digest.nonce_lifetime: \"2d\" is too large; at most 1d" },
        { "digest: { nonce_lifetime: 10ms }",
          "digest.nonce_lifetime: \"10ms\" is too small; at least 1s" },
        { "digest: { nonce_lifetime: 99999999999999999999d }",
          "digest.nonce_lifetime: \"99999999999999999999d\" is too large; at most 1d" },
        { "digest: { userhash: Yes }",
          "digest.userhash: \"Yes\" is neither true nor false; write true" },
        { "digest: { realm: '' }", "digest.realm: \"\" is empty" },
        { "digest: { realm: \"a\\r\\nb\" }",
          "digest.realm: \"a\\u000d\\u000ab\" has control characters or several lines" },
        { "digest: { realm: \"a\\0b\" }",
          "digest.realm: \"a\\u0000b\" has control characters or several lines" },
        { "digest: { realm: }", "digest.realm: has no value; write one, or remove the line" },
        { "digest: { realm: [a] }", "digest.realm: one value is expected here, not a list" },
        { "digest: yes", "digest: keys are expected here, each as \"key: value\"" },
        { "workers: 65", "workers: \"65\" is too large; at most 64" },
        { "workers: 0", "workers: \"0\" is too small; at least 1" },
        { "workers: 0x10", "workers: \"0x10\" is not a number; write decimal digits alone" },
        { "codes: [4294967296]", "codes[0]: \"4294967296\" is too large; at most 4294967295" },
        { "memory: 64 KB", "memory: \"64 KB\" is not a size; write 64k" },
        { "memory: 2g", "memory: \"2g\" is too large; at most 1g" },
        { "memory: much",
          "memory: \"much\" is not a size; write a number of bytes, or with k, m or "
          "g, such as 64k" },
        { "level: hihg", "level: \"hihg\" is not one of low, middle, high; did you mean high?" },
        { "wide_set: [lowest]",
          "wide_set[0]: \"lowest\" is not one of low, middle, high; did you mean low?" },
        { "wide_set: low", "wide_set: a list is expected; write [low]" },
        { "peers: [localhost:6379]",
          "peers[0]: \"localhost:6379\" is not an address; write an IP address and a port, such as "
          "127.0.0.1:5060 or [::1]:5060" },
        { "key_file: ''", "key_file: \"\" is empty; write a file name" },
        { "realms: []", "realms: at least 1 needed" },
        { "realms: [a, b, c, d]", "realms: 4 are too many; at most 3" },
        { "realms: [a, b, a]", "realms[2]: \"a\" is there already, in line 2" },
        { "groups: [{name: x}, {name: x}]", "groups[1]: \"x\" is there already, in line 2" },
        { "groups: { name: x }", "groups: a list is expected; begin each element with \"- \"" },
        { "groups: [{}]", "groups[0].name: is missing and must be set: Its name." },
        { "groups: [{name: x, source: [10.1.2.3/8]}]",
          "groups[0].source[0]: \"10.1.2.3/8\" is not a network, such as 10.0.0.0/8 or "
          "2001:db8::/32; write 10.0.0.0/8" },
        { "groups: [{name: x, expires: {min: 2h}}]", "groups[0].expires.min: is longer than max" },
        { "groups: [{name: ok}, {name: forbidden}]", "groups[1].name: may not be used" },
        { "workers: 13", "thirteen of anything is too much" },
        { "digest: &a { realm: x }", "anchors (&name) are not used here; write the value out" },
        { "digest: *a", "aliases (*name) are not used here; write the value out" },
        { "workers: !!int 3", "tags (!name) are not used here" },
        { "workers: 3\nworkers: 4", "\"workers\" is said twice; first in line 2" },
        { "[a]: b", "a key must be a plain word" },
        { "worker: 3", "worker: there is no such key; did you mean workers? Allowed here: listen, "
                       "peers, key_file, extra, workers, memory, level, wide_set, realms, codes, "
                       "groups, digest, pattern, patterns" },
        { "digest: { nonce_lifetim: 3m }",
          "digest.nonce_lifetim: there is no such key; did you mean nonce_lifetime? Allowed here: "
          "realm, nonce_lifetime, userhash" },
        { "digest: { nosuch: 3m }", "digest.nosuch: there is no such key; allowed here: realm, "
                                    "nonce_lifetime, userhash" },
        { "digest: { nonce: 3m }",
          "digest.nonce: there is no such key; did you mean "
          "nonce_lifetime? Allowed here: realm, nonce_lifetime, userhash" },
    };
    for (size_t i = 0; i < CS_LEN(cases); i++) {
        char text[512], expected[1024];
        snprintf(text, sizeof(text), LISTEN "%s\n", cases[i].value);
        bool third = strstr(cases[i].value, "\nworkers: 4") != NULL;
        bool first = strstr(cases[i].value, "workers: 13") != NULL;
        snprintf(expected, sizeof(expected), "etc/t.yaml:%d: %s\n",
                 third   ? 3
                 : first ? 1
                         : 2,
                 cases[i].expected);
        refuses(text, expected);
    }
    refuses("listen: 127.0.0.1\n",
            "etc/t.yaml:1: listen: \"127.0.0.1\" has no port; write one, such as 127.0.0.1:5060\n");
}

static void test_all_errors_are_reported_in_the_order_of_lines(void **state)
{
    (void)state;
    refuses("# nothing but mistakes\n"
            "workers: many\n"
            "groups:\n"
            "  - name: a\n"
            "    source:\n"
            "      - 10.0.0.0/8\n"
            "      - nowhere\n"
            "    digest:\n"
            "      nonce_lifetime: 5 min\n"
            "  - {}\n",
            "etc/t.yaml:2: workers: \"many\" is not a number; write decimal digits alone\n"
            "etc/t.yaml:7: groups[0].source[1]: \"nowhere\" is not a network, such as 10.0.0.0/8 "
            "or 2001:db8::/32\n"
            "etc/t.yaml:9: groups[0].digest.nonce_lifetime: \"5 min\" is not a duration; write 5m\n"
            "etc/t.yaml:10: groups[1].name: is missing and must be set: Its name.\n"
            "etc/t.yaml:2: listen: is missing and must be set: Where to listen.\n");
}

static void test_a_part_of_a_file_can_be_read_alone(void **state)
{
    static const struct conf_key digest_key[] = {
        CONF_SECTION("digest", struct test_conf, digest, &digest_section, "Digest."),
        { 0 },
    };
    static const struct conf_section part = { sizeof(struct test_conf), digest_key, .part = true };
    const struct span text = SPAN("workers: many\ndigest: { realm: x }\n");
    (void)state;
    assert_int_equal(parse_span(text), CS_ECONF);
    errors[0] = '\0';
    assert_int_equal(conf_parse(text, "t.yaml", &part, &arena, &conf, on_error, NULL), 0);
    assert_string_equal(errors, "");
    EQ(conf.digest.realm, "x");
    /* inside of it all is as ever */
    assert_int_equal(
        conf_parse(SPAN("digest: { real: x }\n"), "t.yaml", &part, &arena, &conf, on_error, NULL),
        CS_ECONF);
    assert_non_null(strstr(errors, "did you mean realm?"));
}

static void test_what_is_not_yaml_is_located(void **state)
{
    (void)state;
    refuses("listen: 1\n\tworkers: 2\n",
            "etc/t.yaml:2: this is not YAML: found a tab character that violates indentation "
            "(while scanning a plain scalar that began in line 1); indent with spaces\n");
    refuses("listen: @home\n",
            "etc/t.yaml:1: this is not YAML: found character that cannot start any token; indent "
            "with spaces, not tabs, and quote what begins with @, ` or %\n");
    refuses(LISTEN "---\nworkers: 2\n",
            "etc/t.yaml:2: a second document begins (---); one is enough\n");
    refuses("", "etc/t.yaml:1: listen: is missing and must be set: Where to listen.\n");
    refuses("just words\n", "etc/t.yaml:1: keys are expected here, each as \"key: value\"\n");
    assert_int_equal(parse_span(SPAN("listen: \xff\xfe\n")), CS_ECONF);
    assert_int_equal(parse_span(SPAN("listen: [a\n")), CS_ECONF);
    assert_int_equal(parse_span(SPAN("a: 'x\n")), CS_ECONF);
}

static void test_depth_length_and_number_of_errors_are_bounded(void **state)
{
    (void)state;
    char deep[400];
    memset(deep, '[', sizeof(deep));
    assert_int_equal(parse_span(span_of(deep, sizeof(deep))), CS_ECONF);
    assert_string_equal(errors, "etc/t.yaml:1: nested deeper than any key of ours\n");

    char *many = malloc(CONF_MAX_FILE + 1);
    memset(many, '\n', CONF_MAX_FILE + 1);
    assert_int_equal(parse_span(span_of(many, CONF_MAX_FILE + 1)), CS_ECONF);
    assert_int_equal(n_errors, 1);
    size_t n = 0;
    for (int i = 0; i < 1000; i++)
        n += (size_t)sprintf(many + n, "k%d: v\n", i);
    assert_int_equal(parse_span(span_of(many, n)), CS_ECONF);
    assert_int_equal(n_errors, 100);
    n += (size_t)sprintf(many + n, "k: v\n");
    assert_int_equal(parse_span(span_of(many, n)), CS_ECONF);
    assert_int_equal(n_errors, 1);
    n = (size_t)sprintf(many, LISTEN "realms: [");
    for (int i = 0; i < 10001; i++)
        n += (size_t)sprintf(many + n, "r,");
    assert_int_equal(parse_span(span_of(many, n)), CS_ECONF);
    assert_int_equal(n_errors, 1);
    free(many);
}

static void test_memory_that_runs_out_is_said_and_leaks_nothing(void **state)
{
    (void)state;
    const char *text = LISTEN "realms: [a, b]\ngroups: [{name: x, expires: {min: 2m}}]\n";
    int err = CS_ENOMEM;
    long blocks = 0;
    for (; err && blocks < 100; blocks++) {
        arena_fail_after(blocks);
        err = parse(text);
        arena_fail_after(-1);
        assert_true(err == 0 || err == CS_ENOMEM);
        assert_string_equal(errors, "");
    }
    assert_int_equal(err, 0);
    assert_true(blocks > 2);
}

static void test_files_that_cannot_be_used_say_why(void **state)
{
    (void)state;
    char expected[512];
    const char *path = tmp_file("ok.yaml", LISTEN "key_file: k\n", strlen(LISTEN "key_file: k\n"));
    errors[0] = '\0';
    arena_init(&arena, NULL, 0, 0);
    chmod(path, 0640);
    assert_int_equal(conf_load(path, &root, &arena, &conf, on_error, NULL), 0);
    assert_string_equal(conf.key_file, tmp_path("k"));

    chmod(path, 0646);
    assert_int_equal(conf_load(path, &root, &arena, &conf, on_error, NULL), CS_ECONF);
    snprintf(expected, sizeof(expected), "%s: can be changed by anybody; chmod o-w\n", path);
    assert_string_equal(errors, expected);

    errors[0] = '\0';
    path = tmp_path("missing.yaml");
    assert_int_equal(conf_load(path, &root, &arena, &conf, on_error, NULL), CS_ECONF);
    snprintf(expected, sizeof(expected),
             "%s: cannot be read: No such file or directory; --print-config writes one to begin "
             "with\n",
             path);
    assert_string_equal(errors, expected);

    errors[0] = '\0';
    assert_int_equal(conf_load(tmp_dir(), &root, &arena, &conf, on_error, NULL), CS_ECONF);
    snprintf(expected, sizeof(expected), "%s: is not a file\n", tmp_dir());
    assert_string_equal(errors, expected);

    errors[0] = '\0';
    path = tmp_path("fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(conf_load(path, &root, &arena, &conf, on_error, NULL), CS_ECONF);
}

/* Takes the marks off a line that was commented out; false for a sentence. */
static bool uncomment(char *line)
{
    char *p;
    while (*(p = line + strspn(line, " ")) == '#') {
        if (p[1] == ' ' && p[2] != ' ')
            return false;
        memmove(p, p + 1, strlen(p));
    }
    return true;
}

static void test_the_manual_is_itself_a_configuration(void **state)
{
    (void)state;
    char *text;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    conf_print(f, &root);
    fclose(f);
    assert_int_equal(parse(text), 0);
    assert_string_equal(errors, "");
    assert_int_equal(conf.n_groups, 0);
    for (const struct conf_key *k = root_keys; k->name; k++) {
        assert_non_null(strstr(text, k->name));
        assert_non_null(strstr(text, k->doc));
    }
    assert_non_null(strstr(text, "# Life of a nonce. (duration, 1s to 1d; default 5m)\n"));
    assert_non_null(strstr(text, "# How much. (one of low, middle, high; default middle)\n"));

    /* With every key taken out of its comment it still is one. */
    char *all = calloc(1, n + 1);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (uncomment(line))
            sprintf(all + strlen(all), "%s\n", line);
    }
    assert_int_equal(parse(all), 0);
    assert_string_equal(errors, "");
    EQ(conf.pattern, "*: #");
    EQ(conf.patterns[0], "*a");
    EQ(conf.patterns[1], "null: x");
    EQ(conf.patterns[2], "Yealink/*");
    assert_int_equal(conf.n_groups, 1);
    assert_int_equal(conf.groups[0].n_source, 1);
    assert_non_null(conf.groups[0].expires);
    free(all);
    free(text);
}

static void test_the_schema_names_every_key(void **state)
{
    (void)state;
    char *text;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    conf_schema(f, &root, "test");
    fclose(f);
    assert_non_null(strstr(text, "\"title\":\"test\""));
    assert_non_null(strstr(text, "\"required\":[\"listen\"]"));
    assert_non_null(strstr(text, "\"enum\":[\"low\",\"middle\",\"high\"]"));
    assert_non_null(
        strstr(text, "\"default\":\"5m\",\"x-type\":\"duration\",\"x-range\":\"1s to 1d\""));
    assert_non_null(
        strstr(text, "\"default\":[\"a.example\",\"b.example\"],\"x-type\":\"list of texts\""));
    assert_non_null(strstr(text, "\"default\":[\"udp\",\"tls\"],\"x-type\":\"list of\""));
    for (const struct conf_key *k = group_keys; k->name; k++) {
        char quoted[64];
        snprintf(quoted, sizeof(quoted), "\"%s\":{", k->name);
        assert_non_null(strstr(text, quoted));
    }
    int depth = 0;
    for (const char *p = text; *p; p++) {
        depth += (*p == '{') - (*p == '}');
        assert_true(depth > 0 || !strcmp(p, "}\n") || *p == '\n');
    }
    assert_int_equal(depth, 0);
    free(text);
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_defaults_fill_what_is_not_written),
        T(test_every_type_is_read),
        T(test_a_wrong_value_is_named_with_line_place_and_remedy),
        T(test_all_errors_are_reported_in_the_order_of_lines),
        T(test_a_part_of_a_file_can_be_read_alone),
        T(test_what_is_not_yaml_is_located),
        T(test_depth_length_and_number_of_errors_are_bounded),
        T(test_memory_that_runs_out_is_said_and_leaks_nothing),
        T(test_files_that_cannot_be_used_say_why),
        T(test_the_manual_is_itself_a_configuration),
        T(test_the_schema_names_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
