// Calls that there are now, of every b2bua.
import { get } from './api.js';
import { add, badge, dialog, duration, facts, fill, h, time } from './dom.js';
import { ladder } from './ladder.js';
import { holds, search } from './search.js';
import { poll } from './poll.js';
import { table } from './table.js';
import { traced } from './trace.js';

const clock = (text) => text.slice(11, 23);

/** What has happened to it so far, as its b2bua tells it. */
function way(c) {
    const steps = [
        { from: 0, to: 1, text: `INVITE ${c.called}`, at: clock(c.began) },
        { from: 1, to: 2, text: `INVITE ${c.called}`, sub: 'a dialog of its own' },
    ];
    if (c.early_media)
        steps.push({ from: 2, to: 1, text: 'early media', kind: 'odd' }, { from: 1, to: 0, text: 'early media', kind: 'odd' });
    if (c.taken)
        steps.push({ from: 2, to: 1, text: '200', at: clock(c.taken), kind: 'good' }, { from: 1, to: 0, text: '200', kind: 'good' });
    return ladder([[c.caller, c.from], ['b2bua', c.node], [c.called, c.to]], steps, 'The way of this call');
}

function open(c) {
    const box = dialog(`${c.caller} to ${c.called}`, facts([
        ['State', c.taken ? badge('talking', 'good') : badge('ringing', 'odd')], ['By', `${c.from} to ${c.to}`],
        ['Began', time(c.began)], ['Taken', c.taken && time(c.taken)],
        ['SRTP', `${c.srtp_caller}, ${c.srtp_callee}`], ['b2bua', c.node], ['Call-ID', c.call_id]]));
    add(box.querySelector('.body'), [h('h3', {}, 'How it went'), way(c), traced({ call_id: c.call_id })]);
}

async function show(page, query, signal) {
    let rows = [], total = 0, typed = '';
    const count = h('span', { class: 'count' });
    const list = table([
        { name: 'From', cell: (c) => c.caller, class: 'main' },
        { name: 'To', cell: (c) => c.called, class: 'main' },
        { name: 'State', cell: (c) => (c.taken ? badge('talking', 'good') : badge('ringing', 'odd')) },
        { name: 'By', cell: (c) => `${c.from} to ${c.to}` },
        { name: 'Since', cell: (c) => time(c.taken ?? c.began) },
        { name: 'For', cell: (c) => duration((Date.now() - Date.parse(c.taken ?? c.began)) / 1000), class: 'num' },
        { name: 'b2bua', cell: (c) => c.node },
    ], { label: 'Calls', empty: 'Nobody calls.', open, key: (c) => c.node + c.call_id });

    function draw() {
        const found = rows.filter((c) => holds(typed, c.caller, c.called, c.from, c.to, c.node, c.call_id));
        fill(count, total > rows.length ? `${found.length} of ${total}` : String(found.length));
        list.show(found);
    }

    fill(page, h('div', { class: 'tools' }, search('Search', '', (t) => { typed = t; draw(); }), count), list.element);
    await poll(2, signal, async () => {
        const { nodes } = await get(['nodes'], {}, signal);
        rows = nodes.flatMap((n) => (n.state.calls ?? []).map((c) => ({ ...c, node: n.node })));
        total = nodes.reduce((n, node) => n + (node.state.n_calls ?? 0), 0);
        draw();
    });
}

export default { name: 'calls', title: 'Calls', show };
