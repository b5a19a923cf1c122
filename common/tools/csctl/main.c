/* csctl: the operator's hand on authd. It knows an operator's token, which it reads from a file,
 * and sends it to the one address it is given; it changes nothing but what it is told to. Passwords
 * come from a prompt, a file or authd's generator and never stand on the command line. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "csctl.h"
#include "doctor.h"
#include "selftest.h"

#define TRUNK_OPTIONS                                                                              \
    "  --algorithm W        is written as-challenged, always or never\n"                           \
    "  --algorithm-case W   upper or lower\n"                                                      \
    "  --uri W              of the request, as-sent, without-transport, without-parameters\n"      \
    "  --prefer ALG         among several challenges, instead of the strongest; may be repeated\n" \
    "  --certificate NAME   whose client certificates are its own: a domain that they name,\n"     \
    "                       sha256:HEX or spki:HEX; may be repeated\n"                             \
    "  --domain D           whose users may authenticate behind it; may be repeated\n"

#define DEVICE_OPTIONS                                                                             \
    "  --security W         nonsecure; authenticated: only over TLS or WSS; encrypted: and with\n" \
    "                       SRTP alone\n"                                                          \
    "  --line NAME@REALM    a user that speaks through it, of the first realm if none is named;\n" \
    "                       may be repeated, and be a line of other devices, too\n"                \
    "  --pin sha256:HEX     of its certificate, or spki:HEX of its key: no other is its own; "     \
    "may\n"                                                                                        \
    "                       be repeated\n"                                                         \
    "  --note TEXT\n"                                                                              \
    "  --disable            refuse it\n\n"                                                         \
    "Of a desk phone that is set up from here (SCCP):\n"                                           \
    "  --address-set NAME   where its name is proof enough, see csctl address-set\n"               \
    "  --button line:USER[,LABEL], speed-dial:NUMBER[,LABEL], busy-lamp:NUMBER[,LABEL], none\n"    \
    "                       its keys from the first, each with one of these; without any, each\n"  \
    "                       line has one\n"                                                        \
    "  --forward USER,WHEN,NUMBER  where calls of that line go; WHEN is all, busy or no-answer;\n" \
    "                       may be repeated. The phone's own keys change it, too.\n"               \
    "  --dnd W              off, silent or reject: whether calls ring\n"                           \
    "  --model M            7965, for example\n"                                                   \
    "  --softkeys NAME      a template of the b2bua\n"                                             \
    "  --time-zone Z        Europe/Berlin, for example\n"                                          \
    "  --date-format F      D, M and Y with ., / or - between: D.M.Y; with A behind: twelve\n"     \
    "                       hours\n"                                                               \
    "  --locale L           German_Germany, for example\n"                                         \
    "  --certificate FILE   PEM, RSA: its file is encrypted for that, see provisioning.trust\n"    \
    "  --protocol P         sip: it registers by itself, by a password that is made for its "      \
    "file\n"

static const struct command {
    const char *name;
    command_fn *fn;
    const char *usage; /* its operands */
    const char *brief;
    const char *help;
} commands[] = {
    { "user add", user_add, "NAME [options]", "create a user",
      "  --realm R            the realm; the first configured one if not given\n"
      "  --generate           let authd make a password and print it (the default)\n"
      "  --prompt             ask for the password\n"
      "  --password-file F    first line of F; - is standard input\n"
      "  --verifier ALG=HEX   HA1 instead of a password; may be repeated\n"
      "  --no-password        none: tokens, tickets and certificates alone prove who it is\n"
      "  --allow-weak         take a weak password; that is logged\n"
      "  --aor SIP-URI        address of record, sip:NAME@REALM if none; may be repeated\n"
      "  --display-name TEXT\n"
      "  --max-contacts N     bindings for each AOR; 0 is the peer group's limit\n"
      "  --max-calls N        calls at once; 0 is calls.user.at_once of the configuration\n"
      "  --disabled           not yet enabled\n" },
    { "user show", user_show, "NAME [--realm R]", "print one user", "" },
    { "user list", user_list, "[--realm R] [--limit N] [--after NAME@REALM]", "list users",
      "  --limit N            stop after N users\n"
      "  --after NAME@REALM   begin behind this one\n" },
    { "user passwd", user_passwd, "NAME [options]", "change a password",
      "  --prompt             ask for it (the default)\n"
      "  --generate           let authd make one and print it\n"
      "  --password-file F    first line of F; - is standard input\n"
      "  --verifier ALG=HEX   HA1 instead of a password; may be repeated\n"
      "  --allow-weak         take a weak password; that is logged\n"
      "  --keep-old-until T   the one before stays good until 2026-12-24, 2026-12-24T06:00:00Z, "
      "or\n"
      "                       for 30d or 12h; csctl census old tells who still uses it\n"
      "  --realm R\n" },
    { "user change", user_change, "NAME [options]", "change what a user may do",
      "  --aor SIP-URI        replaces all addresses of record; may be repeated\n"
      "  --display-name TEXT  \"\" removes it\n"
      "  --max-contacts N\n"
      "  --max-calls N        calls at once; 0 is calls.user.at_once of the configuration\n"
      "  --realm R\n" },
    { "user disable", user_disable, "NAME [--realm R]", "refuse a user from now on", "" },
    { "user enable", user_enable, "NAME [--realm R]", "accept a user again", "" },
    { "user rm", user_rm, "NAME [--realm R]", "remove a user", "" },
    { "user import", user_import, "FILE [options]", "create or update many users",
      "FILE (- is standard input) is CSV with a header line or JSON lines. Columns and members:\n"
      "user, realm, password, md5, sha-256, sha-512-256 (HA1 in hex), aors (separated by spaces),\n"
      "display_name, max_contacts, max_calls, enabled. JSON lines may say what POST /v1/users "
      "takes.\n"
      "Users that are there already and the same are left, others are updated, so that an import\n"
      "can be repeated after it was cut off. Bad lines are named and skipped; then the exit code\n"
      "is 1.\n\n"
      "  --format csv|jsonl   instead of a look at the first line\n"
      "  --keep               leave users that are there, even if they differ\n"
      "  --generate           for lines without a password or verifier; user,realm,password is\n"
      "                       then printed on standard output\n"
      "  --allow-weak         take weak passwords; that is logged\n"
      "  --realm R            for lines that say none\n" },
    { "ticket add", ticket_add, "NAME [--realm R] [--aor SIP-URI]",
      "let one WebSocket speak for a user, without a password",
      "For wss://HOST/?ticket=TICKET, once and soon: for a look at what a user's browser does.\n"
      "Applications ask POST /v1/tickets.\n" },
    { "trunk add", trunk_add, "NAME --target HOST [options]", "provision a trunk",
      "What b2bua may have signed for it: the password stays in authd, sealed.\n\n"
      "  --target HOST        a host that requests go to: name, *.domain, address or network;\n"
      "                       may be repeated\n"
      "  --realm R --user U   what its server challenges with, and who we are there; asks for the\n"
      "                       password\n"
      "  --password-file F    first line of F; - is standard input\n"
      "  --route T            these credentials are for one dial peer\n" TRUNK_OPTIONS },
    { "trunk show", trunk_show, "NAME", "print one trunk", "" },
    { "trunk list", trunk_list, "", "list trunks", "" },
    { "trunk change", trunk_change, "NAME [options]", "change how a trunk is answered",
      "  --target HOST        replaces all targets; may be repeated\n" TRUNK_OPTIONS },
    { "trunk passwd", trunk_passwd, "NAME --realm R --user U [options]",
      "add or change a trunk's password",
      "  --route T            of one dial peer\n"
      "  --prompt             ask for it (the default)\n"
      "  --password-file F    first line of F; - is standard input\n"
      "  --remove             forget these credentials\n" },
    { "trunk rm", trunk_rm, "NAME", "remove a trunk", "" },
    { "trunk test", trunk_test, "NAME [--b2bua URL]", "say what is wrong with a trunk",
      "The b2bua asks each of its targets whether it is there, and sends a request as its calls\n"
      "go: a call to the trunk's test_number, which is given up when it rings, else OPTIONS.\n"
      "Names, ports, certificates, credentials and codecs that are wrong are told in words.\n\n"
      "  --b2bua URL          its http.listen (http://127.0.0.1:8082)\n" },
    { "device add", device_add, "NAME [options]", "create a device: what users speak through",
      "NAME is what its certificate says, SEP001122334455 for example.\n\n" DEVICE_OPTIONS },
    { "device show", device_show, "NAME", "print one device", "" },
    { "device list", device_list, "[--b2bua URL]", "list devices",
      "With what b2bua says of each: away, connected, asking, configuring, registered; left out\n"
      "where none is named and none is here.\n\n"
      "  --b2bua URL          its http.listen (http://127.0.0.1:8082)\n" },
    { "device set", device_set, "NAME [options]", "change a device",
      "Only what is said is changed; --line, --pin, --button and --forward replace all that were\n"
      "there, and an empty text removes what was.\n\n" DEVICE_OPTIONS
      "  --enable             accept it again\n"
      "  --no-lines, --no-pins, --no-buttons, --no-forwards\n" },
    { "device remove", device_rm, "NAME", "remove a device", "" },
    { "device token", device_token, "NAME", "let it fetch its file over HTTPS, once and soon",
      "For a phone that has no certificate: https://B2BUA:6971/TOKEN/NAME.cnf.xml.\n" },
    { "device state", device_state, "[--b2bua URL]", "which desk phones are connected",
      "And how far each has come: connected, asking, configuring, registered.\n\n"
      "  --b2bua URL          its http.listen (http://127.0.0.1:8082)\n" },
    { "device restart", device_restart, "NAME [options]", "have a desk phone register again",
      "  --reset              by starting anew\n"
      "  --b2bua URL          its http.listen (http://127.0.0.1:8082)\n" },
    { "sccp messages", sccp_messages, "[--version N]", "what desk phones and b2bua say by SCCP",
      "Each message with its fields: offset, bytes, name and kind.\n\n"
      "  --version N          as it is laid out at that version, 3 to 22 (22)\n" },
    { "certificate list", certificate_list, "[--limit N]", "client certificates in use",
      "Those that somebody was accepted with, the ones that expire first before others.\n\n"
      "  --limit N            stop after N\n" },
    { "address-set add", set_add, "NAME --network N ... --owner O --renewal DATE --note TEXT",
      "make a set of networks",
      "Peer groups name it (match.address_set, address.address_set). Whatever is changed holds\n"
      "everywhere within a second. Two weeks before the date, and when it has passed, authd warns\n"
      "once a day; nobody is cut off by it.\n\n"
      "  --network N          as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.1; may be repeated\n"
      "  --owner O            who answers for them\n"
      "  --renewal DATE       by when he does so again, as 2027-03-01\n"
      "  --note TEXT          what they are for\n" },
    { "address-set show", set_show, "NAME", "show a set of networks", "" },
    { "address-set list", set_list, "", "list the sets of networks", "" },
    { "address-set change", set_change, "NAME [options]", "change or renew a set of networks",
      "Options as of address-set add. Those of --network replace all that were.\n" },
    { "address-set rm", set_rm, "NAME", "remove a set of networks", "" },
    { "reseal", reseal, "[--status]", "seal everything by the new sealing key",
      "After a new key was put first into seal_key_file of every authd: seals anew what is sealed "
      "by\n"
      "another one, so that the other can be removed. May be repeated and broken off.\n\n"
      "  --status             how far it is; begins nothing\n" },
    { "check", check_data, "[--repair]",
      "is what Redis holds whole, and what to do where it is not",
      "Walks all of it in portions, while all is in use: records that cannot be read, indexes and\n"
      "records that do not fit together, bindings of users who are gone and of registrars that "
      "are\n"
      "away, what is sealed by a key that is not there, what should expire and does not. It "
      "changes\n"
      "nothing. Exit code: 0 nothing to do, 1 something is wrong.\n\n"
      "  --repair             take out index entries that name nothing, and end bindings of users\n"
      "                       who are gone, disabled or may not use the address; nothing else. "
      "That\n"
      "                       stands in the audit log. Exit code 0 also where all was "
      "repaired.\n" },
    { "bindings", bindings, "[USER | AOR] [--realm R]", "what is registered",
      "  --remove             of the USER or AOR: forget these bindings\n" },
    { "revoke token", revoke_token, "--jti X | --sub X | --sid X | --issued-before TIME [options]",
      "refuse tokens, and end what rests on them",
      "Within a second connections are closed, bindings removed, and each further request "
      "refused.\n"
      "TIME is 2026-11-21 or 2026-11-21T06:32:21Z, UTC and by the issuer's clock.\n\n"
      "  --jti X              this token\n"
      "  --sub X              tokens of this subject issued before now; a new sign-in is good\n"
      "  --sid X              all tokens of this session\n"
      "  --issued-before TIME tokens issued before; also beside one of these\n"
      "  --issuer I           one of token_issuers; may be left out where there is one\n"
      "  --until TIME         when it ends; else when the last such token has expired\n"
      "  --reason TEXT        for those who look at the list or a refusal later\n" },
    { "revoke user", revoke_user, "NAME[@REALM] [options]", "end a user's registrations now",
      "  --disable            and refuse the user from now on; else he may register again at once\n"
      "  --realm R            where NAME says none\n"
      "  --reason TEXT\n" },
    { "revoke certificate", revoke_certificate, "SHA256 | --serial S --issuer DN [options]",
      "refuse a certificate, and end what rests on it",
      "SHA256 is of the certificate: openssl x509 -noout -fingerprint -sha256. DN is its issuer "
      "as\n"
      "openssl x509 -noout -issuer -nameopt RFC2253 prints it.\n\n"
      "  --until TIME         when it ends, its notAfter for example; else never\n"
      "  --reason TEXT\n" },
    { "revoke device", revoke_device, "NAME [options]", "refuse a device, and end what rests on it",
      "  --until TIME\n"
      "  --reason TEXT\n" },
    { "revoke list", revoke_list, "", "what is revoked", "" },
    { "revoke lift", revoke_lift, "ID", "accept again what was revoked", "" },
    { "ban list", ban_list, "[ADDRESS]", "who is banned or cooled off",
      "With an ADDRESS only what shuts it out.\n" },
    { "ban add", ban_add, "SOURCE [options]", "ban an address or network",
      "SOURCE is 192.0.2.1, 192.0.2.0/24 or 2001:db8::/64. Within a second no registrar reads\n"
      "anything from there, and what is connected is closed.\n\n"
      "  --for T              as 30s, 10m, 2h or 7d (45m)\n"
      "  --reason TEXT        for those who look at the list later\n"
      "  --port N             only this port of the address\n"
      "  --user NAME@REALM    only refuse this user from there\n" },
    { "ban lift", ban_lift, "ADDRESS | ID", "lift bans",
      "All bans and cool-offs that shut out the ADDRESS, or the one with this ID.\n" },
    { "explain", explain, "[CALL-ID | USER | TRUNK | ADDRESS | DECISION] [--limit N]",
      "the last refusals, why, and what to do",
      "Looks among the last refusals that authd holds in memory. Without an operand: all of them.\n"
      "\n  --limit N            so many, the newest first (20)\n" },
    { "calls", calls, "user:NAME@REALM | tenant:DOMAIN | trunk:NAME",
      "calls that are counted there, in the whole installation",
      "Each by the decision that admitted it, and when it lapses unless its b2bua keeps it.\n" },
    { "clients", clients, "", "what phones answer with, and who keeps MD5 alive",
      "Rows of kind pattern are the User-Agent patterns in authd's configuration that narrow a\n"
      "challenge to one algorithm; of kind product, clients that authenticated. Counted since\n"
      "authd started; what was seen longest ago makes room.\n" },
    { "census", census, "md5 | old | former [--realm R]", "whom a migration has not reached yet",
      "md5     who has no verifier but MD5, or answered with MD5 last, within 30 days\n"
      "old     whose password was replaced, with the one before kept for a while\n"
      "former  who has verifiers of a realm's former name only\n" },
    { "realms", realms, "", "algorithms offered, and who lacks which", "" },
    { "ca init", ca_init, "DIR [options]", "begin a certificate authority for devices and trunks",
      "Its key never leaves DIR; whoever has it can be every device.\n\n"
      "  --name TEXT          what its certificate is called\n"
      "  --days N             how long that is good (3650)\n" },
    { "ca issue", ca_issue, "DIR NAME... [options]", "make a certificate",
      "NAME is what the certificate says its owner is: sip:alice@example.com of a user,\n"
      "SEP001122334455 of a device, sip:example.com or a host name of a trunk, an address. It "
      "writes a key beside the\n"
      "certificate, unless the owner made one and sends a request.\n\n"
      "  --days N             how long it is good (90)\n"
      "  --out PREFIX         of the files, PREFIX.crt and PREFIX.key; after the first NAME\n"
      "  --csr FILE           certificate request to take the key from, and nothing else\n"
      "  --renew N            keep what is there if it says these names, is by this authority and\n"
      "                       good for N more days; else put a new key and certificate there\n" },
    { "ca revoke", ca_revoke, "DIR SERIAL | FILE... [--days N]", "take certificates back",
      "Writes DIR/crl.pem, which authd and the registrar read.\n\n"
      "  --days N             how long that list is good (30)\n" },
    { "ca crl", ca_crl_again, "DIR [--days N]", "write the revocation list again", "" },
    { "ca list", ca_list, "DIR", "certificates it made", "" },
    { "trust init", trust_init, "DIR [options]", "begin what Cisco's desk phones believe",
      "Two keys that sign trust lists, sast-1 and sast-2, and one that signs files, tftp; RSA of "
      "2048 bits.\n\n"
      "  --organization O     of their certificates (Countersign)\n"
      "  --unit U             the same (Phones)\n"
      "  --days N             how long those are good (3650)\n" },
    { "trust list", trust_list, "DIR [options]", "write ITLFile.tlv and CTLFile.tlv",
      "For provisioning.trust of b2bua.\n\n"
      "  --server FILE        a certificate that a listener for desk phones shows over TLS; may be "
      "repeated\n"
      "  --https FILE         the same of provisioning.https; its key must be of an elliptic "
      "curve\n"
      "  --signer NAME        sast-2 where the key of sast-1 is lost (sast-1)\n"
      "  --hash sha1|sha512   what is signed (sha1)\n" },
    { "watch", watch, "[options]", "decisions, changes, bans and alarms as they happen",
      "Of the authd at --url; after a break it goes on behind what it has seen, and says when\n"
      "something was lost. It runs until it is stopped.\n\n"
      "  --user U             of this user (NAME or NAME@REALM)\n"
      "  --address A          from this address\n"
      "  --cause C            with this cause, wrong_response for example\n"
      "  --decisions          only these; so do the next three\n"
      "  --changes\n"
      "  --bans\n"
      "  --alarms\n"
      "  --limit N            end after N of them\n" },
    { "trace", trace, "--user U | --call-id C | --source A | --all [options]",
      "SIP messages of a user, a call or a source as they come and go",
      "A ladder of who said what to whom, in the whole installation, with what authd decided "
      "beside\n"
      "it. A call is shown with all its legs. Secrets are masked where they are seen: "
      "credentials,\n"
      "tokens, keys of media, passwords in URIs, and what people wrote or dialled in a call. "
      "Wants\n"
      "the role operate, and stands in the audit log. Ctrl-C ends it.\n\n"
      "  --user U             NAME, NAME@REALM, or an address of record or number\n"
      "  --call-id C          of any leg\n"
      "  --source A           an IP address\n"
      "  --all                everything, for what --rate allows\n"
      "  --seconds N          for so long (60; at most 3600)\n"
      "  --rate N             messages a second of each process (100); more are dropped, and "
      "counted\n"
      "  --messages           the messages themselves, too (-o json has them always)\n" },
    { "exchange", exchange, "--token-file F", "a name and password for a token",
      "F holds the token of an issuer, not an operator's. For phones that know only digest: what "
      "it\n"
      "prints is good for what the token is good for, until that ends or is revoked. Who "
      "exchanges\n"
      "the same token again gets another password for the same name.\n" },
    { "turn", turn, "--token-file F", "credentials of the TURN server for a token",
      "F holds the token of an issuer, not an operator's.\n" },
    { "token make", token_make, "[NAME] --role read|operate|administer", "make an operator's token",
      "Prints a token, and the line for the file that authd's http.tokens_file names; authd is\n"
      "not asked. Of the token the line holds the hash only: keep it now. NAME is whom the audit\n"
      "log tells of; the role if not given.\n" },
    { "health", health, "[URL | SOCKET] [--live]", "is a daemon alive and ready",
      "Asks authd's REST, or the daemon at this URL (http://127.0.0.1:8081 is a registrar's), or\n"
      "authd at its socket, for containers and monitors. Exit code: 0 it is, 1 it is not or does\n"
      "not answer, 2 wrong usage.\n\n"
      "  --live               alive is enough; what it depends on may be away\n" },
    { "doctor", doctor, "[options]", "what is wrong with this installation",
      "Looks at the daemons of this machine, their configuration, files, users and limits, their\n"
      "addresses as phones see them, Redis and authd, and says of each finding what to do. It\n"
      "changes nothing. As root it sees most. Exit code: 0 nothing to do, 1 there is a fault or a\n"
      "warning, 2 wrong usage. Notes count for nothing.\n\n"
      "  --registrar FILE     /etc/countersign/registrar.yaml, if it is there\n"
      "  --authd FILE         /etc/countersign/authd.yaml, if it is there\n"
      "  --lan                phones are in the private network that is advertised\n"
      "  --redis-user U       who may ask Redis how it is set up; a daemon's user if not given\n"
      "  --redis-password-file F\n"
      "  --timeout T          of one question (2s)\n" },
    { "lint", lint, "FILE...", "what is wrong with these configurations, and between them",
      "Takes registrar.yaml, authd.yaml and b2bua.yaml, or some of them, and says what their "
      "daemons\n"
      "would refuse, what does not fit together, and what had better be otherwise: each with its\n"
      "file, line and remedy.\n"
      "Nothing is asked but the files. Exit code: 0 nothing to do, 1 there is a fault or a "
      "warning,\n"
      "2 wrong usage. Notes count for nothing.\n\n"
      "  --registrar FILE     is the registrar's, whatever it is called\n"
      "  --authd FILE         is authd's\n"
      "  --b2bua FILE         is b2bua's\n" },
    { "route", route, "CONTEXT DIGITS [options]", "where the dial plan leads a number, and why",
      "Says which entries match and how exactly, what becomes of both numbers by which rule, and\n"
      "which candidates are tried in which order. DIGITS may be a name, too. Nothing is asked but\n"
      "the file's section dialplan. Exit code: 0 the call is offered to somebody, 1 it is not, 2\n"
      "wrong usage.\n\n"
      "  --config FILE        /etc/countersign/b2bua.yaml if not given\n"
      "  --caller NUMBER      who calls; nobody who tells if not given\n"
      "  --at TIME            2026-12-24T18:00:00Z; now if not given\n"
      "  --all                entries that do not match, too (-o json has them always)\n" },
    { "selftest", selftest, "--sip ADDR --domain D --user U --password-file F ... [options]",
      "try everything out as two phones",
      "Two phones register, are refused where they must be, call each other and hang up; nothing\n"
      "is left behind. Give two users of the domain that have no phones. Exit code 1 when a step\n"
      "failed, 3 when the registrar does not answer.\n\n"
      "  --sip [udp:|tcp:|tls:]HOST[:PORT] | ws[s]://HOST[:PORT][/PATH]\n"
      "                       the registrar, over UDP unless said; the second time it is given\n"
      "                       it is for the second phone\n"
      "  --echo NUMBER        a number that says what it hears, *43: tried with SRTP\n"
      "  --sccp HOST[:PORT]   where desk phones register, in the clear, and\n"
      "  --device NAME        as which csctl device; calls the first phone, and is called\n"
      "  --sip-cacert F       who vouches for the registrar's certificate, over TLS and WSS\n"
      "  --transport udp|tcp  the same address over this transport, for the second phone\n"
      "  --domain D           of the users\n"
      "  --user U             given twice\n"
      "  --password-file F    given twice, in the order of the users\n"
      "  --suite              also sends the messages of RFC 4475 and RFC 5118, over TCP or TLS, "
      "and\n"
      "                       forged credentials; some servers ban who does that\n"
      "  --report F           writes what was tried, by which rule, and what was seen: Markdown\n"
      "  --timeout T          of each step (10s)\n" },
};

static const char global_help[] =
    "Options of all commands:\n"
    "  --url URL            of authd's REST (CSCTL_URL; http://127.0.0.1:8080)\n"
    "  --token-file F       holds an operator's token (CSCTL_TOKEN_FILE)\n"
    "  --cacert F           who vouches for authd, with https (CSCTL_CACERT); whom the system\n"
    "                       trusts if not given\n"
    "  --cert F --key F     our own certificate, if authd wants one (CSCTL_CERT, CSCTL_KEY)\n"
    "  -o table|json        how to print; table if not given\n"
    "  -h, --help\n\n"
    "Exit code: 0 done, 1 refused, 2 wrong usage, 3 authd or its store not reachable.\n";

static void print_overview(FILE *f)
{
    fputs("Usage: csctl COMMAND [operands and options]\n\n", f);
    for (size_t i = 0; i < CS_LEN(commands); i++)
        fprintf(f, "  %-18s %s\n", commands[i].name, commands[i].brief);
    fprintf(f, "\ncsctl COMMAND --help tells more of each.\n\n%s", global_help);
}

static void print_help(const struct command *cmd)
{
    printf("Usage: csctl %s %s\n\ncsctl %s: %s.\n\n", cmd->name, cmd->usage, cmd->name, cmd->brief);
    if (*cmd->help)
        printf("%s\n", cmd->help);
    fputs(global_help, stdout);
}

/* The command whose words are the first that are no options; they are taken out of argv. Words are
 * looked for, not options understood: an option's value counts as one too. */
static const struct command *take_command(int *argc, char **argv)
{
    char two[64];
    for (int i = 1; i < *argc; i++) {
        for (size_t k = 0; k < CS_LEN(commands); k++) {
            int words = strchr(commands[k].name, ' ') ? 2 : 1;
            if (i + words > *argc)
                continue;
            snprintf(two, sizeof(two), "%s%s%s", argv[i], words == 2 ? " " : "",
                     words == 2 ? argv[i + 1] : "");
            if (strcmp(two, commands[k].name))
                continue;
            memmove(argv + i, argv + i + words, (size_t)(*argc - i - words + 1) * sizeof(*argv));
            *argc -= words;
            return &commands[k];
        }
    }
    return NULL;
}

/* "user", of "user add" */
static bool begins_a_command(const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i < CS_LEN(commands); i++) {
        if (strncmp(commands[i].name, word, n) == 0 && commands[i].name[n] == ' ')
            return true;
    }
    return false;
}

/* Names what stands where a command should; EXIT_USAGE. */
static int no_command(char **argv)
{
    while (*++argv && **argv == '-')
        ;
    if (!*argv) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    const bool two = begins_a_command(*argv) && argv[1] && *argv[1] != '-';
    complain("there is no command \"%s%s%s\"; see csctl --help", *argv, two ? " " : "",
             two ? argv[1] : "");
    return EXIT_USAGE;
}

/* Options that all commands share, and the variable that stands in for each. */
enum { URL, TOKEN_FILE, CACERT, CERT, KEY, OUTPUT, GLOBALS };
static const struct {
    const char *name, *variable;
} globals[GLOBALS] = {
    [URL] = { "--url", "CSCTL_URL" },
    [TOKEN_FILE] = { "--token-file", "CSCTL_TOKEN_FILE" },
    [CACERT] = { "--cacert", "CSCTL_CACERT" },
    [CERT] = { "--cert", "CSCTL_CERT" },
    [KEY] = { "--key", "CSCTL_KEY" },
    [OUTPUT] = { "--output", NULL },
};

/* The value of the global option at argv[*i], NULL if it is none; *k says which. */
static const char *take_global(int argc, char **argv, int *i, size_t *k)
{
    if (strcmp(argv[*i], "-o") == 0 || strncmp(argv[*i], "-o=", 3) == 0) {
        *k = OUTPUT;
        return argv[*i][2] ? argv[*i] + 3 : *i + 1 < argc ? argv[++*i] : "";
    }
    for (*k = 0; *k < GLOBALS; ++*k) {
        size_t n = strlen(globals[*k].name);
        if (strncmp(argv[*i], globals[*k].name, n))
            continue;
        if (argv[*i][n] == '=')
            return argv[*i] + n + 1;
        if (argv[*i][n] == '\0')
            return *i + 1 < argc ? argv[++*i] : "";
    }
    return NULL;
}

/* Takes them out of argv; EXIT_OK or EXIT_USAGE. */
static int take_globals(struct ctl *c, int *argc, char **argv, const char *value[GLOBALS],
                        bool *help)
{
    int kept = 1;
    for (size_t k = 0; k < GLOBALS; k++) {
        const char *set = globals[k].variable ? getenv(globals[k].variable) : NULL;
        value[k] = set && *set ? set : NULL;
    }
    for (int i = 1; i < *argc; i++) {
        size_t k;
        const char *name = argv[i];
        if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0) {
            *help = true;
            continue;
        }
        const char *v = take_global(*argc, argv, &i, &k);
        if (v && !*v)
            return bad_usage(c, "%s wants a value", name);
        if (v)
            value[k] = v;
        else
            argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    *argc = kept;
    c->json = value[OUTPUT] && strcmp(value[OUTPUT], "json") == 0;
    if (value[OUTPUT] && !c->json && strcmp(value[OUTPUT], "table"))
        return bad_usage(c, "-o is table or json, not \"%s\"", value[OUTPUT]);
    return EXIT_OK;
}

int main(int argc, char **argv)
{
    struct ctl c = { .command = "", .usage = "COMMAND [operands and options]" };
    const char *value[GLOBALS];
    bool help = false;
    int err = take_globals(&c, &argc, argv, value, &help);
    if (err)
        return err;
    const struct command *cmd = take_command(&argc, argv);
    if (!cmd && !help)
        return no_command(argv);
    if (!cmd) {
        print_overview(stdout);
        return EXIT_OK;
    }
    c.command = cmd->name;
    c.usage = cmd->usage;
    if (help) {
        print_help(cmd);
        return EXIT_OK;
    }
    c.told_url = value[URL] != NULL;
    c.tls = (struct client_tls){ value[CACERT], value[CERT], value[KEY] };
    err =
        client_new(c.told_url ? value[URL] : "http://127.0.0.1:8080", value[TOKEN_FILE], &c.client);
    if (!err)
        client_set_tls(c.client, &c.tls);
    if (!err)
        err = cmd->fn(&c, argc, argv);
    client_free(&c.client);
    if (fflush(stdout) || ferror(stdout)) {
        complain("standard output is not writable");
        err = err ? err : EXIT_REFUSED;
    }
    return err;
}
