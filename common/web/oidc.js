// Signing in at an identity provider, from a page that has no secret: OpenID Connect, authorization code with PKCE
// (RFC 7636, RFC 9700). Tokens are kept in memory alone; what has to outlive the way there and back waits in
// sessionStorage until the return, and is of no use to anybody without the code.

const KEY = 'countersign.sign-in';

/** The address of this page, as the provider knows it. */
const here = () => location.origin + location.pathname;

const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** What a JWT says. That it is true is for those to find out to whom it is shown; null: it is none. */
export function claimsOf(jwt) {
    try {
        const bytes = Uint8Array.from(atob(jwt.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
        return JSON.parse(new TextDecoder().decode(bytes));
    } catch {
        return null;
    }
}

async function ask(url, form) {
    let answer;
    try {
        answer = await fetch(url, {
            method: form ? 'POST' : 'GET', cache: 'no-store', credentials: 'omit', redirect: 'error',
            body: form && new URLSearchParams(Object.entries(form).filter(([, v]) => v)),
        });
    } catch {
        throw new Error(`${new URL(url).origin} does not answer this page.`);
    }
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok)
        throw new Error(body.error_description ?? body.error ?? `${new URL(url).origin} answers ${answer.status}.`);
    return body;
}

let found; // of the one provider that a page has

async function discover({ issuer }) {
    const said = found ?? await ask(`${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`);
    if (said.issuer !== issuer)
        throw new Error(`${issuer} says that it is ${said.issuer}.`);
    found = said;
    return said;
}

/** Goes there; place (a fragment, '#/users') is where the page shall be when it is back. */
export async function goToSignIn(provider, place = '') {
    const { authorization_endpoint: endpoint } = await discover(provider);
    const kept = { state: random(), nonce: random(), verifier: random(), place };
    const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(kept.verifier));
    const url = new URL(endpoint);
    const query = {
        response_type: 'code', client_id: provider.client_id, redirect_uri: here(), scope: provider.scope,
        resource: provider.resource, state: kept.state, nonce: kept.nonce, code_challenge_method: 'S256',
        code_challenge: base64url(new Uint8Array(hash)),
        prompt: provider.scope.split(' ').includes('offline_access') ? 'consent' : undefined, // OpenID Connect Core, 11
    };
    for (const [name, value] of Object.entries(query)) {
        if (value)
            url.searchParams.set(name, value);
    }
    sessionStorage.setItem(KEY, JSON.stringify(kept));
    location.assign(url);
}

/** Who signed in: { token, ends (in ms of Date.now()), claims }, which may be renewed, and ended. */
class Session {
    constructor(provider, said) {
        this.provider = provider;
        this.take(said);
    }

    take({ access_token: token, refresh_token: refresh, id_token: identity, expires_in: seconds }) {
        this.token = token;
        this.refresh = refresh ?? this.refresh;
        this.identity = identity ?? this.identity;
        const claims = claimsOf(token);
        this.claims = { ...claimsOf(this.identity ?? ''), ...claims };
        this.ends = seconds ? Date.now() + seconds * 1000 : (claims?.exp ?? 0) * 1000;
    }

    get isRenewable() {
        return Boolean(this.refresh);
    }

    async renew() {
        const { token_endpoint: endpoint } = await discover(this.provider);
        this.take(await ask(endpoint, {
            grant_type: 'refresh_token', refresh_token: this.refresh, client_id: this.provider.client_id,
            resource: this.provider.resource,
        }));
    }

    /** Leaves the page for the provider's sign-out, where there is one; true: it does. */
    async end() {
        const { end_session_endpoint: endpoint, revocation_endpoint: revocation } = await discover(this.provider);
        if (this.refresh && revocation)
            await ask(revocation, { token: this.refresh, client_id: this.provider.client_id }).catch(() => {});
        if (!endpoint)
            return false;
        const url = new URL(endpoint);
        url.searchParams.set('client_id', this.provider.client_id);
        url.searchParams.set('post_logout_redirect_uri', here());
        if (this.identity)
            url.searchParams.set('id_token_hint', this.identity);
        location.assign(url);
        return true;
    }
}

/** On the return: a Session, or null where nobody comes from there. Throws what the provider says. */
export async function returned(provider) {
    const said = new URLSearchParams(location.search);
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    sessionStorage.removeItem(KEY);
    if (!said.has('state') || !(said.has('code') || said.has('error')))
        return null;
    history.replaceState(null, '', here() + (kept?.place ?? '')); // the code serves once; it is nobody's business
    if (!kept || said.get('state') !== kept.state || (said.get('iss') ?? provider.issuer) !== provider.issuer)
        throw new Error('That was not the answer to our question. Sign in again.');
    if (said.has('error'))
        throw new Error(said.get('error_description') ?? said.get('error'));
    const { token_endpoint: endpoint } = await discover(provider);
    const got = await ask(endpoint, {
        grant_type: 'authorization_code', code: said.get('code'), redirect_uri: here(), client_id: provider.client_id,
        code_verifier: kept.verifier, resource: provider.resource,
    });
    if (got.id_token && claimsOf(got.id_token)?.nonce !== kept.nonce)
        throw new Error('That was not the answer to our question. Sign in again.');
    return new Session(provider, got);
}

/** Renews the session in time, until signal ends that, and tells; without a refresh token nothing happens. */
export function keepFresh(session, signal, tell) {
    const later = () => {
        const left = session.ends - Date.now();
        const timer = setTimeout(again, Math.max(1000, Math.min(left * 0.75, 2 ** 31 - 1)));
        signal.addEventListener('abort', () => { clearTimeout(timer); }, { once: true });
    };
    const again = async () => {
        try {
            await session.renew();
            tell(session);
        } catch {
            if (Date.now() > session.ends)
                return;
        }
        if (!signal.aborted)
            later();
    };
    if (session.isRenewable)
        later();
}
