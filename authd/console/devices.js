// Devices: how safe a phone has to be, and whose lines it has.
import { pages, patch, post, remove } from './api.js';
import { ask, badge, button, confirm, dialog, facts, field, fill, h, note, select, time } from './dom.js';
import { holds, search } from './search.js';
import { may } from './session.js';
import { table } from './table.js';

const SECURITY = [['nonsecure', 'any transport'], ['authenticated', 'TLS and WSS alone'], ['encrypted', 'TLS and WSS, and SRTP alone']];
const words = (text) => text.split(/[\s,]+/).filter(Boolean);

async function show(page, query, signal) {
    let rows = [], typed = '', more = false;
    const count = h('span', { class: 'count' });
    const list = table([
        { name: 'Device', cell: (d) => d.device, class: 'main' },
        { name: 'State', cell: (d) => (d.enabled ? badge('enabled', 'good') : badge('disabled', 'bad')) },
        { name: 'Security', cell: (d) => badge(d.security, d.security === 'nonsecure' ? '' : 'good') },
        { name: 'Lines', cell: (d) => d.lines.join(', '), class: 'long' },
        { name: 'Certificates', cell: (d) => (d.pins.length ? `${d.pins.length} pinned` : 'by name') },
        { name: 'Note', cell: (d) => d.note, class: 'long' },
        { name: 'Changed', cell: (d) => time(d.changed) },
    ], { label: 'Devices', empty: 'There is no device.', open, key: (d) => d.device });

    function draw() {
        const found = rows.filter((d) => holds(typed, d.device, d.note, d.security, ...d.lines));
        fill(count, `${found.length}${more ? ' of those read' : ''}`);
        list.show(found);
    }

    async function look() {
        ({ all: rows, more } = await pages(['devices'], 'devices', { limit: 500 }, 5000, signal));
        draw();
    }

    function edit(d) {
        ask(d ? d.device : 'New device', [
            !d && field('Name', 'device', { required: true, maxlength: 64, pattern: '[A-Za-z0-9._\\-]+', placeholder: 'SEP001122334455' }),
            field('Lines', 'lines', { value: d?.lines.join(' ') ?? '', placeholder: 'alice@example.com' }, 'Users that speak through it, name@realm.'),
            select('Security', 'security', SECURITY, d?.security ?? 'nonsecure'),
            field('Pins', 'pins', { value: d?.pins.join(' ') ?? '', placeholder: 'sha256:\u2026 or spki:\u2026' }, 'Without any, a certificate of its name will do.'),
            field('Note', 'note', { value: d?.note ?? '', maxlength: 256 }),
        ], d ? 'Change' : 'Create', async (v, box) => {
            const fields = { lines: words(v.lines), security: v.security, pins: words(v.pins), note: v.note };
            await (d ? patch(['devices', d.device], fields) : post(['devices'], { device: v.device, ...fields }));
            box.close();
            note(d ? `${d.device} is changed.` : `${v.device} is created.`);
            await look();
        });
    }

    function open(d) {
        const box = dialog(d.device, facts([['State', d.enabled ? badge('enabled', 'good') : badge('disabled', 'bad')],
            ['Security', d.security], ['Lines', d.lines], ['Pins', d.pins], ['Note', d.note], ['Created', d.created],
            ['Changed', d.changed]]), h('p', { class: 'actions' },
            may('operate') && button('Change\u2026', () => { box.close(); edit(d); }),
            may('operate') && button('Reset\u2026', () => {
                box.close();
                confirm('Reset the device', `What ${d.device} registered ends, and its connections are closed. ` +
                    'It may register again at once.', 'Reset', async () => {
                    const r = await post(['revocations'], { device: d.device, reason: 'reset from the console' });
                    if (r.id)
                        await remove(['revocations', r.id]);
                    note(`${d.device} has to register anew.`);
                });
            }, { class: 'danger' }),
            may('operate') && button(d.enabled ? 'Disable' : 'Enable', async () => {
                await patch(['devices', d.device], { enabled: !d.enabled });
                box.close();
                await look();
            }, { class: d.enabled ? 'danger' : '' }),
            may('administer') && button('Remove', () => {
                box.close();
                confirm('Remove the device', `${d.device} is removed; its certificate proves nothing any more.`, 'Remove', async () => {
                    await remove(['devices', d.device]);
                    await look();
                });
            }, { class: 'danger' })));
    }

    fill(page, h('div', { class: 'tools' }, search('Search', '', (t) => { typed = t; draw(); }), count,
        may('administer') && button('New device\u2026', () => { edit(null); })), list.element);
    await look();
}

export default { name: 'devices', title: 'Devices', show };
