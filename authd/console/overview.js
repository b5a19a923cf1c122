// How it goes: the four ratios, refusals by cause over time, and who is there. Counts of all nodes, by the minute.
import { get } from './api.js';
import { badge, duration, fill, h, select } from './dom.js';
import { bars } from './plot.js';
import { poll } from './poll.js';
import { table } from './table.js';

const SPANS = [['60', 'the last hour'], ['360', 'the last 6 hours'], ['1440', 'the last day']];
const CAUSES = 5;

const sum = (minutes, name) => minutes.reduce((n, m) => n + (m.counts[name] ?? 0), 0);
const percent = (part, all) => (all ? `${(100 * part / all).toFixed(part === all ? 0 : 1)} %` : '\u2013');

/** The upper bound of the bucket that holds the middle one. */
function median(minutes) {
    const buckets = new Map();
    for (const m of minutes) {
        for (const [name, n] of Object.entries(m.counts)) {
            const at = /^registrar\.register_us\.(\d+|more)$/.exec(name);
            if (at)
                buckets.set(at[1] === 'more' ? Infinity : Number(at[1]), (buckets.get(at[1] === 'more' ? Infinity : Number(at[1])) ?? 0) + n);
        }
    }
    const sorted = [...buckets].sort((a, b) => a[0] - b[0]);
    let left = sorted.reduce((n, [, c]) => n + c, 0) / 2;
    for (const [us, n] of sorted) {
        left -= n;
        if (left <= 0)
            return us === Infinity ? 'more than 5 s' : `under ${us < 1000 ? `${us} \u00b5s` : `${us / 1000} ms`}`;
    }
    return '\u2013';
}

function card(title, figure, text) {
    return h('section', { class: 'card' }, h('h2', {}, title), h('p', { class: 'figure' }, figure), h('p', { class: 'text' }, text));
}

function ratios(minutes) {
    const s = (name) => sum(minutes, `registrar.${name}`);
    const accepted = s('register.accepted'), challenged = s('register.challenged'), refused = s('register.refused'), away = s('register.unavailable');
    const invites = s('invite.accepted'), asked = s('invite.challenged');
    const early = s('early_media.180') + s('early_media.183') + s('early_media.other');
    return [
        card('Challenges that led to success', percent(Math.min(accepted + invites, challenged + asked), challenged + asked),
            `${challenged + asked} challenged, ${accepted + invites} accepted`),
        card('REGISTER that succeeded', percent(accepted, accepted + refused + away), `${accepted} accepted, ${refused} refused, ${away} unavailable`),
        card('Median time of a REGISTER', median(minutes), 'from its arrival to its 200'),
        card('Early media', String(early), 'media before there is a call'),
    ];
}

/** The causes that were most, each by the slot; the others together. */
function causes(minutes, slots) {
    const all = new Map();
    minutes.forEach((m, i) => {
        for (const [name, n] of Object.entries(m.counts)) {
            if (!name.startsWith('refused.'))
                continue;
            const cause = name.slice(8);
            if (!all.has(cause))
                all.set(cause, new Array(slots).fill(0));
            all.get(cause)[Math.floor(i * slots / minutes.length)] += n;
        }
    });
    const total = (values) => values.reduce((a, b) => a + b, 0);
    const sorted = [...all].map(([name, values]) => ({ name, values })).sort((a, b) => total(b.values) - total(a.values));
    const others = sorted.splice(CAUSES);
    if (others.length)
        sorted.push({ name: 'others', values: others[0].values.map((_, i) => others.reduce((n, o) => n + o.values[i], 0)) });
    return sorted;
}

async function show(page, query, signal) {
    const cards = h('div', { class: 'cards' });
    const span = select('Over', 'span', SPANS, '60');
    span.classList.add('inline');
    const plot = bars('Refusals by cause over time', 'Nobody was refused.');
    const nodes = table([
        { name: 'Node', cell: (n) => n.node, class: 'main' },
        { name: 'Is a', cell: (n) => n.role },
        { name: 'State', cell: (n) => (n.state.draining ? badge('draining', 'odd') : badge('serves', 'good')) },
        { name: 'Connections', cell: (n) => (n.state.flows === undefined ? '' : String(n.state.flows)), class: 'num' },
        { name: 'Calls', cell: (n) => (n.state.n_calls === undefined ? '' : String(n.state.n_calls)), class: 'num' },
        { name: 'Up', cell: (n) => (n.state.since ? duration((Date.now() - Date.parse(n.state.since)) / 1000) : ''), class: 'num' },
    ], { label: 'Nodes', empty: 'No registrar and no b2bua says that it is there.', key: (n) => n.role + n.node });
    fill(page, h('div', { class: 'tools' }, span), cards,
        h('section', { class: 'panel' }, h('h2', {}, 'Refusals by cause'), plot.element),
        h('h2', { class: 'apart' }, 'Nodes'), nodes.element);

    async function look() {
        const [{ minutes }, there] = await Promise.all([
            get(['history'], { minutes: span.querySelector('select').value }, signal), get(['nodes'], {}, signal)]);
        fill(cards, ratios(minutes));
        nodes.show(there.nodes);
        const slots = Math.min(60, minutes.length), step = minutes.length / slots;
        await plot.show(Array.from({ length: slots }, (_, i) => Date.parse(minutes[Math.floor(i * step)].time) / 1000), causes(minutes, slots));
    }
    span.addEventListener('change', look);
    await poll(10, signal, look);
}

export default { name: 'overview', title: 'Overview', show };
