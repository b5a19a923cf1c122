// A table whose rows can be gone through by keyboard, and that becomes a list of cards where there is little room.
import { h, fill } from './dom.js';

/**
 * columns: [{ name, cell(row): text or element, class }]; options: empty (a sentence), open(row) for Enter and click,
 * label (what the table is, for who cannot see it). show(rows) replaces what is shown; the focus stays where it was.
 */
export function table(columns, { empty, open, label, key = (row) => row.id }) {
    const body = h('tbody');
    const nothing = h('p', { class: 'empty' }, empty);
    const element = h('div', { class: 'table' },
        h('table', { 'aria-label': label }, h('thead', {}, h('tr', {}, columns.map((c) =>
            h('th', { scope: 'col', class: c.class }, c.name || h('span', { class: 'unseen' }, 'Actions'))))), body), nothing);

    function line(row) {
        const tr = h('tr', { 'data-key': key(row), tabindex: open && '0', class: open && 'open' },
            columns.map((c) => h('td', { 'data-name': c.name, class: c.class }, c.cell(row) ?? '')));
        if (open) {
            tr.addEventListener('click', (e) => {
                if (!e.target.closest('button, a') && !String(getSelection()))
                    open(row);
            });
            tr.addEventListener('keydown', (e) => {
                if (e.target === tr && (e.key === 'Enter' || e.key === ' ')) {
                    e.preventDefault();
                    open(row);
                }
            });
        }
        return tr;
    }

    function show(rows) {
        const old = document.activeElement?.closest?.('tr');
        const kept = old && body.contains(old) ? [old.dataset.key, [...old.querySelectorAll('button')].indexOf(document.activeElement)] : null;
        fill(body, rows.map(line));
        nothing.hidden = rows.length > 0;
        if (kept) {
            const tr = [...body.rows].find((r) => r.dataset.key === kept[0]);
            (tr?.querySelectorAll('button')[kept[1]] ?? tr)?.focus();
        }
    }

    body.addEventListener('keydown', (e) => {
        const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[e.key];
        const tr = e.target.closest('tr');
        if (!step || !tr || e.target !== tr)
            return;
        e.preventDefault();
        [...body.rows].at([...body.rows].indexOf(tr) + step)?.focus();
    });
    show([]);
    return { element, show };
}
