// A real OpenID provider (npm oidc-provider) on loopback, and what tests want it to do besides: change
// its keys, and misbehave. Called with a port; says "ready" when it listens.
//
// PUT /test takes JSON: {"keys": [names]} publishes those keys, the first of each algorithm signs;
// {"mode": "good" | "hang" | "garbage" | "huge" | "elsewhere" | "redirect" | "error"} says how discovery,
// keys and introspection are answered; {"ttl": seconds} how long tokens live; {"ended": [jti]} which JWTs
// hold no longer, by the word of /test/introspection (the provider itself speaks of opaque tokens alone);
// {"pages": {client: redirect URI}} which pages are clients without a secret; {"roles": {user: [texts]}}
// what tokens say in realm_access.roles.
// GET /test counts requests.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const kinds = {
    RS256: ['rsa', { modulusLength: 2048 }],
    PS256: ['rsa', { modulusLength: 2048 }],
    ES256: ['ec', { namedCurve: 'P-256' }],
    ES384: ['ec', { namedCurve: 'P-384' }],
    EdDSA: ['ed25519', {}],
};
const made = new Map(); // by name, "RS256-1"
const state = { mode: 'good', ttl: 600, keys: [], ended: [], pages: {}, roles: {}, counts: {} };

function key(name) {
    if (!made.has(name)) {
        const alg = name.split('-')[0];
        const jwk = generateKeyPairSync(...kinds[alg]).privateKey.export({ format: 'jwk' });
        made.set(name, { ...jwk, kid: name, alg, use: 'sig' });
    }
    return made.get(name);
}

// The resource says with which algorithm its tokens are signed; "opaque" is for introspection alone.
function resource(ctx, indicator) {
    const alg = indicator.split(':').pop();
    return {
        scope: 'register call presence',
        audience: indicator.split(':')[1],
        accessTokenTTL: state.ttl,
        accessTokenFormat: alg === 'opaque' ? 'opaque' : 'jwt',
        jwt: alg === 'opaque' ? undefined : { sign: { alg } },
    };
}

const names = ['alice', 'bob', 'carol', 'dave@elsewhere.example', 'bound', 'early'];

// What tokens of some clients say besides: "bound" to a certificate whose hash is all zero (RFC 8705).
function moreClaims(ctx, token) {
    if (token.accountId)
        return { amr: ['pwd', 'mfa'], realm_access: { roles: state.roles[token.accountId] ?? [] } };
    if (token.clientId === 'bound')
        return { cnf: { 'x5t#S256': 'A'.repeat(43) } };
    if (token.clientId === 'early')
        return { nbf: Math.floor(Date.now() / 1000) + 120 };
    return undefined;
}

function provider() {
    const p = new Provider(issuer, {
        jwks: { keys: state.keys.map(key) },
        clients: [
            ...names.map((name) => ({
                client_id: name,
                client_secret: `secret of ${name}: %&+`,
                redirect_uris: [],
                response_types: [],
                grant_types: ['client_credentials'],
            })),
            {
                client_id: 'softphone',
                token_endpoint_auth_method: 'none',
                redirect_uris: ['http://127.0.0.1/callback'],
                response_types: ['code'],
                grant_types: ['authorization_code'],
                application_type: 'native',
                id_token_signed_response_alg: 'ES256',
            },
            ...Object.entries(state.pages).map(([name, uri]) => ({
                client_id: name,
                token_endpoint_auth_method: 'none',
                redirect_uris: [uri],
                post_logout_redirect_uris: [uri],
                response_types: ['code'],
                grant_types: ['authorization_code', 'refresh_token'],
                application_type: uri.startsWith('https') ? 'web' : 'native',
                id_token_signed_response_alg: 'ES256',
            })),
            {
                client_id: 'authd', client_secret: 'what authd is known by: %&+',
                redirect_uris: [], response_types: [], grant_types: [],
            },
        ],
        scopes: ['openid', 'offline_access', 'register', 'call', 'presence'],
        features: {
            clientCredentials: { enabled: true },
            introspection: { enabled: true, allowedPolicy: async () => true },
            revocation: { enabled: true },
            resourceIndicators: {
                enabled: true,
                defaultResource: () => 'urn:sip:RS256',
                getResourceServerInfo: resource,
                useGrantedResource: () => true,
            },
        },
        clientBasedCORS: (ctx, origin, client) => client.redirectUris.some((uri) => uri.startsWith(`${origin}/`)),
        extraTokenClaims: moreClaims,
        findAccount: (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
        pkce: { required: () => true, methods: ['S256'] },
        cookies: { keys: ['a key of tests'] },
        ttl: { AccessToken: () => state.ttl, ClientCredentials: () => state.ttl },
    });
    p.on('server_error', (ctx, err) => console.error(err));
    return p.callback();
}

function misbehave(req, res) {
    switch (state.mode) {
    case 'hang':
        return; // until the other side gives up
    case 'garbage':
        res.end('{"issuer": "' + issuer + '", "keys": [{"kty": "RSA", ');
        return;
    case 'huge':
        res.write('{"keys": [');
        for (let i = 0; i < 64; i++)
            res.write('"' + 'x'.repeat(16384) + '",');
        res.end('"x"]}');
        return;
    case 'elsewhere':
        res.end(JSON.stringify({ issuer: 'http://127.0.0.1:1', jwks_uri: `${issuer}/jwks`, active: 'yes' }));
        return;
    case 'redirect':
        res.writeHead(302, { Location: `${issuer}/elsewhere` });
        res.end();
        return;
    default:
        res.writeHead(500);
        res.end('no');
    }
}

function body(req, then) {
    let text = '';
    req.on('data', (more) => { text += more; });
    req.on('end', () => then(text));
}

function control(req, res) {
    if (req.method !== 'PUT') {
        res.end(JSON.stringify(state.counts));
        return;
    }
    body(req, (text) => {
        Object.assign(state, JSON.parse(text));
        if (text.includes('"keys"') || text.includes('"pages"'))
            serve = provider();
        res.end('{}');
    });
}

function introspectJwt(req, res) {
    body(req, (text) => {
        const [, payload] = new URLSearchParams(text).get('token').split('.');
        const claims = JSON.parse(Buffer.from(payload, 'base64url'));
        const active = !state.ended.includes(claims.jti);
        res.end(JSON.stringify(active ? { active, ...claims } : { active }));
    });
}

state.keys = ['RS256-1', 'PS256-1', 'ES256-1', 'ES384-1', 'EdDSA-1'];
let serve = provider();
createServer((req, res) => {
    const path = req.url.split('?')[0];
    state.counts[path] = (state.counts[path] || 0) + 1;
    if (path === '/test')
        control(req, res);
    else if (state.mode !== 'good' && /^\/\.well-known|^\/jwks|introspection$/.test(path))
        misbehave(req, res);
    else if (path === '/test/introspection')
        introspectJwt(req, res);
    else
        serve(req, res);
}).listen(port, '127.0.0.1', () => console.log('ready'));
