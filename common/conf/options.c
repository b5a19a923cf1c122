#include "conf/options.h"

#include <getopt.h>

static int wrongly(const struct conf_program *p)
{
    fprintf(stderr, "Try '%s --help'.\n", p->name);
    return 2;
}

int conf_options(int argc, char **argv, const struct conf_program *p, struct conf_options *out)
{
    enum { CHECK = 256, PRINT, SCHEMA, VERSION, TASK };
    const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "check-config", no_argument, NULL, CHECK },
        { "print-config", no_argument, NULL, PRINT },
        { "print-schema", no_argument, NULL, SCHEMA },
        { "version", no_argument, NULL, VERSION },
        { "help", no_argument, NULL, 'h' },
        { p->task, required_argument, NULL, TASK }, /* without a name it ends the table */
        { 0 },
    };
    char file[64];
    *out = (struct conf_options){ 0 };
    for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            out->config = optarg;
            break;
        case CHECK:
            out->check = true;
            break;
        case PRINT:
            conf_print(stdout, p->root);
            return 0;
        case SCHEMA:
            snprintf(file, sizeof(file), "%s.yaml", p->name);
            conf_schema(stdout, p->root, file);
            return 0;
        case VERSION:
            printf("%s " CS_VERSION "\n", p->name);
            return 0;
        case TASK:
            return p->run(optarg) ? 1 : 0;
        case 'h':
            fputs(p->usage, stdout);
            return 0;
        default:
            return wrongly(p);
        }
    }
    if (!out->config || optind < argc) {
        fprintf(stderr, "%s: --config FILE is needed, and nothing else.\n", p->name);
        return wrongly(p);
    }
    return -1;
}
