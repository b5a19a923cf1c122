/* csctl: the operator's hand on authd, over its REST. What its files share. */
#ifndef CS_TOOLS_CSCTL_H
#define CS_TOOLS_CSCTL_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/span.h"
#include "base/util.h"

/* What the process exits with. */
enum exit_code { EXIT_OK = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3 };

/* For https: who vouches for the server (NULL: whom the system trusts), and a certificate of our
 * own with its key (NULL: none). PEM files. */
struct client_tls {
    const char *ca_file, *certificate_file, *key_file;
};

struct ctl {
    const char *command; /* "user add" */
    const char *usage;
    bool json; /* -o json */
    const char *realm;
    bool told_url; /* by --url or CSCTL_URL */
    struct client_tls tls;
    struct client *client;
};

typedef int command_fn(struct ctl *c, int argc, char **argv);

/* ---- usage.c ---- */

/* Says it on stderr with the usage, returns EXIT_USAGE. */
int bad_usage(struct ctl *c, const char *fmt, ...) CS_PRINTF(2, 3);
/* "csctl: ..." on stderr. */
void complain(const char *fmt, ...) CS_PRINTF(1, 2);
/* Takes "10s" or "500ms", more than none and at most an hour. EXIT_OK, or EXIT_USAGE after saying
 * so. */
int take_timeout(struct ctl *c, const char *text, struct duration *out);

/* ---- client.c: authd over HTTP ---- */

struct client;
/* EXIT_OK, or EXIT_USAGE after saying why. token_file may be NULL. */
int client_new(const char *url, const char *token_file, struct client **out);
void client_free(struct client **c);
void client_set_tls(struct client *c, const struct client_tls *tls);
/* From now on it is not complained of when nobody is there. */
void client_set_quiet(struct client *c);
/* Of one call, from now on; a minute if it was not said. */
void client_set_timeout(struct client *c, struct duration d);
/* Sends body (stolen, NULL: none) to a path and query made of fmt, in which %s are escaped. 0 and
 * *status with *out, which the caller owns (NULL: no JSON in it), or EXIT_UNREACHABLE after saying
 * why. */
int client_call(struct client *c, const char *method, json_t *body, unsigned *status, json_t **out,
                const char *fmt, ...);
/* From now on changes are made only to what the last answer showed (If-Match). Negative: it had no
 * ETag. */
int client_if_match(struct client *c);
/* GETs what does not end, and gives each piece to fn until that returns false, or the connection
 * breaks. last_id is sent as Last-Event-ID, "" for none. EXIT_OK after fn said false; EXIT_REFUSED
 * after saying why; EXIT_UNREACHABLE, silently, else: *why is borrowed until the next call. */
int client_follow(struct client *c, const char *path, const char *last_id,
                  bool (*fn)(void *arg, struct span piece), void *arg, const char **why);
/* text, escaped for a URL, into b. */
void client_escape(struct client *c, struct buf *b, const char *text);
/* Tells of an answer that is a refusal on stderr (with -o json its document goes to stdout), and
 * releases it: EXIT_OK, EXIT_REFUSED or EXIT_UNREACHABLE. *out is set for EXIT_OK alone. */
int ctl_answer(struct ctl *c, unsigned status, json_t *answer, json_t **out);
/* The two together. */
int ctl_call(struct ctl *c, const char *method, json_t *body, json_t **out, const char *path,
             const char *arg);
/* The same for a change; where authd wants to be told which state is meant (428), that is the one
 * that GET of shown, a path like path, shows now. */
int ctl_change(struct ctl *c, const char *shown, const char *method, json_t *body, json_t **out,
               const char *path, const char *arg);
/* The text of a problem document, into text. */
const char *problem_text(const json_t *problem, char *text, size_t size);

/* ---- output.c ---- */

void print_json(const json_t *j);
/* What stands under a name as text, "" if nothing does. Arrays are joined by spaces. */
const char *text_of(const json_t *j, const char *name, char *text, size_t size);

struct column {
    const char *title, *member;
};
/* A table of an array of objects: columns end with a NULL title, and are as wide as they must. */
void print_table(const json_t *rows, const struct column *columns);
/* One object, a member a line. */
void print_object(const json_t *j, const struct column *columns);
/* Of one ban. */
extern const struct column ban_columns[];

/* ---- resource.c: what the commands for users, devices, trunks and address sets share ---- */

/* An option, and the bits of the commands that know it. */
struct part_option {
    struct option option;
    unsigned part;
};
/* Takes one option, whose value is optarg. EXIT_OK, or EXIT_USAGE after saying why. */
typedef int take_option_fn(struct ctl *c, int o, void *arg);
/* Gives the options to take, those that parts allows, then wants one operand (what names it, into
 * *operand), or none if what is NULL. EXIT_OK, or EXIT_USAGE after saying why. */
int parse_options(struct ctl *c, int argc, char **argv, const struct part_option *options, size_t n,
                  unsigned parts, take_option_fn *take, void *arg, const char *what,
                  const char **operand);
/* Adds text to the array of that name. */
void append_text(json_t *body, const char *name, const char *text);
/* Shows the answer (stolen, may be NULL) if there was no err, which it returns. */
int print_one(struct ctl *c, int err, json_t *answer, const struct column *columns);
/* All pages of a path as one array, or the first limit of them (0: no limit); the caller's. */
int read_list(struct ctl *c, size_t limit, const char *path, const char *member, json_t **out);
/* Shows them. */
int print_list(struct ctl *c, size_t limit, const char *path, const char *member,
               const struct column *columns);

/* ---- secret.c ---- */

/* Where a password comes from: the options that `user add` and `user passwd` share. */
struct secret_options {
    const char *password_file;
    bool prompt, generate, no_password, allow_weak;
    json_t *verifiers; /* owned */
};
/* Takes "ALG=HEX". */
int secret_add_verifier(struct ctl *c, struct secret_options *o, const char *text);
/* Puts password, verifiers, generate or no_password into body. EXIT_OK, EXIT_USAGE or EXIT_REFUSED,
 * said. */
int secret_fill(struct ctl *c, struct secret_options *o, json_t *body);

/* ---- rows.c: the lines of a file to import ---- */

struct rows;
enum rows_format { ROWS_GUESS, ROWS_CSV, ROWS_JSONL };
/* NULL after saying why. name is what messages call it. */
struct rows *rows_open(FILE *f, const char *name, enum rows_format format);
void rows_free(struct rows **r);
/* The next user as POST /v1/users wants it, owned by the caller. 1: *user is set; 0: the end; -1:
 * this line is bad, *why says so. *line is its number, from 1. */
int rows_next(struct rows *r, json_t **user, unsigned long *line, const char **why);

/* ---- the commands ---- */
command_fn user_add, user_show, user_list, user_passwd, user_disable, user_enable, user_change,
    user_rm, user_import;
command_fn revoke_token, revoke_user, revoke_certificate, revoke_device, revoke_list, revoke_lift;
command_fn exchange, turn;
command_fn ticket_add;
command_fn ban_list, ban_add, ban_lift;
command_fn trunk_add, trunk_show, trunk_list, trunk_change, trunk_passwd, trunk_rm, reseal,
    trunk_test;
command_fn set_add, set_show, set_list, set_change, set_rm;
command_fn device_add, device_show, device_list, device_set, device_rm, device_token, device_state,
    device_restart;
command_fn certificate_list, sccp_messages, check_data;
command_fn bindings, explain, calls, clients, census, health, realms, watch, trace, token_make,
    route;
command_fn ca_init, ca_issue, ca_revoke, ca_crl_again, ca_list, trust_init, trust_list;

#endif
