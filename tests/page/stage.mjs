// A server in a rehearsal and a browser in front of it, for one test each.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const require = createRequire(`${process.env.TANDEM_MODULES}/`);
const { chromium } = require('playwright-core');
const AXE = require.resolve('axe-core/axe.min.js');

const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

/** A process that serves; it can be killed and started again where it was. */
export class Server {
  static async start(env = {}) {
    const server = new Server();
    server.dir = mkdtempSync(join(tmpdir(), 'tandem-page-'));
    server.port = await freePort();
    server.url = `http://127.0.0.1:${server.port}`;
    server.env = env;
    server.runs = [];
    await server.again();
    return server;
  }

  /** Starts it, and waits for what it says; `said` holds it. */
  async again() {
    const env = {
      PATH: process.env.PATH,
      TANDEM__STORE__DIR: this.dir,
      TANDEM__HTTP__LISTEN: `127.0.0.1:${this.port}`,
      ...this.env,
    };
    this.process = spawn(process.env.TANDEM_BIN, [], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.said = '';
    await new Promise((resolve, reject) => {
      this.process.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
      this.process.stdout.on('data', (data) => {
        this.said += data;
        if (this.said.includes('numbers:')) resolve();
      });
    });
  }

  kill() {
    return new Promise((resolve) => {
      this.process.once('exit', resolve);
      this.process.kill('SIGKILL');
    });
  }

  /** Ends it, and what was run beside it. */
  async stop() {
    this.runs.forEach((run) => run.kill('SIGKILL'));
    await this.kill();
    rmSync(this.dir, { recursive: true });
  }
}

/** What stands between a browser and a server, and can forget the connections that it has. */
export class Router {
  static async before(server) {
    const router = new Router();
    router.lines = [];
    router.door = createServer((near) => {
      const far = connect(server.port, '127.0.0.1');
      for (const [one, other] of [[near, far], [far, near]]) {
        one.on('data', (data) => { if (!one.forgotten) other.write(data); });
        one.on('close', () => { if (!one.forgotten) other.destroy(); });
        one.on('error', () => {});
        one.forgotten = router.deaf;
        router.lines.push(one);
      }
    });
    await new Promise((resolve) => { router.door.listen(0, '127.0.0.1', resolve); });
    router.url = `http://127.0.0.1:${router.door.address().port}`;
    return router;
  }

  /** From now on nothing passes, on lines that there are and on new ones, and nobody is told. */
  forget() {
    this.deaf = true;
    this.lines.forEach((line) => { line.forgotten = true; });
  }

  /** New lines pass again; what was forgotten stays so. */
  recover() {
    this.deaf = false;
  }

  stop() {
    this.door.close();
    this.lines.forEach((line) => line.destroy());
  }
}

/** A run of the load test that is kept where this server looks. */
export function loadTest(server, ...words) {
  const program = join(dirname(process.env.TANDEM_BIN), 'tandem-loadtest');
  const env = { PATH: process.env.PATH, TANDEM__STORE__DIR: server.dir };
  const child = spawn(program, words, { env, cwd: server.dir, stdio: 'ignore' });
  child.over = new Promise((resolve, reject) => {
    child.once('exit', resolve);
    child.once('error', reject);
  });
  server.runs.push(child);
  return child;
}

/** A page of a fresh browser. What it complains about, and asks of elsewhere, is in `faults`. */
export async function browse(server, options = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', ...(options.args ?? [])],
  });
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (line) => {
    // A server that is away, or refuses, is told by the browser too.
    const expected = /ERR_CONNECTION|status of 4|code: 4|ERR_INCOMPLETE|ERR_EMPTY/;
    if (line.type() === 'error' && !expected.test(line.text())) faults.push(line.text());
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(server.url) && !url.startsWith('blob:')) faults.push(`outside: ${url}`);
  });
  return { page, faults, close: () => browser.close() };
}

/** A page of a fresh browser for what is done with it, at the end of which nothing is amiss. */
export async function inBrowser(server, use, options) {
  const { page, faults, close } = await browse(server, options);
  try {
    await use(page);
    assert.deepEqual(faults, []);
  } finally {
    await close();
  }
}

/** Gives an order over the API. */
export async function order(server, path, body) {
  const answer = await fetch(server.url + path, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

/** No serious finding of the accessibility checker. */
export async function accessible(page, where) {
  // The policy of the page lets no script in but its own; the checker comes in by the debugger.
  const found = await page.evaluate(`(() => { ${readFileSync(AXE, 'utf8')}; return axe.run(); })()`);
  const serious = found.violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  const told = serious.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.html).join(' ')}`);
  assert.deepEqual(told, [], where);
}
