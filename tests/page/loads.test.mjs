// Runs of the load test at the page: one in progress, then over, with its report.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server, accessible, inBrowser, loadTest } from './stage.mjs';

const LONG = { timeout: 60_000 };

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

const withPage = (use, options) => inBrowser(server, async (page) => {
  await page.goto(`${server.url}/#/loads`);
  await use(page);
}, options);

test('a run is followed while it goes on, and its report is read when it is over', async () => {
  await withPage(async (page) => {
    await page.getByText('No run was kept.').waitFor();
    const child = loadTest(server, '--calls', '3', '--for', '10s', '--ramp', '1s');
    await page.getByRole('heading', { name: /^talk 3 calls, 10 s, acs24k, seed 1/ }).waitFor(LONG);
    await page.getByRole('img', { name: /^Calls over \d+:\d\d: now 3/ }).waitFor(LONG);
    await accessible(page, 'a run in progress');
    const status = await child.over;
    // On a busy machine it says nothing of times; it is shown all the same.
    const word = ['passed', 'failed', 'not valid'][status];
    const row = page.getByRole('row', { name: new RegExp(`talk 3 calls.* ${word}`) });
    await row.waitFor(LONG);
    assert.equal(await page.getByText('running').count(), 0);
    await accessible(page, 'runs that are over');
    const [report] = await Promise.all([
      page.context().waitForEvent('page'),
      row.getByRole('link').click(),
    ]);
    await report.getByRole('heading', { name: word, level: 1 }).waitFor();
    await report.getByRole('heading', { name: 'Calls that are up' }).waitFor();
    // It draws itself and has nobody's session.
    assert.equal(await report.evaluate(() => self.origin), 'null');
  });
});

test('one whose process was killed is broken off, and what is no run is told as that', async () => {
  const child = loadTest(server, '--calls', '2', '--for', '1h', '--ramp', '1s');
  await withPage(async (page) => {
    await page.getByRole('heading', { name: /^talk 2 calls, 3600 s/ }).waitFor(LONG);
    child.kill('SIGKILL');
    await child.over;
    await page.getByRole('row', { name: /talk 2 calls.* broken off/ }).waitFor(LONG);
    const loads = join(server.dir, 'loads');
    const damaged = readdirSync(loads).sort().at(-1);
    writeFileSync(join(loads, damaged, 'run.json'), '{"mode":');
    mkdirSync(join(loads, 'somebody-elses'));
    const told = page.getByRole('row', { name: /unreadable/ });
    await told.filter({ hasText: 'run.json is damaged' }).waitFor();
    await told.filter({ hasText: 'somebody-elses' }).waitFor();
    await accessible(page, 'what cannot be read');
  }, { colorScheme: 'dark' });
});
