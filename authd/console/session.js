// Who is signed in, and what he may do. What is not allowed is not offered; authd refuses it anyway.
import { get, keep, signedIn } from './api.js';

const ROLES = ['read', 'operate', 'administer'];
export const operator = { name: '', role: 'none' };

export const may = (role) => ROLES.indexOf(operator.role) >= ROLES.indexOf(role);

/** Takes a token if authd does; throws what it says else. */
export async function signIn(token) {
    keep(token);
    try {
        await resume();
    } catch (e) {
        keep(null);
        throw e;
    }
}

/** With the token of before, if there is one; whether. */
export async function resume() {
    if (!signedIn())
        return false;
    Object.assign(operator, await get(['operator']));
    return true;
}

export function signOut() {
    keep(null);
    Object.assign(operator, { name: '', role: 'none' });
}
