// The frame: signing in, which view is shown, and keys.
import { whenLost } from './api.js';
import { button, dialog, fill, h, note } from './dom.js';
import { elsewhere, goElsewhere, leave, operator, resume, signIn, signOut } from './session.js';
import bans from './bans.js';
import calls from './calls.js';
import decisions from './decisions.js';
import devices from './devices.js';
import overview from './overview.js';
import registrations from './registrations.js';
import trunks from './trunks.js';
import users from './users.js';

// A view is { name, title, show(main, query, signal) }: it fills main, and ends what it began when signal does.
const views = [overview, registrations, decisions, bans, users, devices, trunks, calls];
const main = document.getElementById('main'), top = document.getElementById('top'), nav = document.getElementById('nav');
let running = new AbortController();

function place() {
    const [name, query] = location.hash.replace(/^#\/?/, '').split('?');
    return [views.find((v) => v.name === name) ?? views[0], new URLSearchParams(query)];
}

async function route() {
    const [view, query] = place();
    running.abort();
    running = new AbortController();
    const { signal } = running;
    for (const a of nav.children)
        a.setAttribute('aria-current', a.dataset.name === view.name ? 'page' : 'false');
    document.title = `${view.title} - Countersign`;
    const page = h('div', { class: 'view' });
    fill(main, h('h1', {}, view.title), page);
    try {
        await view.show(page, query, signal);
    } catch (e) {
        if (!signal.aborted)
            fill(page, h('p', { class: 'wrong', role: 'alert' }, e.message));
    }
}

// ---- signing in ----

function door(why) {
    running.abort();
    top.hidden = true;
    document.title = 'Sign in - Countersign';
    const wrong = h('p', { class: 'wrong', role: 'alert' }, why);
    const input = h('input', { id: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false', required: true });
    const go = h('button', { type: 'submit', class: elsewhere() && 'quiet' }, 'Sign in');
    const there = elsewhere() && button(`Sign in at ${elsewhere()}`, async () => {
        there.disabled = true;
        try {
            await goElsewhere();
        } catch (x) {
            fill(wrong, x.message);
            there.disabled = false;
        }
    });
    const form = h('form', {
        class: 'door', onsubmit: async (e) => {
            e.preventDefault();
            go.disabled = true;
            try {
                await signIn(input.value.trim());
                enter();
            } catch (x) {
                fill(wrong, x.status === 401 ? 'authd does not know this token.' : x.message);
                go.disabled = false;
                input.select();
            }
        },
    },
    h('h1', {}, 'Countersign'), there && h('p', { class: 'actions apart' }, there), h('div', { class: 'field' }, h('label', { for: 'token' }, 'Operator\u2019s token'), input,
        h('p', { class: 'hint' }, 'Kept in this tab until you sign out or close it. ', h('code', {}, 'csctl token make'), ' makes one.')),
    wrong, h('p', { class: 'actions' }, go));
    fill(main, form);
    (there || input).focus();
}

function enter() {
    top.hidden = false;
    fill(document.getElementById('who'), operator.name, ' ', h('span', { class: 'role' }, operator.role));
    route();
    main.focus();
}

// ---- keys ----

const KEYS = 'countersign.keys';
const keysAreOn = () => localStorage.getItem(KEYS) !== 'off';

function help() {
    const on = h('input', {
        type: 'checkbox', id: 'keys-on', checked: keysAreOn(),
        onchange: () => { localStorage.setItem(KEYS, on.checked ? 'on' : 'off'); },
    });
    const row = (keys, what) => h('tr', {}, h('td', {}, keys.map((k) => [h('kbd', {}, k), ' '])), h('td', {}, what));
    dialog('Keys', h('table', { class: 'keys' }, h('tbody', {},
        views.map((v, i) => row([String(i + 1)], v.title)), row(['/'], 'Search in this view'), row(['r'], 'Read anew'),
        row(['\u2193', '\u2191', 'j', 'k'], 'The next row, the one before'), row(['Enter'], 'Open the row'),
        row(['Esc'], 'Close'), row(['?'], 'This list'))),
    h('p', {}, on, ' ', h('label', { for: 'keys-on' }, 'Keys without Ctrl or Alt do this')));
}

function onKey(e) {
    if (e.ctrlKey || e.altKey || e.metaKey || top.hidden || !keysAreOn() || document.querySelector('dialog[open]') ||
        e.target.closest('input, select, textarea'))
        return;
    const search = main.querySelector('input[type=search]');
    if (e.key === '?') {
        help();
    } else if (e.key === '/' && search) {
        search.focus();
    } else if (e.key === 'r') {
        route();
    } else if (views[Number(e.key) - 1]) {
        location.hash = `#/${views[Number(e.key) - 1].name}`;
        main.focus();
    } else {
        return;
    }
    e.preventDefault();
}

// ---- the start ----

fill(nav, views.map((v) => h('a', { href: `#/${v.name}`, 'data-name': v.name }, v.title)));
document.getElementById('help').addEventListener('click', help);
document.getElementById('out').addEventListener('click', async () => { if (!await leave()) door(); });
document.querySelector('.skip').addEventListener('click', (e) => { e.preventDefault(); main.focus(); });
window.addEventListener('hashchange', () => { document.querySelector('dialog')?.close(); if (!top.hidden) route(); });
document.addEventListener('keydown', onKey);
window.addEventListener('unhandledrejection', (e) => { note(e.reason?.message ?? String(e.reason), true); });
whenLost(() => { if (!top.hidden) { signOut(); door('The token is not good any more. Sign in again.'); } });
resume().then((known) => (known ? enter() : door())).catch((e) => { signOut(); door(e.status === 401 ? '' : e.message); });
