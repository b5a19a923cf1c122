// Trunks: what authd may answer challenges for, and how their targets are, as each b2bua sees them.
import { get, pages } from './api.js';
import { badge, dialog, facts, fill, h, time } from './dom.js';
import { holds, search } from './search.js';
import { poll } from './poll.js';
import { table } from './table.js';

const KINDS = { up: 'good', down: 'bad', unknown: 'odd', registered: 'good', refused: 'bad' };

/** The same trunk, as records have it and as each b2bua sees it. */
function joined(records, nodes) {
    const all = new Map(records.map((t) => [t.trunk, { name: t.trunk, record: t, seen: [] }]));
    for (const n of nodes) {
        for (const t of n.state.trunks ?? []) {
            if (!all.has(t.name))
                all.set(t.name, { name: t.name, seen: [] });
            all.get(t.name).seen.push({ node: n.node, ...t });
        }
    }
    return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function health(t) {
    if (!t.seen.length)
        return badge('no b2bua has it');
    return t.seen.map((s) => [badge(t.seen.length > 1 ? `${s.node}: ${s.state}` : s.state, KINDS[s.state]), ' ']);
}

function open(t) {
    dialog(t.name,
        t.seen.map((s) => h('section', {}, h('h3', {}, `As ${s.node} sees it`), facts([
            ['State', badge(s.state, KINDS[s.state])],
            ['Registration', s.registration && [s.registration.state, s.registration.why].filter(Boolean).join(': ')],
        ]), s.targets.map((target) => facts([
            ['Target', h('code', {}, target.uri)], ['State', badge(target.state, KINDS[target.state])],
            ['Address', target.address], ['Since', target.since && time(target.since)],
            ['Answered', target.status && `${target.status} after ${target.took_ms} ms`],
            ['Why', target.why], ['Priority', `${target.priority}, weight ${target.weight}`],
        ])))),
        t.record ? h('section', {}, h('h3', {}, 'What authd answers challenges for'), facts([
            ['Targets', t.record.targets], ['Certificates', t.record.certificates], ['Domains', t.record.domains],
            ['Credentials', t.record.credentials.map((c) => `${c.user} in ${c.realm}${c.route ? ` for ${c.route}` : ''}`)],
            ['Changed', t.record.changed],
        ])) : h('p', { class: 'hint' }, 'authd has no credentials for it: csctl trunk add.'));
}

async function show(page, query, signal) {
    let rows = [], typed = '';
    const count = h('span', { class: 'count' });
    const list = table([
        { name: 'Trunk', cell: (t) => t.name, class: 'main' },
        { name: 'Health', cell: health },
        { name: 'Targets', cell: (t) => (t.seen[0]?.targets.map((x) => x.uri) ?? t.record.targets).join(', '), class: 'long' },
        { name: 'Registration', cell: (t) => t.seen.filter((s) => s.registration).map((s) => [badge(s.registration.state, KINDS[s.registration.state]), ' ']) },
        { name: 'Credentials', cell: (t) => (t.record ? t.record.credentials.map((c) => c.realm).join(', ') : ''), class: 'long' },
    ], { label: 'Trunks', empty: 'There is no trunk.', open, key: (t) => t.name });

    function draw() {
        const found = rows.filter((t) => holds(typed, t.name, ...(t.record?.targets ?? []), ...(t.seen[0]?.targets.map((x) => x.uri) ?? [])));
        fill(count, String(found.length));
        list.show(found);
    }

    fill(page, h('div', { class: 'tools' }, search('Search', '', (t) => { typed = t; draw(); }), count), list.element);
    await poll(5, signal, async () => {
        const [records, { nodes }] = await Promise.all([pages(['trunks'], 'trunks', { limit: 500 }, 5000, signal), get(['nodes'], {}, signal)]);
        rows = joined(records.all, nodes);
        draw();
    });
}

export default { name: 'trunks', title: 'Trunks', show };
