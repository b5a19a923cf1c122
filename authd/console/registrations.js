// What is registered, read from Redis: the same whichever authd is asked.
import { get, pages, remove } from './api.js';
import { add, badge, button, confirm, dialog, duration, facts, fill, h, note, time } from './dom.js';
import { holds, search } from './search.js';
import { may } from './session.js';
import { poll } from './poll.js';
import { table } from './table.js';
import { journey } from './ladder.js';
import { traced } from './trace.js';

const STEP = 300;

/** sip:1001@192.0.2.7:5060;transport=TLS: what matters of it in a list. */
const short = (contact) => contact.replace(/^sips?:/, '').replace(/;.*/, '');
const transport = (b) => (/;transport=(\w+)/i.exec(b.contact)?.[1] ?? (b.path.length ? '' : 'udp')).toLowerCase();

async function show(page, query, signal) {
    let rows = [], more = false, typed = (query.get('q') ?? '').toLowerCase(), enough = STEP, one = null;
    const count = h('span', { class: 'count' });
    const further = button('Read more', async () => { enough += STEP; await look(); }, { class: 'quiet' });
    const input = search('Search, or Enter for an address of record', query.get('q') ?? '', (t) => { typed = t; one = null; draw(); }, async (text) => {
        one = text.includes('@') ? text : null;
        await look();
    });
    const list = table([
        { name: 'Address of record', cell: (b) => b.aor.replace(/^sips?:/, ''), class: 'main' },
        { name: 'Contact', cell: (b) => [short(b.contact), ' ', transport(b) && badge(transport(b))], class: 'mono' },
        { name: 'From', cell: (b) => b.source ?? '', class: 'mono' },
        { name: 'User-Agent', cell: (b) => b.user_agent ?? '', class: 'long' },
        { name: 'Registrar', cell: (b) => b.registrar ?? '' },
        { name: 'Since', cell: (b) => time(b.since) },
        { name: 'Left', cell: (b) => duration(b.expires), class: 'num' },
    ], { label: 'Registrations', empty: 'Nothing is registered here.', open, key: (b) => b.aor + b.contact });

    function draw() {
        const found = rows.filter((b) => holds(typed, b.aor, b.contact, b.user_agent, b.source, b.registrar, b.user));
        fill(count, `${found.length}${more ? ' of those read' : ''}`);
        further.hidden = !more;
        list.show(found);
    }

    async function look() {
        if (one) {
            ({ bindings: rows } = await get(['bindings', one], {}, signal));
            more = false;
        } else {
            ({ all: rows, more } = await pages(['bindings'], 'bindings', { limit: 100 }, enough, signal));
        }
        draw();
    }

    function open(b) {
        const box = dialog(b.aor.replace(/^sips?:/, ''), facts([
            ['Contact', h('code', {}, b.contact)], ['Expires', [`in ${duration(b.expires)}`]], ['Since', time(b.since)],
            ['User', b.user], ['From', b.source], ['User-Agent', b.user_agent], ['Registrar', b.registrar],
            ['Path', b.path], ['Instance', b.instance], ['reg-id', b.reg_id], ['q', b.q], ['Call-ID', b.call_id],
            ['CSeq', b.cseq], ['Token', b.token && `${b.token.sub ?? ''} of ${b.token.iss}, until ${b.token.expires ?? '?'}`],
        ]));
        add(box.querySelector('.body'), [
            journey({ call_id: b.call_id, aor: b.aor, source: b.source, binding: b }),
            traced({ user: b.aor }),
            may('operate') && h('p', { class: 'actions' }, button('Remove registrations', () => {
                box.close();
                confirm('Remove registrations', `All that is registered for ${b.aor} goes. The phone comes back when it ` +
                    'registers again; disable the user to keep it out.', 'Remove', async () => {
                    await remove(['bindings', b.aor]);
                    note(`Nothing is registered for ${b.aor} now.`);
                    await look();
                });
            }, { class: 'danger' })),
        ]);
    }

    fill(page, h('div', { class: 'tools' }, input, count, further), list.element);
    await poll(5, signal, look);
}

export default { name: 'registrations', title: 'Registrations', show };
