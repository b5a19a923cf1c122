// What authd decided, as it happens, with cause and remedy.
import { follow, get, post } from './api.js';
import { badge, button, confirm, dialog, facts, fill, h, note, time } from './dom.js';
import { holds, search } from './search.js';
import { may } from './session.js';
import { poll } from './poll.js';
import { decided, related, remember } from './ladder.js';
import { table } from './table.js';

const SHOWN = 300;
const KINDS = { accept: 'good', challenge: 'odd', reject: 'bad', later: 'bad' };

export const verdict = (d) => badge(`${d.verdict}${d.status ? ` ${d.status}` : ''}`, KINDS[d.verdict]);
const who = (d) => (d.user ? `${d.user}${d.realm ? `@${d.realm}` : ''}` : d.from ?? d.aor ?? '');
/** A challenge of a request without credentials is how each registration begins. */
const isRefusal = (d) => d.verdict !== 'accept' && d.cause !== 'no_credentials';

export async function explain(d) {
    const body = h('div', {});
    const box = dialog(d.cause === 'none' ? d.verdict : d.cause, body);
    let full = d;
    if (!d.text && isRefusal(d))
        full = (await get(['decisions'], { id: d.id }).catch(() => ({ decisions: [] }))).decisions[0] ?? d;
    const list = await related(full.call_id).catch(() => []);
    fill(body,
        full.text && h('p', { class: 'why' }, full.text),
        full.remedy && h('p', { class: 'remedy' }, h('strong', {}, 'What to do: '), full.remedy),
        facts([
            ['Verdict', verdict(full)], ['Because', full.because], ['Revoked', full.revoked], ['Time', full.time],
            ['Method', full.method], ['User', who(full)], ['Address', full.aor], ['From', full.from],
            ['Source', full.source], ['Country', full.country], ['Transport', full.transport && `${full.transport}${full.listener ? `, listener ${full.listener}` : ''}`],
            ['User-Agent', full.user_agent], ['Peer group', full.group], ['Trunk', full.trunk],
            ['Algorithm', full.algorithm], ['Call-ID', full.call_id], ['Decision', h('code', {}, full.id)],
        ]),
        h('section', {}, h('h3', {}, 'How it went'), decided(list.length ? list : [full])),
        h('p', { class: 'actions' },
            full.user && h('a', { href: `#/users?q=${encodeURIComponent(full.user)}`, class: 'button' }, 'The user'),
            full.source && may('operate') && button('Ban the source', () => { box.close(); ban(full.source); }, { class: 'danger' })));
}

function ban(source) {
    const address = source.replace(/^udp:|^tcp:|^tls:/, '').replace(/:\d+$/, '').replace(/[[\]]/g, '');
    confirm('Ban the source', `Nothing from ${address} is read for 45 minutes, by any registrar.`, 'Ban', async () => {
        await post(['bans'], { source: address, reason: 'from the console' });
        note(`${address} is banned.`);
    });
}

async function show(page, query, signal) {
    let rows = [], typed = (query.get('q') ?? '').toLowerCase(), all = false, held = false;
    const live = h('span', { class: 'live', role: 'status' });
    const count = h('span', { class: 'count' });
    const cause = query.get('cause');
    const input = search('Search, or Enter to ask authd', query.get('q') ?? '', (t) => { typed = t; draw(); }, read);
    const list = table([
        { name: 'Time', cell: (d) => time(d.time), class: 'mono' },
        { name: 'Verdict', cell: verdict },
        { name: 'Cause', cell: (d) => (d.cause === 'none' ? '' : d.cause), class: 'main short' },
        { name: 'Method', class: 'short', cell: (d) => d.method ?? '' },
        { name: 'Who', cell: who },
        { name: 'Source', cell: (d) => d.source ?? '', class: 'mono' },
        { name: 'User-Agent', cell: (d) => d.user_agent ?? '', class: 'long' },
    ], { label: 'Decisions', empty: 'Nobody was refused that authd remembers.', open: (d) => { explain(d); } });
    const everything = h('input', { type: 'checkbox', id: 'all', onchange: () => { all = everything.checked; draw(); } });
    const pause = button('Hold', () => {
        held = !held;
        pause.textContent = held ? 'Go on' : 'Hold';
        draw();
    }, { class: 'quiet', 'aria-pressed': 'false' });

    function draw() {
        pause.setAttribute('aria-pressed', String(held));
        const found = rows.filter((d) => (all || isRefusal(d)) && (!cause || d.cause === cause) &&
            holds(typed, d.cause, d.user, d.realm, d.aor, d.from, d.source, d.user_agent, d.call_id, d.id, d.method));
        fill(count, String(found.length));
        list.show(found.slice(0, SHOWN));
    }

    async function read(q) {
        merge((await get(['decisions'], { q: q || undefined, limit: SHOWN }, signal)).decisions);
    }

    /** The same decision may be known from several sides; one with a remedy is the fullest. */
    function merge(found) {
        const all = new Map(rows.map((d) => [d.id, d]));
        for (const d of found) {
            if (!all.get(d.id)?.remedy)
                all.set(d.id, d);
        }
        if (!held)
            rows = [...all.values()].sort((a, b) => (a.time < b.time ? 1 : -1)).slice(0, 2000);
        draw();
    }

    fill(page, h('div', { class: 'tools' }, input,
        h('span', {}, everything, ' ', h('label', { for: 'all' }, 'Accepts and challenges, too')), pause, live, count),
    cause && h('p', { class: 'filter' }, 'Only ', badge(cause, 'bad'), ' ', h('a', { href: '#/decisions' }, 'All causes')),
    list.element);
    // What this authd remembers, those of all authds from Redis, and at once what this one decides from now on.
    await read(query.get('q'));
    await poll(3, signal, async () => { merge((await get(['refusals'], { limit: SHOWN }, signal)).refusals); });
    let due = false;
    follow({ kind: 'decision' }, signal, (kind, d) => {
        if (kind !== 'decision')
            return;
        d.id = d.decision;
        remember(d);
        if (held || rows.some((r) => r.id === d.id))
            return;
        rows.unshift(d);
        rows.length = Math.min(rows.length, 2000);
        if (!due) { // a flood of them costs a few looks a second
            due = true;
            setTimeout(() => { due = false; if (!signal.aborted) draw(); }, 300);
        }
    }, (there) => {
        live.classList.toggle('on', there);
        fill(live, there ? 'live' : 'connecting');
    });
}

export default { name: 'decisions', title: 'Decisions', show };
