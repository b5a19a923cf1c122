// The frame: signing in, dialling, the call there is, and keys.
import { button, field, fill, h, note } from './dom.js';
import { goToSignIn, keepFresh, returned } from './oidc.js';
import { watch } from './figures.js';
import { Phone } from './phone.js';
import { ring } from './ring.js';

const main = document.getElementById('main'), who = document.getElementById('who');
const state = document.getElementById('state'), out = document.getElementById('out');
const settings = await (await fetch('settings.json')).json();
const provider = settings.issuer && {
    issuer: settings.issuer, client_id: settings.client_id, scope: settings.scope, resource: settings.resource,
};
const call = h('div', { id: 'call' });
let phone, session, renewing, silence = () => {};

// ---- signing in ----

function door(why) {
    fill(who);
    show('', '');
    out.hidden = true;
    const wrong = h('p', { class: 'wrong', role: 'alert' }, why);
    const there = provider && button(`Sign in at ${new URL(provider.issuer).host}`, async () => {
        there.disabled = true;
        try {
            await goToSignIn(provider);
        } catch (e) {
            fill(wrong, e.message);
            there.disabled = false;
        }
    });
    const form = settings.passwords && h('form', {
        onsubmit: (e) => {
            e.preventDefault();
            const { user, password } = Object.fromEntries(new FormData(form));
            enter(addressOf(user.trim()), { password });
        },
    },
    provider && h('p', { class: 'or' }, 'or with a password of this server:'),
    field('User', 'user', { required: true, autocomplete: 'username', spellcheck: 'false', autocapitalize: 'off' }),
    field('Password', 'password', { type: 'password', required: true, autocomplete: 'current-password' }),
    h('p', { class: 'actions' }, h('button', { type: 'submit', class: provider && 'quiet' }, 'Sign in')));
    fill(main, h('div', { class: 'door' }, h('h1', {}, 'Sign in to call'), there && h('p', { class: 'actions' }, there),
        form, wrong));
    main.querySelector('button, input').focus();
}

/** alice, alice@example.com or sip:alice@example.com, as an address. */
const addressOf = (name) => (name.includes('@') ? `sip:${name.replace(/^sips?:/, '')}` : `sip:${name}@${settings.domain}`);

async function enter(address, proof) {
    fill(who, address.slice(4));
    show('connecting', 'odd');
    out.hidden = false;
    try {
        phone = await Phone.start({ ...settings, address, ...proof }, { show, ended: refused, calls });
    } catch (e) {
        door(e.message);
        return;
    }
    view();
}

/** The server does not take who he says he is. */
function refused(why) {
    forget();
    door(why);
}

function forget() {
    silence();
    renewing?.abort();
    phone?.stop();
    phone = null;
}

async function leave() {
    forget();
    const left = session;
    session = null;
    if (!left || !await left.end().catch(() => false))
        door();
}

function show(text, kind) {
    state.className = `badge ${kind}`;
    fill(state, text);
}

// ---- dialling ----

function view() {
    const to = h('input', {
        id: 'to', 'aria-label': 'Number or name', placeholder: 'Number or name', autocomplete: 'off', spellcheck: 'false',
        autocapitalize: 'off', required: true,
    });
    const form = h('form', {
        class: 'dial', onsubmit: (e) => {
            e.preventDefault();
            dial(to.value.trim());
        },
    }, to, h('button', { type: 'submit' }, 'Call'), button('Echo *43', () => dial('*43'), { class: 'quiet' }));
    const plain = h('input', { type: 'checkbox', id: 'plain', onchange: () => { phone.plain = plain.checked; } });
    const from = h('select', { id: 'microphone', onchange: () => { phone.microphone = from.value; } });
    const sound = h('details', { class: 'card', ontoggle: () => { microphones(from); } }, h('summary', {}, 'Sound'),
        h('div', { class: 'field' }, h('label', { for: 'microphone' }, 'Microphone'), from),
        h('label', { class: 'box' }, plain, ' As it is, without echo cancellation and noise suppression'));
    fill(main, h('h1', { class: 'unseen' }, 'Softphone'), h('div', { class: 'card' }, form), call, sound);
    calls(null);
    to.focus();
}

async function microphones(select) {
    const all = (await navigator.mediaDevices.enumerateDevices()).filter((d) => d.kind === 'audioinput');
    fill(select, h('option', { value: '' }, 'The usual one'),
        all.filter((d) => d.deviceId && d.deviceId !== 'default').map((d) => h('option', { value: d.deviceId }, d.label || 'Microphone')));
    select.value = phone.microphone;
}

async function dial(number) {
    if (!number || phone.call)
        return;
    try {
        await phone.dial(number.includes('@') ? addressOf(number) : `sip:${encodeURIComponent(number)}@${settings.domain}`);
    } catch (e) {
        note(e.message, true);
    }
}

// ---- the call ----

const key = (letter) => h('kbd', { 'aria-hidden': 'true' }, letter);

/** What there is of a call: null, or { with, state, incoming, muted, connection, why }. */
function calls(c) {
    silence();
    if (!c || c.state === 'over') {
        fill(call, c?.why && h('p', { class: 'wrong card', role: 'alert' }, c.why));
        return;
    }
    const rings = c.incoming && c.state === 'ringing';
    const stop = rings ? ring() : () => {};
    const mute = h('button', {
        type: 'button', class: 'quiet', 'aria-pressed': String(c.muted), 'aria-keyshortcuts': 'm', onclick: () => { phone.mute(); },
    }, 'Mute', key('m'));
    const end = h('button', {
        type: 'button', class: 'danger', 'aria-keyshortcuts': 'h', onclick: () => { phone.hangUp(); },
    }, rings ? 'Decline' : 'Hang up', key('h'));
    const answer = rings && h('button', {
        type: 'button', class: 'answer', 'aria-keyshortcuts': 'a', onclick: () => { phone.answer(); },
    }, 'Answer', key('a'));
    const figures = h('div', {});
    fill(call, h('section', { class: `card ${rings ? 'ringing' : ''}`, 'aria-label': 'Call' },
        h('div', { role: rings ? 'alert' : 'status' }, h('h2', {}, rings ? `${c.with} calls` : `${c.with}: ${c.state}`)),
        figures, h('p', { class: 'actions' }, answer, c.state === 'talking' && mute, end)));
    const unwatch = c.state === 'talking' ? watch(c.connection, figures) : () => {};
    silence = () => { stop(); unwatch(); silence = () => {}; };
    (answer || (c.state === 'talking' ? mute : end)).focus();
}

function onKey(e) {
    if (e.ctrlKey || e.altKey || e.metaKey || !phone || e.target.closest('input, select, textarea'))
        return;
    const found = call.querySelector(`[aria-keyshortcuts="${CSS.escape(e.key)}"]`);
    if (found) {
        e.preventDefault();
        found.click();
    }
}

// ---- the start ----

out.addEventListener('click', leave);
document.addEventListener('keydown', onKey);
document.querySelector('.skip').addEventListener('click', (e) => { e.preventDefault(); main.focus(); });
window.addEventListener('unhandledrejection', (e) => { note(e.reason?.message ?? String(e.reason), true); });
window.addEventListener('pagehide', () => { phone?.stop(); });

try {
    session = provider ? await returned(provider) : null;
    const name = session?.claims[settings.claim];
    if (session && typeof name !== 'string')
        throw new Error(`The token says nothing in ${settings.claim}: look at softphone.claim of the registrar.`);
    if (session) {
        renewing = new AbortController();
        keepFresh(session, renewing.signal, () => { phone?.renew(session.token); });
        await enter(addressOf(name), { token: () => session.token });
        setTimeout(() => {
            if (phone && session && !session.isRenewable)
                note('Your sign-in ends in a minute; sign in again to stay within reach.', true);
        }, Math.max(0, session.ends - Date.now() - 60000));
    } else {
        door();
    }
} catch (e) {
    door(e.message);
}
