// authd's REST, as proto/openapi.yaml describes it. The operator's token is kept for this tab alone, one of an identity
// provider in memory alone, and goes nowhere but into the Authorization header.

const KEY = 'countersign.token';

/** What REST says when it refuses (RFC 9457); message says what to do. */
export class Problem extends Error {
    constructor(status, body) {
        super(body.detail || body.title || `authd answers ${status}`);
        this.status = status;
        this.type = body.type ?? '';
    }
}

let token = sessionStorage.getItem(KEY);
let onLost = () => {};

export const signedIn = () => Boolean(token);

/** fn runs when the token is not good any more. */
export function whenLost(fn) {
    onLost = fn;
}

export function keep(text, inMemory = false) {
    token = text;
    if (text && !inMemory)
        sessionStorage.setItem(KEY, text);
    else
        sessionStorage.removeItem(KEY);
}

async function send(method, path, { body, headers = {}, signal } = {}) {
    let answer;
    const with_ = { ...token && { Authorization: `Bearer ${token}` }, ...headers };
    if (body !== undefined)
        with_['Content-Type'] = 'application/json';
    try {
        answer = await fetch(path, {
            method, signal, headers: with_, body: body === undefined ? undefined : JSON.stringify(body),
            cache: 'no-store', credentials: 'omit', redirect: 'error',
        });
    } catch (e) {
        if (e.name === 'AbortError')
            throw e;
        throw new Problem(0, { detail: 'authd does not answer.' });
    }
    if (answer.ok)
        return answer;
    const text = await answer.text();
    let problem = {};
    try {
        problem = JSON.parse(text);
    } catch { /* somebody between us and authd answered */ }
    if (answer.status === 401 && token)
        onLost();
    throw new Problem(answer.status, problem);
}

async function json(method, path, more) {
    const answer = await send(method, path, more);
    return answer.status === 204 ? null : answer.json();
}

/** A path of segments that may hold anything, and a query of what is not undefined. */
export function path(segments, query = {}) {
    const q = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== undefined && v !== ''));
    return `/v1/${segments.map(encodeURIComponent).join('/')}${String(q) && `?${q}`}`;
}

export const get = (segments, query, signal) => json('GET', path(segments, query), { signal });
export const post = (segments, body, headers) => json('POST', path(segments), { body, headers });
export const put = (segments, body, query) => json('PUT', path(segments, query), { body });
export const patch = (segments, body, query) => json('PATCH', path(segments, query), { body });
export const remove = (segments, query) => json('DELETE', path(segments, query));

/** Pages of a list, until there are `enough`; what there is, and where it goes on (or undefined). */
export async function pages(segments, member, query, enough, signal) {
    const all = [];
    let after;
    do {
        const page = await get(segments, { ...query, after }, signal);
        all.push(...page[member]);
        after = page.next;
    } while (after && all.length < enough);
    return { all, more: Boolean(after) };
}

/** Blocks of server-sent events: [{ event, data, id }], and what is not a whole one yet. */
export function events(text) {
    const blocks = text.split('\n\n');
    const rest = blocks.pop();
    return [blocks.map((block) => Object.fromEntries(block.split('\n').filter((l) => l && !l.startsWith(':')).map((l) => {
        const at = l.indexOf(':');
        return [l.slice(0, at), l.slice(at + 1).trimStart()];
    }))).filter((e) => e.data), rest];
}

/** Reads events until there are no more; tell(kind, what, id). */
async function read(answer, tell) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
        const { value, done } = await reader.read();
        if (done)
            return;
        let found;
        [found, rest] = events(rest + value);
        for (const e of found)
            tell(e.event, JSON.parse(e.data), e.id);
    }
}

/** SIP messages as they come and go (GET /v1/trace), until they end or signal ends it. */
export async function trace(query, signal, tell) {
    await read(await send('GET', path(['trace'], query), { signal }), tell);
}

const wait = (ms, signal) => new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); });
});

/**
 * Follows what happens (GET /v1/stream) until signal ends it, and comes back after a break where it was. EventSource
 * cannot show a token but in the URL, where logs would have it. tell(kind, what); state(true or false): there or not.
 */
export async function follow(query, signal, tell, state) {
    let last;
    while (!signal.aborted) {
        try {
            const answer = await send('GET', path(['stream'], query), { signal, headers: last ? { 'Last-Event-ID': last } : {} });
            state(true);
            await read(answer, (kind, what, id) => {
                last = id ?? last;
                tell(kind, what);
            });
        } catch (e) {
            if (signal.aborted || e.status === 401 || e.status === 403)
                return;
        }
        state(false);
        await wait(2000, signal);
    }
}
