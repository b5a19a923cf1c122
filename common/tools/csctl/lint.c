/* csctl lint: reads the configurations of an installation as their daemons would, and judges them
 * together. */
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>

#include "doctor.h"

static void count(void *arg, const char *line)
{
    (void)line;
    ++*(unsigned *)arg;
}

static unsigned faults_as(const char *path, const struct conf_section *root)
{
    struct arena a;
    unsigned n = 0;
    arena_init(&a, NULL, 0, 0);
    void *conf = arena_zalloc(&a, root->size);
    if (!conf || (conf_load(path, root, &a, conf, count, &n) && !n))
        n = UINT_MAX;
    arena_fini(&a);
    return n;
}

/* Whose it is: by its name, else by who has less to say against it. */
static enum file file_of(const char *path)
{
    static const struct {
        enum file file;
        const char *name;
        const struct conf_section *root;
    } kinds[] = { { FILE_AUTHD, "authd", &authd_conf_section },
                  { FILE_REGISTRAR, "registrar", &registrar_conf_section },
                  { FILE_B2BUA, "b2bua", &b2bua_conf_section } };
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    enum file best = FILE_AUTHD;
    unsigned least = UINT_MAX;
    for (size_t i = 0; i < CS_LEN(kinds); i++) {
        if (strncmp(name, kinds[i].name, strlen(kinds[i].name)) == 0)
            return kinds[i].file;
    }
    for (size_t i = 0; i < CS_LEN(kinds); i++) {
        unsigned n = faults_as(path, kinds[i].root);
        if (n < least) {
            least = n;
            best = kinds[i].file;
        }
    }
    return best;
}

static int take(struct ctl *c, const char *files[FILE_COUNT], enum file file, const char *path)
{
    if (files[file])
        return bad_usage(c, "%s and %s are both of the same daemon", files[file], path);
    files[file] = path;
    return EXIT_OK;
}

int lint(struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = { { "registrar", required_argument, NULL, 'r' },
                                             { "authd", required_argument, NULL, 'a' },
                                             { "b2bua", required_argument, NULL, 'b' },
                                             { NULL, 0, NULL, 0 } };
    const char *files[FILE_COUNT] = { NULL };
    struct doctor d;
    int o, err = EXIT_OK;
    optind = 0;
    opterr = 0;
    while (!err && (o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == '?')
            err = bad_usage(c, "%s is not an option here, or lacks its value", argv[optind - 1]);
        else
            err = take(c, files,
                       o == 'r'   ? FILE_REGISTRAR
                       : o == 'a' ? FILE_AUTHD
                                  : FILE_B2BUA,
                       optarg);
    }
    for (; !err && optind < argc; optind++)
        err = take(c, files, file_of(argv[optind]), argv[optind]);
    if (!err && !files[FILE_REGISTRAR] && !files[FILE_AUTHD] && !files[FILE_B2BUA])
        err = bad_usage(c, "say at least one file");
    if (err)
        return err;
    doctor_begin(&d, c);
    if (files[FILE_REGISTRAR])
        d.registrar = doctor_load(&d, FILE_REGISTRAR, files[FILE_REGISTRAR]);
    if (files[FILE_AUTHD])
        d.authd = doctor_load(&d, FILE_AUTHD, files[FILE_AUTHD]);
    if (files[FILE_B2BUA])
        d.b2bua = doctor_load(&d, FILE_B2BUA, files[FILE_B2BUA]);
    doctor_files(&d);
    lint_judge(&d);
    return doctor_end(&d);
}
