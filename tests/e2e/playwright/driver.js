// A browser for Python: each line on stdin is {"code": the body of an async function, "args": {...}}, which has page,
// expect(), args and look(name, width, height, scheme); answered with {"result": ...} or {"error": TEXT}. Whatever the
// page complains of is in complaints, until they are asked for.
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

// Called with a profile, the folder of pictures ('' for none), and {"hosts": [that may be asked], "flags": [of Chromium]}.
const [profile, pictures, more] = process.argv.slice(2);
const { hosts, flags: others } = { hosts: ['127.0.0.1'], flags: [], ...JSON.parse(more) };
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--host-resolver-rules=MAP *.example.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1', ...others];
const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium', args: flags, viewport: { width: 1180, height: 760 },
    env: { ...process.env, HOME: profile },
});
context.setDefaultTimeout(8000);
const page = context.pages()[0];
let complaints = [];
page.on('console', (m) => { if (['error', 'warning'].includes(m.type())) complaints.push(`${m.text()} ${m.location().url}`); });
page.on('pageerror', (e) => complaints.push(String(e)));
page.on('dialog', (d) => { complaints.push(`dialog: ${d.message()}`); d.dismiss(); });
page.on('request', (r) => { if (!hosts.includes(new URL(r.url()).hostname) && !r.url().startsWith('data:')) complaints.push(`asked ${r.url()}`); });

async function until(what, condition) {
    const end = Date.now() + 8000;
    while (!await condition()) {
        if (Date.now() > end)
            throw new Error(`${what} did not happen`);
        await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
}

/** How it looks, where pictures are kept. */
async function look(name, { width = 1180, height = 760, scheme = 'light' } = {}) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(250);
    if (pictures)
        await page.screenshot({ path: `${pictures}/${name}.png` });
}

const heard = () => complaints.splice(0);
const Code = (async () => {}).constructor;
console.log(JSON.stringify({ result: context.browser()?.version() ?? '' }));
for await (const line of createInterface({ input: process.stdin })) {
    try {
        const { code, args } = JSON.parse(line);
        const result = await new Code('page', 'args', 'until', 'look', 'heard', code)(page, args, until, look, heard);
        console.log(JSON.stringify({ result: result ?? null }));
    } catch (e) {
        console.log(JSON.stringify({ error: `${e.message ?? e}` }));
    }
}
await context.close();
