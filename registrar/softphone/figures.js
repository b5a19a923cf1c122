// What can be seen of a call: levels both ways, packets, and how they are encrypted (getStats, twice a second).
import { facts, fill, h } from './dom.js';

const SILENCE = -60; // dB

/** 0 to 1 of a level as getStats has it: what is half as loud shows as a step less, not as half. */
const scale = (level) => (level > 0 ? Math.max(0, 1 - 20 * Math.log10(level) / SILENCE) : 0);

const bar = (label) => h('meter', { min: 0, max: 1, low: 0.02, value: 0, 'aria-label': label });

function read(stats) {
    const all = [...stats.values()];
    const of = (type) => all.find((s) => s.type === type && (!s.kind || s.kind === 'audio')) ?? {};
    const sent = of('outbound-rtp'), got = of('inbound-rtp'), path = all.find((s) => s.type === 'transport') ?? {};
    const pair = stats.get(path.selectedCandidatePairId) ?? {};
    return {
        level: { mine: of('media-source').audioLevel, theirs: got.audioLevel },
        sent: sent.packetsSent ?? 0, received: got.packetsReceived ?? 0, lost: got.packetsLost ?? 0,
        codec: stats.get(got.codecId ?? sent.codecId)?.mimeType?.replace('audio/', '') ?? '',
        jitter: got.jitter === undefined ? '' : `${Math.round(got.jitter * 1000)} ms`,
        trip: pair.currentRoundTripTime === undefined ? '' : `${Math.round(pair.currentRoundTripTime * 1000)} ms`,
        cipher: path.srtpCipher ?? '', by: stats.get(pair.localCandidateId)?.candidateType ?? '',
    };
}

/** Shows them in el until the function that it returns is called. */
export function watch(connection, el) {
    const mine = bar('Level of the microphone'), theirs = bar('Level of the other side'), table = h('div', {});
    const look = async () => {
        const s = read(await connection.getStats());
        mine.value = scale(s.level.mine);
        theirs.value = scale(s.level.theirs);
        fill(table, facts([
            ['Packets', `${s.sent} sent, ${s.received} received, ${s.lost} lost`], ['Codec', s.codec], ['Jitter', s.jitter],
            ['Round trip', s.trip], ['Encrypted', s.cipher], ['Path', s.by],
        ]));
    };
    fill(el, h('div', { class: 'level' }, h('span', {}, 'Microphone'), mine, h('span', {}, 'Other side'), theirs), table);
    look();
    const timer = setInterval(look, 500);
    return () => { clearInterval(timer); };
}
