// Users: create, another password, disable, remove.
import { get, pages, patch, post, put, remove } from './api.js';
import { ask, badge, button, confirm, dialog, facts, field, fill, h, note, select, time } from './dom.js';
import { holds, search } from './search.js';
import { may } from './session.js';
import { table } from './table.js';

const STEP = 500;
const name = (u) => `${u.user}@${u.realm}`;

/** A password is shown once: authd keeps none. */
function secret(title, u) {
    const word = h('code', { class: 'secret' }, u.password);
    dialog(title, h('p', {}, 'The password of ', h('strong', {}, name(u)), ', shown this once:'), h('p', {}, word, ' ',
        button('Copy', async () => {
            await navigator.clipboard.writeText(u.password);
            note('Copied.');
        }, { class: 'quiet' })), u.warnings?.map((w) => h('p', { class: 'hint' }, w)));
}

async function show(page, query, signal) {
    let rows = [], more = false, typed = (query.get('q') ?? '').toLowerCase(), enough = STEP, realms = [];
    const count = h('span', { class: 'count' });
    const further = button('Read more', async () => { enough += STEP; await look(); }, { class: 'quiet' });
    const list = table([
        { name: 'User', cell: (u) => u.user, class: 'main' },
        { name: 'Realm', cell: (u) => u.realm },
        { name: 'State', cell: (u) => (u.enabled ? badge('enabled', 'good') : badge('disabled', 'bad')) },
        { name: 'Name', cell: (u) => u.display_name ?? '' },
        { name: 'Addresses', cell: (u) => u.aors.map((a) => a.replace(/^sips?:/, '')).join(', '), class: 'long' },
        { name: 'Algorithms', cell: (u) => (u.algorithms.length ? u.algorithms.map((a) => [badge(a, a === 'MD5' ? '' : 'good'), ' ']) : 'no password') },
        { name: 'Changed', cell: (u) => time(u.changed) },
    ], { label: 'Users', empty: 'There is no such user.', open, key: name });

    function draw() {
        const found = rows.filter((u) => holds(typed, u.user, u.realm, u.display_name, ...u.aors));
        fill(count, `${found.length}${more ? ' of those read' : ''}`);
        further.hidden = !more;
        list.show(found);
    }

    async function look() {
        ({ all: rows, more } = await pages(['users'], 'users', { limit: 500 }, enough, signal));
        draw();
    }

    /** One that was not read yet, by its whole name. */
    async function find(text) {
        const [user, realm] = text.split('@');
        const u = await get(['users', user], { realm }, signal).catch((e) => { note(e.message, true); });
        if (u && !rows.some((r) => name(r) === name(u)))
            rows.push(u);
        draw();
    }

    function replace(u) {
        rows = rows.map((r) => (name(r) === name(u) ? u : r));
        draw();
    }

    function open(u) {
        const of = { realm: u.realm };
        const box = dialog(name(u), facts([
            ['State', u.enabled ? badge('enabled', 'good') : badge('disabled', 'bad')], ['Name', u.display_name],
            ['Addresses', u.aors], ['Contacts', u.max_contacts && `at most ${u.max_contacts} for each address`],
            ['Algorithms', u.algorithms.length ? u.algorithms : 'no password: tokens, tickets and certificates alone'],
            ['Other names', u.auth_ids], ['Former password', u.old_until && ['good until ', u.old_until].join('')],
            ['Created', u.created], ['Changed', u.changed],
        ]), h('p', { class: 'actions' },
            h('a', { class: 'button', href: `#/registrations?q=${encodeURIComponent(u.user)}` }, 'Registrations'),
            h('a', { class: 'button', href: `#/decisions?q=${encodeURIComponent(u.user)}` }, 'Refusals'),
            may('administer') && button('New password\u2026', () => { box.close(); reset(u); }),
            may('operate') && button(u.enabled ? 'Disable' : 'Enable', async () => {
                replace(await patch(['users', u.user], { enabled: !u.enabled }, of));
                box.close();
                note(u.enabled ? `${name(u)} is disabled; what he registered goes.` : `${name(u)} is enabled.`);
            }, { class: u.enabled ? 'danger' : '' }),
            may('administer') && button('Remove', () => {
                box.close();
                confirm('Remove the user', `${name(u)} is removed, with all verifiers. Disable keeps them.`, 'Remove', async () => {
                    await remove(['users', u.user], of);
                    rows = rows.filter((r) => name(r) !== name(u));
                    draw();
                    note(`${name(u)} is removed.`);
                });
            }, { class: 'danger' })));
    }

    function reset(u) {
        ask(`New password for ${name(u)}`, [
            h('p', {}, 'authd makes one. Registrations stay until they expire, or the old password ends.'),
            select('The old one', 'keep', [['', 'ends now'], ['1', 'stays good for a day'], ['7', 'stays good for a week'], ['30', 'stays good for 30 days']], ''),
        ], 'Make a password', async (v, box) => {
            const until = v.keep && new Date(Date.now() + Number(v.keep) * 86400000).toISOString().replace(/\.\d+Z$/, 'Z');
            const got = await put(['users', u.user, 'password'], { generate: true, keep_old_until: until || undefined }, { realm: u.realm });
            box.close();
            const { password, ...rest } = got;
            replace(rest);
            secret('New password', { ...rest, password });
        });
    }

    function make() {
        ask('New user', [field('User', 'user', { required: true, maxlength: 256, autocomplete: 'off' }),
            select('Realm', 'realm', realms, realms[0]), field('Name', 'display_name', { maxlength: 256 }),
            select('Password', 'kind', [['generate', 'made by authd, shown once'], ['none', 'none: tokens, tickets, certificates']], 'generate'),
        ], 'Create', async (v, box) => {
            const got = await post(['users'], {
                user: v.user.trim(), realm: v.realm, display_name: v.display_name || undefined,
                ...(v.kind === 'none' ? { no_password: true } : { generate: true }),
            });
            box.close();
            const { password, ...rest } = got;
            rows.push(rest);
            draw();
            if (password)
                secret('New user', { ...rest, password });
            else
                note(`${name(rest)} is created.`);
        });
    }

    fill(page, h('div', { class: 'tools' },
        search('Search, or Enter for one user', query.get('q') ?? '', (t) => { typed = t; draw(); }, find), count, further,
        may('administer') && button('New user\u2026', make)), list.element);
    realms = (await get(['realms'], {}, signal)).realms.map((r) => r.realm);
    await look();
    const asked = query.get('q');
    if (asked && !rows.some((u) => u.user === asked))
        await find(asked);
}

export default { name: 'users', title: 'Users', show };
