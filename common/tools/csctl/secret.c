#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/ct.h"
#include "csctl.h"

enum { LINE = 1024 };

int secret_add_verifier(struct ctl *c, struct secret_options *o, const char *text)
{
    const char *eq = strchr(text, '=');
    if (!eq || eq == text)
        return bad_usage(c, "--verifier wants ALGORITHM=HEX, as in MD5=0123456789abcdef...");
    if (!o->verifiers)
        o->verifiers = json_object();
    json_object_setn_new(o->verifiers, text, (size_t)(eq - text), json_string(eq + 1));
    return EXIT_OK;
}

static bool read_line(FILE *f, char *line)
{
    if (!fgets(line, LINE, f))
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    return line[0] != '\0';
}

static int tty_fd;
static struct termios seen; /* how the terminal was */

/* Ctrl-C at the prompt must not leave a terminal that shows nothing. */
static void on_signal(int signum)
{
    tcsetattr(tty_fd, TCSAFLUSH, &seen);
    raise(signum); /* the handler was for once */
}

/* From the terminal itself, unseen. */
static bool ask(FILE *tty, const char *prompt, char *line)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    struct sigaction restore = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND | SA_NODEFER };
    struct sigaction before[CS_LEN(signals)];
    tty_fd = fileno(tty);
    if (tcgetattr(tty_fd, &seen))
        return false;
    struct termios unseen = seen;
    unseen.c_lflag &= ~(tcflag_t)ECHO;
    for (size_t i = 0; i < CS_LEN(signals); i++)
        sigaction(signals[i], &restore, &before[i]);
    tcsetattr(tty_fd, TCSAFLUSH, &unseen);
    fputs(prompt, tty);
    fflush(tty);
    bool ok = read_line(tty, line);
    tcsetattr(tty_fd, TCSAFLUSH, &seen);
    for (size_t i = 0; i < CS_LEN(signals); i++)
        sigaction(signals[i], &before[i], NULL);
    fputc('\n', tty);
    return ok;
}

static int from_prompt(struct ctl *c, char *line)
{
    char again[LINE];
    FILE *tty = fopen("/dev/tty", "r+");
    if (!tty)
        return bad_usage(c, "there is no terminal to ask on; use --password-file or --generate");
    bool ok = ask(tty, "Password: ", line) && ask(tty, "Again: ", again);
    fclose(tty);
    bool same = ok && strcmp(line, again) == 0;
    ct_wipe(again, sizeof(again));
    if (same)
        return EXIT_OK;
    complain(ok ? "the two passwords differ" : "no password was given");
    return EXIT_REFUSED;
}

static int from_file(const char *name, char *line)
{
    bool standard = strcmp(name, "-") == 0;
    FILE *f = standard ? stdin : fopen(name, "r");
    bool ok = f && read_line(f, line);
    if (f && !standard)
        fclose(f);
    if (ok)
        return EXIT_OK;
    complain("%s: no password in its first line", name);
    return EXIT_REFUSED;
}

int secret_fill(struct ctl *c, struct secret_options *o, json_t *body)
{
    char line[LINE];
    int err = EXIT_OK;
    const int ways = (o->password_file != NULL) + o->prompt + o->generate + o->no_password +
                     (o->verifiers != NULL);
    if (ways > 1)
        err = bad_usage(c, "give one of --password-file, --prompt, --generate, --verifier and "
                           "--no-password");
    else if (o->verifiers)
        json_object_set(body, "verifiers", o->verifiers);
    else if (o->generate)
        json_object_set_new(body, "generate", json_true());
    else if (o->no_password)
        json_object_set_new(body, "no_password", json_true());
    else if (o->password_file)
        err = from_file(o->password_file, line);
    else
        err = from_prompt(c, line);
    if (!err && !o->verifiers && !o->generate && !o->no_password) {
        json_t *password = json_string(line);
        if (!password) {
            complain("the password is not UTF-8");
            err = EXIT_REFUSED;
        }
        json_object_set_new(body, "password", password);
    }
    if (o->allow_weak)
        json_object_set_new(body, "allow_weak", json_true());
    json_decref(o->verifiers);
    o->verifiers = NULL;
    ct_wipe(line, sizeof(line));
    return err;
}
