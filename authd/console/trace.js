// SIP messages of a call or a registration as they come and go: a ladder that grows. Their secrets were masked where
// they were seen.
import { trace } from './api.js';
import { button, fill, h } from './dom.js';
import { ladder } from './ladder.js';
import { may } from './session.js';

const SECONDS = 120, SHOWN = 60;

/** "INVITE bob" or "200 OK (INVITE)". */
function label(text) {
    const [first] = text.split('\r\n', 1);
    const status = /^SIP\/2\.0 (\d+ .*)$/.exec(first), request = /^(\S+) (?:sips?:)?([^@;\s]+)/.exec(first);
    const method = /^CSeq:\s*\d+\s+(\S+)/im.exec(text)?.[1] ?? '';
    return status ? `${status[1]} (${method})` : request ? `${request[1]} ${request[2]}` : first;
}

function kind(text) {
    const status = Number(/^SIP\/2\.0 (\d+)/.exec(text)?.[1]);
    return status >= 400 && status !== 401 && status !== 407 ? 'bad' : status >= 300 ? 'odd' : status >= 200 ? 'good' : '';
}

/** What links carried is told by both ends: each is drawn once. */
export class Exchange {
    lanes = [];
    steps = [];
    copies = new Set();
    texts = [];

    lane(name, where) {
        const at = this.lanes.findIndex((l) => l[0] === name);
        return at >= 0 ? at : this.lanes.push([name, where]) - 1;
    }

    add(m) {
        const link = m.transport === 'link';
        if (link && this.copies.delete(m.message))
            return;
        if (link)
            this.copies.add(m.message);
        const other = m.peer ? [m.peer, ''] : m.remote ? [m.remote, m.transport] : ['link', ''];
        const ends = m.direction === 'sent' ? [[m.node, m.role], other] : [other, [m.node, m.role]];
        const [from, to] = ends.map((e) => this.lane(...e));
        this.steps.push({ from, to, text: label(m.message), sub: m.cause ?? '', at: m.time.slice(11, 23), kind: kind(m.message) });
        this.texts.push(`${m.time}  ${ends[0][0]} to ${ends[1][0]}${m.cause ? `  ${m.cause} ${m.decision ?? ''}` : ''}\n\n${m.message}`);
    }
}

/** What traces this call (query of GET /v1/trace), once its button is pressed, until its dialog is closed. */
export function traced(query) {
    if (!may('operate'))
        return null;
    const place = h('div', {}), say = h('p', { class: 'hint', role: 'status' });
    const ending = new AbortController();
    const go = button('Trace messages', async () => {
        const seen = new Exchange();
        const texts = h('pre', {}), all = h('details', {}, h('summary', {}, 'The messages'), texts);
        let n = 0, dropped = 0;
        const tell = () => {
            fill(say, `${n} messages${dropped ? `, ${dropped} more were dropped` : ''}. Secrets are masked.`);
        };
        go.disabled = true;
        go.closest('dialog')?.addEventListener('close', () => { ending.abort(); });
        fill(say, `Listening for ${SECONDS} s\u2026`);
        try {
            await trace({ ...query, seconds: SECONDS }, ending.signal, (what, m) => {
                if (what === 'dropped')
                    dropped += m.messages;
                if (what === 'message') {
                    n++;
                    seen.add(m);
                    fill(place, ladder(seen.lanes, seen.steps.slice(-SHOWN), 'Messages of this exchange'), all);
                    fill(texts, seen.texts.slice(-SHOWN).join('\n'));
                }
                tell();
            });
        } catch (e) {
            if (!ending.signal.aborted)
                fill(say, e.message);
        }
        go.disabled = false;
    }, { class: 'quiet' });
    return h('section', { class: 'trace' }, h('h3', {}, 'Its messages'), h('p', {}, go), say, place);
}
