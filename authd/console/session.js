// Who is signed in, and what he may do. What is not allowed is not offered; authd refuses it anyway.
import { get, keep, signedIn } from './api.js';
import { goToSignIn, keepFresh, returned } from './oidc.js';

const ROLES = ['read', 'operate', 'administer'];
export const operator = { name: '', role: 'none' };

let provider; // where operators sign in; undefined: nowhere
let session; // there; null: with a token of authd's own
let renewing = new AbortController();

export const may = (role) => ROLES.indexOf(operator.role) >= ROLES.indexOf(role);

/** Where operators sign in, as its host is called; '' for nowhere. */
export const elsewhere = () => (provider ? new URL(provider.issuer).host : '');
export const goElsewhere = () => goToSignIn(provider, location.hash);

/** Takes a token if authd does; throws what it says else. */
export async function signIn(token) {
    keep(token);
    try {
        await known();
    } catch (e) {
        keep(null);
        throw e;
    }
}

async function known() {
    Object.assign(operator, await get(['operator']));
}

/** Whether somebody is: back from the identity provider, or with the token of before. Throws why he is not. */
export async function resume() {
    [provider] = (await get(['sign-in'])).providers;
    session = provider ? await returned(provider) : null;
    if (session) {
        keep(session.token, true);
        renewing = new AbortController();
        keepFresh(session, renewing.signal, () => { keep(session.token, true); });
    } else if (!signedIn()) {
        return false;
    }
    try {
        await known();
    } catch (e) {
        throw session ? new Error(e.message) : e; // who has just signed in shall know why that was not enough
    }
    return true;
}

export function signOut() {
    renewing.abort();
    session = null;
    keep(null);
    Object.assign(operator, { name: '', role: 'none' });
}

/** Of the identity provider, too; true: the page is left for that. */
export async function leave() {
    const left = session;
    signOut();
    return Boolean(left) && left.end().catch(() => false);
}
