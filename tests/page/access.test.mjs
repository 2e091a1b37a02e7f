// Who may open the page where the server has a key.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, inBrowser } from './stage.mjs';

const KEY = 'a-key-of-at-least-thirty-two-characters';

let server;
before(async () => { server = await Server.start({ TANDEM__HTTP__KEY: KEY }); });
after(() => server.stop());

const withPage = (use) => inBrowser(server, use);

test('the address that is printed opens the page, once', async () => {
  const address = /http:\S+\/session\/\S+/.exec(server.said)[0];
  await withPage(async (page) => {
    await page.goto(address);
    await page.getByText('live', { exact: true }).waitFor();
    assert.equal(new URL(page.url()).pathname, '/', 'the word is not in the address any more');
    const seen = await page.evaluate(() => document.cookie);
    assert.equal(seen, '', 'no script can read the session');
  });
  const again = await fetch(address, { redirect: 'manual' });
  assert.equal(again.status, 403);
});

test('a stranger sees nothing, and a key opens it', async () => {
  await withPage(async (page) => {
    await page.goto(`${server.url}/`);
    await page.getByRole('textbox', { name: 'Key' }).fill('guessed');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByRole('textbox', { name: 'Key' }).fill(KEY);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByText('No call is live.').waitFor();
    // It is still open after the server was away.
    await server.kill();
    await page.getByText('no connection to the server').waitFor();
    await server.again();
    await page.getByText('live', { exact: true }).waitFor({ timeout: 30_000 });
  });
});

test('a refusal that comes after the key was taken asks for no key', async () => {
  await withPage(async (page) => {
    let held = false;
    const asked = new Promise((resolve) => {
      page.route('**/v1/floor', async (route) => {
        if (held || route.request().headers().accept !== 'application/json') return route.continue();
        held = true;
        const response = await route.fetch();
        return resolve(() => route.fulfill({ response }));
      });
    });
    await page.goto(`${server.url}/`);
    const refuse = await asked;
    await page.getByRole('textbox', { name: 'Key' }).fill(KEY);
    const taken = page.waitForResponse('**/session');
    await page.getByRole('button', { name: 'Open' }).click();
    await taken;
    await page.getByRole('textbox', { name: 'Key' }).waitFor({ state: 'detached' });
    await refuse();
    await page.getByText('No call is live.').waitFor();
    assert.equal(await page.getByRole('textbox', { name: 'Key' }).count(), 0);
  });
});

test('a key of an account opens what is its own, until it is revoked', async () => {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const ask = (path, method, body) => fetch(server.url + path, {
    method, headers, body: body && JSON.stringify(body),
  });
  const made = await (await ask('/v1/keys', 'POST', { account: 'shop' })).json();
  await ask('/v1/calls', 'POST', { to: '+15550105', task: 'Wait.' });
  await withPage(async (page) => {
    await page.goto(`${server.url}/`);
    await page.getByRole('textbox', { name: 'Key' }).fill(made.key);
    await page.getByRole('button', { name: 'Open' }).click();
    // That of the house is none of theirs.
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByText('No call is live.').waitFor();
    assert.equal(await page.getByText('+15550105').count(), 0);
    await ask(`/v1/keys/${made.id}`, 'DELETE');
    await page.getByRole('textbox', { name: 'Key' }).waitFor({ timeout: 30_000 });
  });
});

test('no other page can use a session', async () => {
  const opened = await fetch(`${server.url}/session`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: KEY }),
  });
  const cookie = opened.headers.get('set-cookie');
  assert.match(cookie, /HttpOnly; SameSite=Strict/);
  const ask = (headers) => fetch(`${server.url}/v1/calls`, { headers });
  const session = cookie.split(';')[0];
  assert.equal((await ask({ cookie: session })).status, 200);
  assert.equal((await ask({ cookie: session, origin: 'https://evil.example' })).status, 401);
  assert.equal((await ask({ cookie: `${session}x` })).status, 401);
});
