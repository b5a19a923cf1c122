// Chromium for tests/e2e/browser: serves the page over HTTPS and does what comes on stdin, a JSON object a line:
//   {"do": "open", "page": NAME}                a page of its own
//   {"do": "run", "page": NAME, "code": TEXT}   the body of an async function, in that page
//   {"do": "token", "value": TEXT}              what fetchToken() gives from now on
//   {"do": "close", "page": NAME}
// and answers each with {"result": ...} or {"error": TEXT}. Called with the folder of certificates, a profile, a port
// and the hosts that may be reached. Certificates are verified as a user's browser does.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import puppeteer from 'puppeteer-core';

const [certificates, profile, port, ...hosts] = process.argv.slice(2);
const origin = `https://phone.example.test:${port}`;
const pages = new Map();
let token = '';

const flags = [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection',
    `--host-resolver-rules=MAP *.example.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE ${['127.0.0.1', ...hosts].join(', EXCLUDE ')}`,
];

async function serve() {
    const bundle = await build({
        entryPoints: [new URL('phones.js', import.meta.url).pathname], bundle: true, write: false, format: 'iife',
        logLevel: 'error',
    });
    const page = '<!doctype html><meta charset="utf-8"><title>phone</title><script src="/phones.js"></script>'
        + '<audio id="remote" autoplay></audio>';
    const types = { '/phones.js': 'text/javascript', '/token': 'text/plain', '/': 'text/html' };
    const server = createServer({
        cert: readFileSync(`${certificates}/phone.crt`), key: readFileSync(`${certificates}/phone.key`),
    }, (req, res) => {
        res.writeHead(types[req.url] ? 200 : 404, { 'Content-Type': types[req.url] ?? 'text/plain' });
        res.end({ '/phones.js': bundle.outputFiles[0].text, '/token': token, '/': page }[req.url]);
    });
    await new Promise((resolve) => { server.listen(Number(port), '127.0.0.1', resolve); });
    return server;
}

async function open(browser, name) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    page.on('console', (m) => console.error(`${name}: ${m.text()}`));
    page.on('pageerror', (e) => console.error(`${name}: ${e}`));
    await page.goto(origin);
    pages.set(name, page);
    return origin;
}

async function obey(browser, order) {
    const page = pages.get(order.page);
    switch (order.do) {
    case 'open':
        return open(browser, order.page);
    case 'run':
        return page.evaluate(`(async () => {${order.code}\n})()`);
    case 'token':
        token = order.value;
        return null;
    case 'close':
        pages.delete(order.page);
        await page.browserContext().close();
        return null;
    default:
        throw new Error(`unknown: ${order.do}`);
    }
}

const server = await serve();
const browser = await puppeteer.launch({
    executablePath: '/usr/bin/chromium', userDataDir: `${profile}/chromium`, args: flags,
    env: { ...process.env, HOME: profile }, acceptInsecureCerts: false,
});
console.log(JSON.stringify({ result: await browser.version() }));
for await (const line of createInterface({ input: process.stdin })) {
    try {
        const result = await obey(browser, JSON.parse(line));
        console.log(JSON.stringify({ result: result ?? null }));
    } catch (e) {
        console.log(JSON.stringify({ error: String(e.message ?? e) }));
    }
}
await browser.close();
server.close();
