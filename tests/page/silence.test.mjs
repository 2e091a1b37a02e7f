// A network that forgets a connection tells nobody: the page notices by itself, and comes back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Router, Server, accessible, inBrowser, order } from './stage.mjs';

/** Two and a half words of the server, and what it takes to find the number free again. */
const LONG = { timeout: 60_000 };
const SILENT = '+15550105';
const MICROPHONE = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

/** A page at a view, with a router between it and the server. */
async function behindRouter(view, use, options) {
  const router = await Router.before(server);
  try {
    await inBrowser(router, async (page) => {
      await page.goto(`${router.url}/#/${view}`);
      await page.getByText('live', { exact: true }).waitFor();
      await use(page, router);
    }, options);
  } finally {
    router.stop();
  }
}

/** Stands in for a number, and returns the socket of it. */
async function standIn(page) {
  const socket = page.waitForEvent('websocket');
  await page.getByRole('combobox', { name: 'Number' }).fill(SILENT);
  await page.getByRole('button', { name: 'Stand in' }).click();
  await page.getByText('rings here.').waitFor();
  return socket;
}

test('a connection on which nothing happens is kept', async () => {
  await behindRouter('phone', async (page) => {
    const socket = await standIn(page);
    const opened = [];
    page.on('websocket', (other) => opened.push(other.url()));
    page.on('request', (request) => opened.push(request.url()));
    // Longer than anybody may be silent.
    for (let words = 0; words < 3; words += 1) {
      await socket.waitForEvent('framereceived', ({ payload }) => payload.includes('alive'));
    }
    assert.deepEqual(opened, []);
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByText('rings here.').waitFor();
  }, { args: MICROPHONE });
});

test('a call whose connection is forgotten is followed anew', async () => {
  const { id } = await order(server, '/v1/calls', { to: SILENT, task: 'Wait.' });
  await behindRouter(`calls/${id}`, async (page, router) => {
    await page.getByRole('heading', { name: /answered/ }).waitFor(LONG);
    router.forget();
    await page.getByText('no connection to the server').waitFor(LONG);
    await accessible(page, 'a call without a connection');
    await order(server, `/v1/calls/${id}/hangup`, {});
    router.recover();
    await page.getByText('finalized').first().waitFor(LONG);
    await page.getByText('live', { exact: true }).waitFor(LONG);
  }, { colorScheme: 'dark' });
});

test('a number whose connection is forgotten does not ring here, and is taken again', async () => {
  await behindRouter('phone', async (page, router) => {
    await standIn(page);
    router.forget();
    await page.getByText('does not ring here just now').waitFor(LONG);
    assert.equal(await page.getByText('rings here.').count(), 0);
    await accessible(page, 'a phone without a connection');
    router.recover();
    await page.getByText('rings here.').waitFor(LONG);
    await order(server, '/v1/calls', { to: SILENT, task: 'Wait.' });
    await page.getByRole('button', { name: 'Decline' }).click(LONG);
  }, { args: MICROPHONE });
});
