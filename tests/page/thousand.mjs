// A thousand live calls on the floor, measured in Chromium: `tests/page/run --thousand`.
//
// Twice: a stand-in that speaks `/v1/floor` to the real page, with as many changes as a thousand
// conversations make; and a real Tandem in a rehearsal with as many phones that ring here, of
// which some are talked with. Prints figures; whether they are good enough is for whoever reads.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server, browse, order } from './stage.mjs';

const CALLS = Number(process.env.CALLS ?? 1000);
const TALKING = Number(process.env.TALKING ?? 10);
const MEASURED_MS = 20_000;
/** As often as the server tells of changes at most. */
const BREATH_MS = 400;
/** Rows that change in that time: of a thousand conversations, each with a turn every three s. */
const CHANGED = Math.round(CALLS * BREATH_MS / 3000);
/** Calls that end in that time, and others that begin: of a thousand that last three minutes. */
const ENDED = Math.round(CALLS * BREATH_MS / 180_000);

const PAGE = join(dirname(fileURLToPath(import.meta.url)), '../../page');
const KINDS = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const WORDS = ('do you have a table for four at seven tonight we are open until ten and hold '
  + 'it for you').split(' ');

/** Serves the page's own files, and a floor with conversations that go on. */
function standIn() {
  const began = Date.now();
  const call = (n, turn) => ({
    id: `call-${n}`, direction: n % 3 ? 'outbound' : 'inbound', remote: `+1555${100000 + n}`,
    lifecycle: 'answered', queued_ms: began - n * 700, answered_ms: began - n * 600,
    words: { role: turn % 2 ? 'user' : 'assistant',
      text: `${turn} ${WORDS.slice(turn % 7, turn % 7 + 4 + (n * 7 + turn) % 12).join(' ')}` },
    reply_ms: 300 + (n * 37 + turn * 101) % 1500, repairs: n % 50 ? 0 : 1,
  });
  const house = { places: CALLS, live: CALLS, draining: false, rehearsal: true, record: null };
  const floor = (answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    const tell = (event, data) =>
      answer.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    tell('floor', { ...house, calls: Array.from({ length: CALLS }, (_, n) => call(n, 0)) });
    // Those from `oldest` on are live; of these a part changes, the next part after it.
    let [turn, oldest] = [0, 0];
    const timer = setInterval(() => {
      const over = Array.from({ length: ENDED }, (_, n) => `call-${oldest + n}`);
      const fresh = Array.from({ length: ENDED }, (_, n) => call(oldest + CALLS + n, 0));
      oldest += ENDED;
      const first = turn * CHANGED;
      turn += 1;
      const changed = Array.from({ length: CHANGED },
        (_, n) => call(oldest + (first + n) % (CALLS - ENDED), turn));
      tell('change', { ...house, calls: [...changed, ...fresh], over });
    }, BREATH_MS);
    answer.on('close', () => clearInterval(timer));
  };
  const server = createServer((request, answer) => {
    const path = request.url.split('?')[0];
    const json = (body) => answer.setHeader('content-type', 'application/json')
      .end(JSON.stringify(body));
    if (path === '/v1/floor') return floor(answer);
    if (path === '/v1/calls') return json({ calls: [], next: null });
    if (path === '/v1/searches') return json({ searches: [], next: null });
    const file = path === '/' ? 'index.html' : path.replace('/page/', '');
    answer.setHeader('content-type', KINDS[extname(file)] ?? 'text/html');
    return answer.end(readFileSync(join(PAGE, file)));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => { server.closeAllConnections(); server.close(); },
  })));
}

const at = (sorted, share) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
const ms = (value) => `${value.toFixed(1)} ms`;

/** What the page does in this time, while `meanwhile` is done to it. */
async function measured(page, what, meanwhile) {
  const cdp = await page.context().newCDPSession(page);
  // Processor time, which other work on the machine does not add to.
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  const metrics = async () => Object.fromEntries((await cdp.send('Performance.getMetrics'))
    .metrics.map(({ name, value }) => [name, value]));
  await cdp.send('HeapProfiler.collectGarbage');
  const before = await metrics();
  await page.evaluate(() => {
    const seen = { long: [], frames: [], on: true };
    window.seen = seen;
    seen.watch = new PerformanceObserver((list) => {
      list.getEntries().forEach((entry) => seen.long.push(entry.duration));
    });
    seen.watch.observe({ type: 'longtask' });
    let last = performance.now();
    const frame = (now) => {
      seen.frames.push(now - last);
      last = now;
      if (seen.on) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  const until = Date.now() + MEASURED_MS;
  while (Date.now() < until) await meanwhile(page);
  const { long, frames } = await page.evaluate(() => {
    window.seen.on = false;
    window.seen.watch.disconnect();
    return { long: window.seen.long, frames: window.seen.frames };
  });
  await cdp.send('HeapProfiler.collectGarbage');
  const after = await metrics();
  const share = (name) => `${((after[name] - before[name]) / MEASURED_MS * 1e5).toFixed(1)} %`;
  frames.sort((one, other) => one - other);
  const late = frames.filter((frame) => frame > 50).length;
  console.log(`${what}: ${await page.locator('tbody tr').count()} rows`);
  console.log(`  frames ${frames.length}; p50 ${ms(at(frames, 0.5))}, p99 ${ms(at(frames, 0.99))}, `
    + `longest ${ms(at(frames, 1))}; ${late} longer than 50 ms`);
  console.log(`  tasks longer than 50 ms: ${long.length}, the longest ${ms(Math.max(0, ...long))}`);
  console.log(`  main thread ${share('TaskDuration')} of a core: script `
    + `${share('ScriptDuration')}, style ${share('RecalcStyleDuration')}, layout ${share('LayoutDuration')}`);
  console.log(`  memory ${(after.JSHeapUsedSize / 2 ** 20).toFixed(1)} MiB, `
    + `${((after.JSHeapUsedSize - before.JSHeapUsedSize) / 2 ** 20).toFixed(1)} more than before`);
  await cdp.detach();
}

const rest = (page) => page.waitForTimeout(250);
const scroll = async (page) => {
  await page.mouse.wheel(0, 400);
  await page.waitForTimeout(50);
};

async function watched(server, what) {
  const { page, faults, close } = await browse(server);
  await page.goto(`${server.url}/`);
  const enough = (calls) => document.querySelectorAll('tbody tr').length >= calls;
  await page.waitForFunction(enough, CALLS, { timeout: 120_000 });
  await page.mouse.move(600, 600);
  await measured(page, what, rest);
  await measured(page, `${what}, scrolled through`, scroll);
  await close();
  if (faults.length) throw new Error(faults.join('\n'));
}

/** Makes calls, some at once; the n-th is of `body(n)`. */
async function make(server, path, count, body) {
  for (let made = 0; made < count; made += 20) {
    await Promise.all(Array.from({ length: Math.min(20, count - made) },
      (_, n) => order(server, path, body(made + n))));
  }
}

async function real() {
  const server = await Server.start({
    TANDEM__LIMITS__CALLS: String(CALLS),
    TANDEM__LIMITS__RINGING_S: '600',
    TANDEM__STORE__RECORD_AUDIO: 'false',
  });
  // Phones that ring here and are never put through cost next to nothing.
  await make(server, '/rehearsal/incoming', CALLS - TALKING,
    (n) => ({ from: `+1555${200000 + n}`, to: '+15550199' }));
  const task = 'Reserve a table for four at seven tonight, for Sam.';
  await make(server, '/v1/calls', TALKING, () => ({ to: '+15550106', task, again: true }));
  const took = [];
  for (let n = 0; n < 50; n += 1) {
    const began = performance.now();
    await (await fetch(`${server.url}/v1/floor`)).text();
    took.push(performance.now() - began);
  }
  took.sort((one, other) => one - other);
  console.log(`GET /v1/floor of a real server: p50 ${ms(at(took, 0.5))}, p90 ${ms(at(took, 0.9))}`);
  await watched(server, `a real server, ${CALLS - TALKING} phones ring, ${TALKING} calls talk`);
  await server.stop();
}

const stand = await standIn();
await watched(stand,
  `a stand-in, ${CHANGED} of ${CALLS} rows change and ${ENDED} end every ${BREATH_MS} ms`);
stand.stop();
if (process.env.TANDEM_BIN) await real();
