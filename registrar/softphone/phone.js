// JsSIP over the WebSocket of this very server: registering, and one call at a time.

const CAUSES = {
    'User Denied Media Access': 'The microphone was not allowed.',
    'Busy': 'Busy.',
    'Rejected': 'The call was refused.',
    'Redirected': 'The call was sent elsewhere.',
    'Unavailable': 'Nobody is there.',
    'Not Found': 'There is no such number or user.',
    'Canceled': 'Nobody answered, or somebody else did.',
    'No Answer': 'Nobody answered.',
    'Connection Error': 'The server is out of reach.',
    'Request Timeout': 'The server does not answer.',
    'Incompatible SDP': 'The other side has no codec or encryption in common with this browser.',
    'Authentication Error': 'The server does not take your password or token.',
};

const GATHERING = 1500; // ms for candidates, from the first one on

/** With the status, so that csctl explain can be asked. */
const reason = (cause, message) => [CAUSES[cause] ?? `${cause}.`,
    message?.status_code && `(${message.status_code} ${message.reason_phrase})`].filter(Boolean).join(' ');

const nameOf = (identity) => identity.display_name || identity.uri.user;

export class Phone {
    /** proof is password, or token, a function; events: show(text, kind), ended(why), calls(what there is of one). */
    static async start({ address, password, token, path, turn }, events) {
        let JsSIP;
        try {
            JsSIP = (await import('./jssip.js')).default;
        } catch {
            throw new Error('This server was built without JsSIP, so that nothing can be called from here.');
        }
        const phone = new Phone();
        Object.assign(phone, { events, token, turn, call: null, microphone: '', plain: false });
        phone.ua = new JsSIP.UA({
            sockets: [new JsSIP.WebSocketInterface(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`)],
            uri: address, session_timers: false,
            ...token ? { authorization_jwt: `Bearer ${token()}` } : { password },
        });
        phone.listen();
        phone.ua.start();
        return phone;
    }

    listen() {
        const { show, ended } = this.events;
        this.ua.on('registered', () => { this.known = true; show('registered', 'good'); });
        this.ua.on('unregistered', () => { show('not registered', 'bad'); });
        this.ua.on('disconnected', () => { show('connecting', 'odd'); });
        this.ua.on('registrationFailed', ({ cause, response }) => {
            show('not registered', 'bad');
            if (response && response.status_code < 500)
                ended(reason(cause, response));
        });
        this.ua.on('newRTCSession', ({ session, originator, request }) => {
            if (originator === 'remote' && this.call)
                session.terminate({ status_code: 486, reason_phrase: 'Busy Here' });
            else if (originator === 'remote')
                this.begin(session, { incoming: true, with: nameOf(request.from) });
        });
    }

    /** A fresh token, in time. */
    renew(token) {
        this.ua.set('authorization_jwt', `Bearer ${token}`);
        this.ua.register();
    }

    // ---- a call ----

    begin(session, what) {
        const c = this.call = { session, state: what.incoming ? 'ringing' : 'calling', muted: false, ...what };
        const tell = (more) => { Object.assign(c, more); this.events.calls(c); };
        const over = ({ cause, message }, failed) => {
            this.call = null;
            const quiet = !failed || (cause === 'Canceled' && !c.incoming) || (cause === 'Rejected' && c.declined);
            tell({ state: 'over', why: quiet ? '' : reason(cause, message) });
        };
        const hear = (connection) => {
            c.connection = connection;
            connection.addEventListener('track', ({ track, streams }) => {
                document.getElementById('remote').srcObject = streams[0] ?? new MediaStream([track]);
            });
        };
        if (session.connection)
            hear(session.connection);
        session.on('icecandidate', ({ candidate, ready }) => {
            if (candidate.type === 'relay')
                ready();
            else
                setTimeout(ready, GATHERING); // nobody waits for a TURN server that does not answer
        });
        session.on('peerconnection', ({ peerconnection }) => { hear(peerconnection); });
        session.on('progress', () => { if (!c.incoming) tell({ state: 'ringing' }); });
        session.on('confirmed', () => { tell({ state: 'talking' }); });
        session.on('muted', () => { tell({ muted: true }); });
        session.on('unmuted', () => { tell({ muted: false }); });
        session.on('ended', (e) => { over(e, false); });
        session.on('failed', (e) => { over(e, true); });
        tell({});
    }

    async media() {
        const audio = {
            echoCancellation: !this.plain, noiseSuppression: !this.plain, autoGainControl: !this.plain,
            ...this.microphone && { deviceId: { exact: this.microphone } },
        };
        return { mediaConstraints: { audio, video: false }, pcConfig: { iceServers: await this.relays() } };
    }

    /** A TURN server's, where there is one; without it a call may work all the same. */
    async relays() {
        if (!this.turn || !this.token)
            return [];
        try {
            const answer = await fetch(this.turn, {
                method: 'POST', headers: { Authorization: `Bearer ${this.token()}` }, cache: 'no-store', credentials: 'omit',
            });
            const { uris, username, password } = await answer.json();
            return answer.ok ? [{ urls: uris, username, credential: password }] : [];
        } catch {
            return [];
        }
    }

    async dial(target) {
        const media = await this.media();
        if (this.call)
            return;
        const session = this.ua.call(target, media);
        this.begin(session, { incoming: false, with: decodeURIComponent(target.replace(/^sip:([^@]*)@.*$/, '$1')) });
    }

    async answer() {
        const { session } = this.call;
        // Who is transferred to us comes without an offer, which then is ours.
        session.answer({ ...await this.media(), rtcOfferConstraints: { offerToReceiveAudio: true } });
    }

    hangUp() {
        this.call.declined = true;
        this.call.session.terminate();
    }

    mute() {
        const { session, muted } = this.call;
        if (muted)
            session.unmute({ audio: true });
        else
            session.mute({ audio: true });
    }

    stop() {
        this.ua.removeAllListeners();
        this.ua.stop(); // ends the call, and the registration
    }
}
