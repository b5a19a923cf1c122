// What the page of tests/e2e/browser holds: both libraries as they come, and what an application brings.
import JsSIP from 'jssip';
import * as SIP from 'sip.js';

Object.assign(window, { JsSIP, SIP });

// From the application's server, which asks its identity provider, or authd's POST /v1/tickets.
window.fetchToken = async () => (await fetch('/token')).text();
window.fetchTicket = window.fetchToken;

// Resolves when test() says something true; why is for people.
window.until = async (why, test, seconds = 10) => {
    for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
        const found = await test();
        if (found)
            return found;
        await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
    throw new Error(`${why}: not within ${seconds} s`);
};

// What came and went over a peer connection, whether it could be heard, and whether DTLS has agreed on keys.
window.media = async (pc) => {
    const got = { sent: 0, received: 0, energy: 0, level: 0, dtls: '', cipher: '' };
    for (const s of (await pc.getStats()).values()) {
        if (s.type === 'outbound-rtp')
            got.sent += s.packetsSent;
        else if (s.type === 'inbound-rtp')
            Object.assign(got, { received: s.packetsReceived, energy: s.totalAudioEnergy, level: s.audioLevel });
        else if (s.type === 'transport')
            Object.assign(got, { dtls: s.dtlsState, cipher: s.srtpCipher });
    }
    return got;
};
