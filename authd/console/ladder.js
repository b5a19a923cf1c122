// A ladder of who said what to whom: one REGISTER, INVITE or call as authd judged it. Messages themselves are not kept
// anywhere, so no credential can be in it: where one was shown, its kind is named.
import { get } from './api.js';
import { h, fill } from './dom.js';

const NS = 'http://www.w3.org/2000/svg';
const LEFT = 96, ROW = 44, HEAD = 52;

function s(tag, props, text) {
    const el = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(props))
        el.setAttribute(name, value);
    if (text !== undefined)
        el.textContent = text;
    return el;
}

const cut = (text, n) => (text.length > n ? `${text.slice(0, n - 1)}\u2026` : text);

/** lanes: [name, where it is]; steps: { from, to (numbers of lanes), text, sub, at, kind }. */
export function ladder(lanes, steps, label) {
    const lane = lanes.length > 3 ? 180 : 250;
    const width = LEFT + lane * (lanes.length - 1) + 96, height = HEAD + ROW * steps.length + 16;
    const svg = s('svg', { viewBox: `0 0 ${width} ${height}`, width, class: 'ladder', role: 'img', 'aria-label': label });
    const x = (i) => LEFT + i * lane;
    lanes.forEach(([name, where], i) => {
        svg.append(s('line', { x1: x(i), x2: x(i), y1: HEAD - 14, y2: height - 6, class: 'lane' }),
            s('text', { x: x(i), y: 16, class: 'head' }, cut(name, 24)),
            s('text', { x: x(i), y: 31, class: 'sub' }, cut(where ?? '', 28)));
    });
    steps.forEach((step, i) => {
        const y = HEAD + ROW * i + 22, a = x(step.from), b = x(step.to), d = a < b ? 1 : -1;
        const g = s('g', { class: `step ${step.kind ?? ''}` });
        g.append(s('line', { x1: a, x2: b - 7 * d, y1: y, y2: y }),
            s('path', { d: `M${b} ${y}l${-9 * d} -4v8z` }),
            s('text', { x: (a + b) / 2, y: y - 6 }, cut(step.text, lane / 6.5)));
        if (step.sub)
            g.append(s('text', { x: (a + b) / 2, y: y + 14, class: 'sub' }, cut(step.sub, lane / 6)));
        if (step.at)
            g.append(s('text', { x: a + (d > 0 ? -8 : 8), y: y + 4, class: `at ${d > 0 ? 'before' : 'behind'}` }, step.at));
        svg.append(g);
    });
    return h('figure', { class: 'scroll' }, svg, h('ol', { class: 'unseen' }, steps.map((t) =>
        h('li', {}, `${t.at ?? ''} ${lanes[t.from][0]} to ${lanes[t.to][0]}: ${t.text} ${t.sub ?? ''}`))));
}

const clock = (text) => text.slice(11, 23);
const KINDS = { accept: 'good', challenge: 'odd', reject: 'bad', later: 'bad' };

/** What authd knows of one decision, as four steps of it. */
function steps(d) {
    const shown = d.algorithm ? `Authorization: Digest ${d.algorithm}, ***` : d.issuer ? 'Authorization: Bearer ***' : '';
    const answer = d.verdict === 'accept' ? `passes${d.method === 'REGISTER' ? ', 200' : ''}` : String(d.status ?? '');
    return [
        { from: 0, to: 1, text: `${d.method ?? 'request'} ${d.aor ?? ''}`, sub: shown, at: clock(d.time) },
        { from: 1, to: 2, text: 'may it pass?', sub: d.transport && `over ${d.transport}` },
        { from: 2, to: 1, text: d.verdict, sub: d.because ?? d.cause, kind: KINDS[d.verdict] },
        { from: 1, to: 0, text: answer, sub: d.status && d.verdict === 'challenge' ? 'with a challenge' : '', kind: KINDS[d.verdict] },
    ];
}

/** Decisions of one Call-ID or so, the oldest first, as a ladder. */
export function decided(list) {
    const d = list.at(-1);
    return ladder([[d.user_agent?.split(/[ /]/)[0] || 'phone', d.source], [d.trunk ? 'b2bua' : 'front', d.listener && `listener ${d.listener}`],
        ['authd', d.group && `peer group ${d.group}`]], list.flatMap(steps).slice(-40),
        `${list.length} requests, the last: ${d.verdict}, ${d.cause}`);
}

const seen = []; // decisions of this tab's stream, the newest last
export function remember(d) {
    seen.push(d);
    if (seen.length > 2000)
        seen.splice(0, 500);
}

/** All that is known of the Call-ID: what this tab saw happen, and refusals that authd remembers. */
export async function related(callId) {
    const { decisions } = callId ? await get(['decisions'], { call_id: callId, limit: 20 }) : { decisions: [] };
    const all = new Map(decisions.map((d) => [d.id, d]));
    for (const d of seen) {
        if (callId && d.call_id === callId)
            all.set(d.decision, { id: d.decision, ...d });
    }
    return [...all.values()].sort((a, b) => (a.time < b.time ? -1 : 1));
}

/** The way of a registration: what was judged of its Call-ID, and the binding that came of it. */
export function journey({ call_id: callId, source, binding: b }) {
    const box = h('section', { class: 'journey' }, h('h3', {}, 'How it went'));
    const place = h('div', {}, h('p', { class: 'hint' }, 'reading\u2026'));
    box.append(place);
    related(callId).then((list) => {
        const lanes = [[b.user_agent?.split(/[ /]/)[0] || 'phone', source], ['registrar', b.registrar], ['authd'], ['Redis']];
        const before = list.filter((d) => d.verdict !== 'accept').flatMap(steps);
        const last = list.findLast((d) => d.verdict === 'accept');
        fill(place, ladder(lanes, [...before,
            { from: 0, to: 1, text: `REGISTER, CSeq ${b.cseq}`, sub: last?.algorithm && `Authorization: Digest ${last.algorithm}, ***`, at: last && clock(last.time) },
            { from: 1, to: 2, text: 'may it pass?' },
            { from: 2, to: 1, text: 'accept', sub: `user ${b.user ?? ''}`, kind: 'good' },
            { from: 1, to: 3, text: 'binding, if none was faster', sub: `until ${clock(b.expires_at)}` },
            { from: 1, to: 0, text: '200, Contact', sub: `expires in ${b.expires} s`, kind: 'good' },
        ], 'The way of this registration'));
    }, () => { fill(place, h('p', { class: 'hint' }, 'authd does not say.')); });
    return box;
}
