#include "authd/audit/cause.h"

#include "base/util.h"

#define ROW(id, name, text, remedy) \
    [CAUSE(id)] = { SPAN_INIT(name), SPAN_INIT(text), SPAN_INIT(remedy) }

static const struct {
    struct span name, text, remedy;
} causes[] = {
    ROW(CAUSE_NONE, "none", "No cause was given.", ""),
    ROW(OK, "ok", "The request proved what its group asks for.", ""),
    ROW(NO_CREDENTIALS, "no_credentials",
        "The request showed no credentials, so it was challenged.",
        "Nothing, if the next request brings them. Else set user name and password in the phone."),
    ROW(NO_PEER_GROUP, "no_peer_group",
        "No peer group matches the listener, transport, source and domain of the request.",
        "Compare these facts with the match sections of peer_groups in authd's configuration."),
    ROW(NONCE_FORGED, "nonce_forged",
        "The nonce was not made by this installation, or for another realm.",
        "Give every authd the same nonce_key_file. After a lost key one round of this is normal."),
    ROW(NONCE_STALE, "nonce_stale",
        "The password is right, the nonce is older than nonce_lifetime; a new one was sent.",
        "Nothing: the phone repeats by itself. A phone that does not ignores stale=true."),
    ROW(NC_REPLAYED, "nc_replayed",
        "The password is right, but this nonce count was used before; a new nonce was sent.",
        "Nothing, for a retransmission through another path. Often repeated, somebody replays "
        "captured requests, or the phone does not count."),
    ROW(NC_INVALID, "nc_invalid", "The nonce count is missing, zero or not hexadecimal.",
        "Update the phone's firmware."),
    ROW(URI_MISMATCH, "uri_mismatch",
        "The uri of the credentials is not the address the request is for.",
        "Look for a proxy or ALG between that rewrites requests, and switch it off; if it is "
        "yours, "
        "set digest.uri to lenient."),
    ROW(WRONG_REALM, "wrong_realm",
        "The request showed credentials for another realm only, so it was challenged.",
        "Set the phone's realm to the group's, or let it take the realm of the challenge."),
    ROW(UNKNOWN_USER, "unknown_user", "The realm has no user of this name.",
        "Look at the phone's authentication name (often not its extension), or add the user."),
    ROW(USER_DISABLED, "user_disabled", "The user is disabled.",
        "Enable it again with csctl user enable, if it should register."),
    ROW(NO_CREDENTIALS_CONFIGURED, "no_credentials_configured", "The user has no verifier at all.",
        "Set a password with csctl user passwd; a user without one shows its token, ticket or "
        "certificate."),
    ROW(NO_VERIFIER_FOR_ALGORITHM, "no_verifier_for_algorithm",
        "The user has no verifier for the algorithm the phone chose.",
        "Set the password again with csctl user passwd: that leaves one for each algorithm."),
    ROW(ALGORITHM_NOT_ALLOWED, "algorithm_not_allowed",
        "The phone answered with an algorithm its group does not allow.",
        "Add it to digest.algorithms of the group, or update the phone."),
    ROW(USERHASH_NOT_OFFERED, "userhash_not_offered",
        "The credentials hide the user name behind a hash (userhash), which was not offered.",
        "Switch userhash off in the phone: RFC 7616 has it only where a challenge asks for it; TLS "
        "hides names, and all else."),
    ROW(QOP_NOT_ALLOWED, "qop_not_allowed",
        "The phone answered without qop, or with one its group does not allow.",
        "Update the phone; if it cannot do better, add none to digest.qop of its group."),
    ROW(WRONG_RESPONSE, "wrong_response", "The password is wrong.",
        "Set the password in the phone again; mind the authentication name and the realm, which "
        "are hashed with it."),
    ROW(CREDENTIALS_MALFORMED, "credentials_malformed",
        "The credentials cannot be read or say a parameter twice.",
        "Update the phone's firmware, or look for an ALG between that rewrites requests."),
    ROW(BASIC_REFUSED, "basic_refused",
        "The request showed its password in clear (Basic), which is never accepted.",
        "Set the phone to digest, and change the password: it was readable on the way."),
    ROW(AOR_NOT_ALLOWED, "aor_not_allowed",
        "The password is right, but the user may not register this address.",
        "Add the address to the user's with csctl, or correct the user part in the phone."),
    ROW(FROM_NOT_ALLOWED, "from_not_allowed",
        "The password is right, but the user may not be From this address.",
        "Correct the From address in the phone, or add the address to the user's."),
    ROW(TOO_MANY_ATTEMPTS, "too_many_attempts",
        "Too many failed attempts from this source; the field because names the last fault.",
        "Correct the phone's password. If csctl ban list names user and source, wait until then, "
        "or csctl ban lift it; else it is forgotten after digest.attempt_window."),
    ROW(METHOD_NOT_ALLOWED, "method_not_allowed",
        "The group cannot prove who registers, so it may not register.",
        "Add digest to require.any_of of the group, or let the peer come in by another group."),
    ROW(UNLISTED_METHOD, "unlisted_method",
        "The method is not listed in the group, which lets such ones pass.", ""),
    ROW(ADDRESS_ACCEPTED, "address_accepted", "The source address is proof enough in its group.",
        ""),
    ROW(ADDRESS_NOT_ALLOWED, "address_not_allowed", "The source address is not allowed.",
        "If it is the peer's: csctl address-set change NAME --network, with all of them, or "
        "address of "
        "the group. If not, somebody else has the peer's name."),
    ROW(TOKEN_ON_CLEAR_TRANSPORT, "token_on_clear_transport",
        "A bearer token came over a transport that others can read.",
        "Let the client use TLS or WSS, and withdraw the token: it was readable on the way."),
    ROW(TOKEN_INVALID, "token_invalid",
        "The bearer token is malformed, of a kind that is not taken, or its group takes none.",
        "Look at what the client sends: one signed JWT (typ JWT or at+jwt) with exp and iat, to a "
        "group that requires token."),
    ROW(TOKEN_EXPIRED, "token_expired", "The bearer token has expired.",
        "Let the client fetch a new one, before the old one ends. If it just did, compare clocks."),
    ROW(SCOPE_MISSING, "scope_missing", "The bearer token does not cover this method.",
        "Grant the scope at the issuer."),
    ROW(SAN_UNMATCHED, "san_unmatched", "The certificate names nobody we know.",
        "Compare its names with the addresses of the user, the names and pins of devices (csctl "
        "device "
        "list), and the certificates of trunks."),
    ROW(BANNED, "banned", "The source is banned; csctl ban list says why and until when.",
        "Correct what it does, then csctl ban lift ADDRESS, or wait until it expires."),
    ROW(STORE_UNAVAILABLE, "store_unavailable", "Redis did not answer, so nothing was decided.",
        "Look at Redis and at authd's log."),
    ROW(OVERLOADED, "overloaded", "More questions were open than limits.checks.",
        "Look at what floods the fronts, and at Redis; add an authd."),
    ROW(TOO_MANY_CONTACTS, "too_many_contacts", "The address has as many contacts as it may.",
        "Raise the user's max_contacts, or remove stale bindings."),
    ROW(REVOKED, "revoked", "The user was changed while the request was judged.",
        "Nothing: the phone tries again, and is judged by what stands then."),
    ROW(NONCE_ELSEWHERE, "nonce_elsewhere",
        "The nonce was made for another address, and wrong credentials came from this one without "
        "a sign that it is theirs; a new nonce was sent.",
        "Nothing: the phone repeats by itself. Often repeated, its address changes with each "
        "request: look at the NAT before it."),
    ROW(UNJUDGED, "unjudged",
        "Of a call that was authenticated; passed while authd was away or could not judge.",
        "Look why authd or Redis was away."),
    ROW(REDIS_GRACE, "redis_grace",
        "A call passed on what was remembered of its caller when Redis was lost (redis_grace).",
        "Look why Redis was away; until redis_grace is over, what was changed since is not heard "
        "of."),
    ROW(TOKEN_NOT_YET_VALID, "token_not_yet_valid",
        "The bearer token is of the future (nbf or iat).",
        "Compare the issuer's clock with this one; the issuer's leeway is what they may differ."),
    ROW(TOKEN_ISSUER_UNKNOWN, "token_issuer_unknown",
        "The bearer token is of an issuer that the group does not take (iss).",
        "Compare its iss, byte for byte, with token_issuers and token.issuers of the group."),
    ROW(TOKEN_AUDIENCE, "token_audience", "The bearer token is meant for somebody else (aud).",
        "Let the client ask for a token for one of the issuer's audiences, or add its aud there."),
    ROW(TOKEN_LIFETIME, "token_lifetime",
        "The bearer token lives shorter or longer than its issuer's lifetime allows.",
        "Change the lifetime at the issuer, or lifetime of the issuer in the configuration."),
    ROW(TOKEN_ALGORITHM, "token_algorithm",
        "The bearer token names an algorithm that is not taken, or that its key does not do.",
        "Add it to algorithms of the issuer, if it is one of those. None and HS256 never are: "
        "then somebody is forging tokens."),
    ROW(TOKEN_KEY_UNKNOWN, "token_key_unknown",
        "The bearer token is signed with a key that the issuer does not publish, or no longer.",
        "Let the client fetch a new token. If it is new, look whether keys.url is the issuer's."),
    ROW(TOKEN_SIGNATURE, "token_signature", "The signature of the bearer token is wrong.",
        "Somebody changed or forged it; or the issuer uses one kid for two keys."),
    ROW(TOKEN_IDENTITY, "token_identity",
        "The bearer token does not say whose address it proves, or one of another domain.",
        "Compare its claims with identity of the issuer."),
    ROW(TOKEN_CONTEXT, "token_context",
        "The user did not sign in at the issuer as strongly as is asked for (acr, amr).",
        "Let the issuer ask for it (acr_values, MFA), or compare with acr and amr of the issuer."),
    ROW(TOKEN_NOT_BOUND, "token_not_bound",
        "The bearer token is bound to a client certificate (cnf) that was not shown.",
        "Let the client connect with the certificate it fetched the token with; if it did, the "
        "token was stolen."),
    ROW(TOKEN_INACTIVE, "token_inactive", "The issuer says that the bearer token holds no longer.",
        "Nothing, if it was revoked or the user signed out; the client needs a new one."),
    ROW(ISSUER_UNAVAILABLE, "issuer_unavailable",
        "The issuer's keys or its answer could not be had, so nothing was decided.",
        "Look at the issuer, at its address and ca_file, and at authd's log."),
    ROW(SIGNER_NOT_ALLOWED, "signer_not_allowed",
        "A process that is not a b2bua, or not one of listen.signers, asked for a signature.",
        "If it should be one, add its user to listen.signers of authd.yaml, and restart authd; "
        "else look at what runs there."),
    ROW(TRUNK_UNKNOWN, "trunk_unknown", "A challenge was to be answered for an unknown trunk.",
        "Compare the name in the b2bua's configuration with csctl trunk list."),
    ROW(TRUNK_REALM_UNKNOWN, "trunk_realm_unknown",
        "The challenge is of a realm, or for a user, that the trunk has no credentials for.",
        "If the realm is the provider's own: csctl trunk passwd TRUNK --realm REALM --user USER. "
        "If not, somebody wants to know the password."),
    ROW(TRUNK_URI_REFUSED, "trunk_uri_refused",
        "The host of the Request-URI is none of the trunk's targets, or the request is not SIP.",
        "If the host is the provider's: csctl trunk change TRUNK --target HOST, all of them."),
    ROW(CHALLENGE_UNANSWERABLE, "challenge_unanswerable",
        "No challenge can be answered: Basic, malformed, or an unknown algorithm or qop.",
        "Ask the provider for digest with MD5, SHA-256 or SHA-512-256 and qop auth or auth-int."),
    ROW(CERTIFICATE_MISSING, "certificate_missing",
        "The connection showed no client certificate, which its group asks for.",
        "Give the phone or trunk a certificate (csctl ca issue), and let the listener ask for "
        "one."),
    ROW(CERTIFICATE_EXPIRED, "certificate_expired",
        "The client certificate has expired, perhaps since the connection began, or is of the "
        "future.",
        "Give it a new certificate. If it is new, compare the clocks."),
    ROW(CERTIFICATE_REVOKED, "certificate_revoked",
        "The client certificate was revoked, by its authority or here.",
        "If that was a mistake, issue a new one; what an authority revoked stays so."),
    ROW(CERTIFICATE_ISSUER, "certificate_issuer",
        "The client certificate is of no authority that its group takes.",
        "Compare its issuer with certificate_authorities; an authority between has to be in "
        "ca_file, too."),
    ROW(CERTIFICATE_LIST_STALE, "certificate_list_stale",
        "The authority's list of revoked certificates is too old to say whether this one stands.",
        "Fetch the new list to crl_file (csctl ca crl makes one), or set stale: warn."),
    ROW(CERTIFICATE_OTHER, "certificate_other",
        "The password or token is right, but is not of whom the client certificate says it is.",
        "Add the user to the device's lines or its domain to the trunk's domains; if neither is "
        "right, somebody uses another's password."),
    ROW(DEVICE_DISABLED, "device_disabled", "The device is disabled.",
        "csctl device set NAME --enable, if it should not be."),
    ROW(DEVICE_ON_CLEAR_TRANSPORT, "device_on_clear_transport",
        "The device's security asks for TLS, WSS or SCCPS, and it came without.",
        "Let the phone register over TLS, or set its security to nonsecure."),
    ROW(MEDIA_NOT_ENCRYPTED, "media_not_encrypted",
        "The device has to encrypt its media, and what it offered may be in clear; the answer was "
        "488.",
        "Switch SRTP on in the phone, and its fallback to RTP off; or set the device's security to "
        "authenticated."),
    ROW(UNKNOWN_DEVICE, "unknown_device", "There is no device of the name that the phone says.",
        "csctl device add NAME --line USER, if it is yours."),
    ROW(DEVICE_ADDRESS, "device_address",
        "The phone comes from where its name alone is not believed.",
        "If it is the device: csctl device set NAME --address-set SET, and see that the set holds "
        "its address. If not, somebody else says the device's name."),
    ROW(DEVICE_CERTIFICATE, "device_certificate",
        "The phone's certificate is good, but is not that of the device whose name it says.",
        "Compare the certificate with the name and the pins of the device (csctl device show)."),
    ROW(DEVICE_UNPROVEN, "device_unproven",
        "The group asks for what no desk phone shows, digest or a token.",
        "Add a group with match: { transport: [sccp, sccps] } and require device, certificate or "
        "address."),
    ROW(DEVICE_WITHOUT_LINES, "device_without_lines",
        "The device has no line, or none whose user is there, enabled, and has an address.",
        "csctl device show NAME lists its lines; csctl user show each of them."),
    ROW(PASSWORD_IN_CLEAR, "password_in_clear",
        "The phone's file says a password, and was to be given where others can read it, or over "
        "TFTP, where anybody may ask.",
        "Let it fetch over HTTPS, by certificate or token, or put its certificate on record and "
        "let "
        "it fetch the encrypted file; or set insecure_provisioning, where nobody else can listen."),
    ROW(DEVICE_NOT_ASKED_BY_B2BUA, "device_not_asked_by_b2bua",
        "A process that is not a b2bua, or not one of listen.signers, asked for a desk phone.",
        "If it should be one, add its user to listen.signers of authd.yaml, and restart authd; "
        "else look at what runs there."),
    ROW(SIGNED_TOO_OFTEN, "signed_too_often",
        "More signatures were asked for than limits.signatures allows one trunk in a second.",
        "Look at what calls so often; if it is meant to be, raise limits.signatures."),
    ROW(TOKEN_REVOKED, "token_revoked", "The bearer token, or all like it, was revoked.",
        "The field revoked says by whom and why. A new sign-in gives a new token; if it was a "
        "mistake, csctl revoke lift."),
    ROW(DEVICE_REVOKED, "device_revoked", "The device was revoked.",
        "The field revoked says by whom and why; if it is found again, csctl revoke lift."),
    ROW(VERIFIER_OF_FORMER_REALM, "verifier_of_former_realm",
        "The user has verifiers (HA1) of the realm's former name only, which do not fit the new "
        "one that was answered for, or are good no more.",
        "Set the password again with csctl user passwd, in the new realm; or move until of "
        "formerly."),
    ROW(BACKEND_UNAVAILABLE, "backend_unavailable",
        "The external service that knows the group's users gave no answer, or none that can be "
        "understood, so nothing was decided.",
        "Look at that service, at backends in authd's configuration, and at authd's log."),
    ROW(CREDENTIALS_PASSED, "credentials_passed",
        "The group leaves asking who it is to the other side (mode: pass-through).", ""),
    ROW(COUNTRY_NOT_ALLOWED, "country_not_allowed",
        "The source is in a country that its group does not let in, or in none that is known.",
        "If the peer is to be let in: countries of the group, or a group of its own before it. "
        "Where "
        "the database is wrong: geo.exempt."),
    ROW(CONTACT_UNREACHABLE, "contact_unreachable",
        "Who was called is registered, but none of its contacts can be reached.",
        "Nothing, if the phone just lost its connection: it registers again by itself. Else look "
        "at "
        "csctl bindings, and at the registrar that has the connection."),
    ROW(TRUNK_POLICY, "trunk_policy",
        "The trunk is who it says it is, but b2bua does not take this from it.",
        "If it is to be taken: refer, notify, subscribe or replaces of that trunk in b2bua.yaml."),
    ROW(REPLACES_REFUSED, "replaces_refused",
        "Who wants to take a place in a call is not the user whose place it is.",
        "Nothing: a call is taken over by who has it, from another phone of his, or by the trunk "
        "that has it."),
    ROW(TICKET_INVALID, "ticket_invalid",
        "The ticket or one-time token was not made by this installation, was altered, or is "
        "another "
        "device's.",
        "Fetch the ticket from POST /v1/tickets, and hand it on byte for byte. Give every authd "
        "the "
        "same nonce_key_file."),
    ROW(TICKET_EXPIRED, "ticket_expired", "The ticket or one-time token had to be used earlier.",
        "Fetch the ticket right before connecting; tickets.use_within says how long it waits, and "
        "tickets.files the token of a phone."),
    ROW(TICKET_USED, "ticket_used",
        "Another WebSocket has begun with this ticket, or another fetch showed it: it serves once.",
        "Fetch a new ticket for each connection, for the one after a network drop, too. If none of "
        "yours did, somebody has seen the ticket."),
    ROW(TICKET_NOT_TAKEN, "ticket_not_taken",
        "A ticket or one-time token was shown, and the peer group takes none.",
        "Set tickets: true in that group, or connect without a ticket."),
    ROW(CALLS_LIMIT_USER, "calls_limit_user",
        "Who calls has as many calls at once as it may; the answer was 486.",
        "If it is meant to have more: csctl user change USER --max-calls, or calls.user.at_once. "
        "If it "
        "did not make them, change its password: somebody else knows it."),
    ROW(CALLS_LIMIT_TENANT, "calls_limit_tenant",
        "The domain of who calls has as many calls at once as it may; the answer was 486.",
        "Raise at_once in calls.tenants or calls.tenant, if that is what was agreed."),
    ROW(CALLS_LIMIT_TRUNK, "calls_limit_trunk", "The trunk has as many calls at once as it may.",
        "Raise at_once in calls.trunks or calls.trunk, if the provider carries more; or let the "
        "dial plan name another trunk behind it."),
    ROW(CALLS_RATE_USER, "calls_rate_user",
        "Who calls began more calls in a second or a minute than it may; the answer was 486.",
        "Look at what it calls. If it is meant to: per_second and per_minute of calls.user."),
    ROW(CALLS_RATE_TENANT, "calls_rate_tenant",
        "The domain of who calls began more calls in a second or a minute than it may.",
        "Look at who calls there. If it is meant to: per_second and per_minute in calls.tenants or "
        "calls.tenant."),
    ROW(CALLS_RATE_TRUNK, "calls_rate_trunk",
        "More calls were begun by the trunk in a second or a minute than may be.",
        "Raise per_second and per_minute in calls.trunks or calls.trunk, if the provider takes "
        "more."),
    ROW(DESTINATION_FORBIDDEN, "destination_forbidden",
        "A rule says that this number, or its country, is not called.",
        "The field limit names the rule. If the call was meant, change it in calls.destinations; "
        "if not, somebody uses the line for what it is not for: change its password."),
    ROW(DESTINATION_AT_THIS_TIME, "destination_at_this_time",
        "A rule says that this number, or its country, is not called at such hours.",
        "The field limit names the rule in calls.destinations, and that its schedule."),
    ROW(DESTINATION_FIRST_TIME, "destination_first_time",
        "Who calls has not called that country before, and a rule says that it may not by itself.",
        "If it is meant to: a rule before that allows it that country (callers, countries, action: "
        "allow); once it was called, it is known."),
    ROW(DESTINATION_REFUSED, "destination_refused",
        "The webhook that a rule names was asked about the call, and refused it.",
        "Ask whoever runs it; the id of the decision is in what it was asked."),
    ROW(WEBHOOK_UNAVAILABLE, "webhook_unavailable",
        "The webhook that a rule names gave no answer, or none that can be understood, and the "
        "rule says that then there is no call.",
        "Look at that service, at backends in authd's configuration, and at authd's log; or write "
        "unanswered: allow."),
    ROW(TOKEN_DESTINATION, "token_destination",
        "The bearer token names whom it may call (sip_dest), and this is nobody of them.",
        "Let the issuer name them, as they are dialled, or leave the claim out. Who may not call "
        "all may not transfer calls (REFER), either."),
};

struct span cause_name(Countersign__Auth__Cause c)
{
    return (size_t)c < CS_LEN(causes) ? causes[c].name : SPAN("unknown");
}

struct span cause_text(Countersign__Auth__Cause c)
{
    return (size_t)c < CS_LEN(causes) ? causes[c].text : SPAN("");
}

struct span cause_remedy(Countersign__Auth__Cause c)
{
    return (size_t)c < CS_LEN(causes) ? causes[c].remedy : SPAN("");
}
