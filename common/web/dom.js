// Elements. Whatever is shown becomes text nodes and attributes, never HTML: names, contacts and User-Agents are
// written by strangers.

/** h('p', { class: 'x', onclick: f }, 'text', element, [more], null): an element. */
export function h(tag, props = {}, ...children) {
    const el = document.createElement(tag);
    for (const [name, value] of Object.entries(props)) {
        if (value === undefined || value === null || value === false)
            continue;
        if (name.startsWith('on'))
            el.addEventListener(name.slice(2), value);
        else
            el.setAttribute(name, value === true ? '' : value);
    }
    add(el, children);
    return el;
}

export function add(el, children) {
    for (const child of [children].flat(Infinity)) {
        if (child !== undefined && child !== null && child !== false)
            el.append(child);
    }
}

export function fill(el, ...children) {
    el.replaceChildren();
    add(el, children);
    return el;
}

export const button = (text, onclick, props = {}) => h('button', { type: 'button', onclick, ...props }, text);

/** A labelled input; more goes to it. */
export function field(label, name, more = {}, hint) {
    const id = `f-${name}`;
    return h('div', { class: 'field' }, h('label', { for: id }, label), h('input', { id, name, ...more }),
        hint && h('p', { class: 'hint' }, hint));
}

export function select(label, name, options, value) {
    const id = `f-${name}`;
    return h('div', { class: 'field' }, h('label', { for: id }, label), h('select', { id, name }, options.map((o) => {
        const [v, text] = Array.isArray(o) ? o : [o, o];
        return h('option', { value: v, selected: v === value }, text);
    })));
}

/** Definitions of what there is of it; rows are [name, value or element]. */
export function facts(rows) {
    return h('dl', { class: 'facts' }, rows.filter(([, v]) => v !== undefined && v !== null && v !== '' && v?.length !== 0)
        .map(([name, v]) => [h('dt', {}, name), h('dd', {}, Array.isArray(v) ? v.join(', ') : v)]));
}

export const badge = (text, kind = '') => h('span', { class: `badge ${kind}` }, text);

/** A dialog that closes by Escape and gives the focus back; body is shown beneath the title. */
export function dialog(title, ...body) {
    const box = h('dialog', { 'aria-labelledby': 'dialog-title' });
    const close = () => { box.close(); };
    add(box, [
        h('div', { class: 'bar' }, h('h2', { id: 'dialog-title' }, title),
            button('Close', close, { class: 'quiet', 'aria-keyshortcuts': 'Escape' })),
        h('div', { class: 'body' }, body),
    ]);
    box.addEventListener('close', () => { box.remove(); });
    document.body.append(box);
    box.showModal();
    return box;
}

/** Asks before something is done that others feel. act may throw, which is shown there. */
export function confirm(title, text, verb, act) {
    const wrong = h('p', { class: 'wrong', role: 'alert' });
    const go = button(verb, async () => {
        go.disabled = true;
        try {
            await act();
            box.close();
        } catch (e) {
            fill(wrong, e.message);
            go.disabled = false;
        }
    }, { class: 'danger' });
    const box = dialog(title, h('p', {}, text), wrong, h('p', { class: 'actions' }, go));
    go.focus();
}

/** A form in a dialog; act gets its values (strings) and the dialog, and may throw what is shown. */
export function ask(title, fields, verb, act) {
    const wrong = h('p', { class: 'wrong', role: 'alert' });
    const go = h('button', { type: 'submit' }, verb);
    const form = h('form', {
        onsubmit: async (e) => {
            e.preventDefault();
            go.disabled = true;
            fill(wrong);
            try {
                await act(Object.fromEntries(new FormData(form)), box);
            } catch (x) {
                fill(wrong, x.message);
            }
            go.disabled = false;
        },
    }, fields, wrong, h('p', { class: 'actions' }, go));
    const box = dialog(title, form);
    form.querySelector('input, select')?.focus();
    return box;
}

/** A line that goes by itself, and is read out. */
export function note(text, bad = false) {
    const line = h('p', { class: bad ? 'bad' : '' }, text);
    document.getElementById('notes').append(line);
    setTimeout(() => { line.remove(); }, bad ? 10000 : 5000);
}

const two = (n) => String(n).padStart(2, '0');

/** 14:03:59 today, else with the day; the whole of it as a title. */
export function time(text) {
    if (!text)
        return '';
    const t = new Date(text), now = new Date();
    const clock = `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
    const day = `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
    return h('time', { datetime: text, title: text },
        t.toDateString() === now.toDateString() ? clock : `${day} ${clock.slice(0, 5)}`);
}

/** Seconds as people say them. */
export function duration(s) {
    if (s < 120)
        return `${Math.max(0, Math.round(s))} s`;
    if (s < 7200)
        return `${Math.round(s / 60)} min`;
    return s < 172800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
}
