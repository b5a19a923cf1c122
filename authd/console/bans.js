// Who is shut out, why and until when; the same at every authd.
import { pages, post, remove } from './api.js';
import { ask, badge, button, confirm, field, fill, h, note, select, time } from './dom.js';
import { holds, search } from './search.js';
import { may } from './session.js';
import { poll } from './poll.js';
import { table } from './table.js';

const TIMES = [['2700', '45 minutes'], ['3600', 'an hour'], ['86400', 'a day'], ['604800', 'a week'], ['31536000', 'a year']];

async function show(page, query, signal) {
    let rows = [], typed = '';
    const count = h('span', { class: 'count' });
    const list = table([
        { name: 'Source', cell: (b) => `${b.source}${b.port ? ` port ${b.port}` : ''}`, class: 'main mono' },
        { name: 'User', cell: (b) => b.user ?? '' },
        { name: 'By', cell: (b) => badge(b.by, b.by === 'operator' ? 'odd' : '') },
        { name: 'Reason', cell: (b) => b.reason, class: 'long' },
        { name: 'Since', cell: (b) => time(b.since) },
        { name: 'Until', cell: (b) => time(b.until) },
        { name: '', cell: (b) => may('operate') && button('Lift', () => { lift(b); }, { class: 'quiet', 'aria-label': `Lift the ban of ${b.source}` }) },
    ], { label: 'Bans', empty: 'Nobody is banned.' });

    function draw() {
        const found = rows.filter((b) => holds(typed, b.source, b.user, b.reason, b.by));
        fill(count, String(found.length));
        list.show(found);
    }

    async function look() {
        rows = (await pages(['bans'], 'bans', {}, 5000, signal)).all;
        draw();
    }

    function lift(b) {
        confirm('Lift the ban', `What comes from ${b.source} is read again${b.user ? ` for ${b.user}` : ''}.`, 'Lift', async () => {
            await remove(['bans', b.id]);
            note(`The ban of ${b.source} is lifted.`);
            await look();
        });
    }

    function make() {
        ask('Ban', [field('Source', 'source', { required: true, placeholder: '192.0.2.1 or 192.0.2.0/24' }),
            field('User', 'user', { placeholder: 'name@realm' }, 'Empty: nothing from there is read.'),
            field('Reason', 'reason', { maxlength: 200 }), select('For', 'seconds', TIMES, '2700')], 'Ban', async (v, box) => {
            await post(['bans'], { source: v.source.trim(), user: v.user.trim() || undefined, reason: v.reason || undefined, seconds: Number(v.seconds) });
            box.close();
            note(`${v.source} is banned.`);
            await look();
        });
    }

    fill(page, h('div', { class: 'tools' }, search('Search', '', (t) => { typed = t; draw(); }), count,
        may('operate') && button('Ban\u2026', make)), list.element);
    await poll(5, signal, look);
}

export default { name: 'bans', title: 'Bans', show };
