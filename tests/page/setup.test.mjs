// A server is set up on its page, by whoever runs it, without a secret ever being on it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, accessible, inBrowser } from './stage.mjs';

const LONG = { timeout: 60_000 };
const SECRETS = {
  TANDEM__HTTP__KEY: 'a-key-of-at-least-thirty-two-characters',
  TANDEM__MODEL__KEY: 'sk-which-nobody-may-read-0815',
  TANDEM__CALL__PIN: '041777',
  TANDEM__ACS__EVENTS_SECRET: 'a-secret-of-the-webhook-4711',
};

let server;
before(async () => { server = await Server.start(SECRETS); });
after(() => server.stop());

const api = async (path, body) => {
  const answer = await fetch(server.url + path, {
    method: body ? 'POST' : 'GET',
    headers: {
      authorization: `Bearer ${SECRETS.TANDEM__HTTP__KEY}`, 'content-type': 'application/json',
    },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
};

/** The page in a session of the key; what went over its line, and is on it, has no secret. */
const withPage = (use, options) => inBrowser(server, async (page) => {
  const line = [];
  page.on('request', (request) => line.push(Promise.resolve(request.postData() ?? '')));
  page.on('response', (answer) => {
    if (/\/v1\/(settings|phone|inbound)/.test(answer.url())) line.push(answer.text().catch(() => ''));
  });
  await page.context().addCookies([{ ...await session(), url: server.url }]);
  await page.goto(`${server.url}/#/setup`);
  await page.getByRole('heading', { name: 'Persona' }).waitFor();
  await use(page);
  const seen = `${await page.content()} ${(await Promise.all(line)).join(' ')}`;
  for (const [name, secret] of Object.entries(SECRETS)) {
    assert.ok(!seen.includes(secret), `what ${name} holds is on the page or on its line`);
  }
}, options);

async function session() {
  const opened = await fetch(`${server.url}/session`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: SECRETS.TANDEM__HTTP__KEY }),
  });
  const [name, ...value] = opened.headers.get('set-cookie').split(';')[0].split('=');
  return { name, value: value.join('=') };
}

const part = (page, name) => page.getByRole('region', { name, exact: true });
const save = (page) => page.getByRole('button', { name: 'Save', exact: true }).click();

test('a persona that is changed is that of the next call', async () => {
  await withPage(async (page) => {
    const persona = part(page, 'Persona');
    await persona.getByLabel(/Says that it is an AI/).selectOption('first');
    await page.getByText('One change is not saved').waitFor();
    await persona.getByText('a change holds from the next call on').first().waitFor();
    await save(page);
    await page.getByText('not saved').first().waitFor({ state: 'detached' });
    const { id } = await api('/v1/calls', { to: '+15550105', task: 'Wait.' });
    await page.goto(`${server.url}/#/calls/${id}`);
    await page.getByText(/AI assistant/).first().waitFor(LONG);
    await page.getByRole('button', { name: 'Hang up' }).click();
  });
});

test('what is wrong is told at its field, and nothing of it is saved', async () => {
  await withPage(async (page) => {
    const [opening, speed] = [page.getByLabel('Says first'), page.getByLabel(/^Speed/)];
    await opening.fill('Good day.');
    await speed.fill('9');
    await save(page);
    const told = page.getByRole('alert').filter({ hasText: 'model.speed' });
    await told.waitFor();
    const id = await told.getAttribute('id');
    assert.ok((await speed.getAttribute('aria-describedby')).split(' ').includes(id));
    assert.equal(await speed.getAttribute('aria-invalid'), 'true');
    await accessible(page, 'a field with a fault');
    await page.getByRole('button', { name: 'Discard' }).click();
    assert.equal(await opening.inputValue(), '');
    assert.equal(await speed.inputValue(), '1');
    const { settings } = await api('/v1/settings');
    assert.equal(settings.find(({ key }) => key === 'persona.opening').value, '');
  });
});

test('a check says what works, what does not and what to do', async () => {
  await withPage(async (page) => {
    await part(page, 'Numbers').getByRole('button', { name: 'Check the numbers' }).click();
    await part(page, 'Numbers').getByText('ours is E.164').waitFor();
    await part(page, 'Tools').getByRole('button', { name: 'Check the tools' }).click();
    await part(page, 'Tools').getByText(/no \[\[tools\]\]/).waitFor();
    await part(page, 'Tools').getByText('hang_up', { exact: true }).waitFor();
    // Nothing listens there: a look with what is not saved.
    const model = part(page, 'Model');
    await model.getByLabel(/^Address/).fill('ws://127.0.0.1:9/realtime');
    await model.getByRole('button', { name: 'Check the model' }).click();
    await model.getByText(/To do: .*model.url/).waitFor(LONG);
    await model.getByLabel(/^Address/).fill('wss://evil.example/realtime');
    await model.getByRole('button', { name: 'Check the model' }).click();
    await model.getByRole('alert').filter({ hasText: 'evil.example' }).waitFor();
    await page.getByRole('button', { name: 'Discard' }).click();
  });
});

test('resources in Azure are filled in, and what remains is told', async () => {
  await withPage(async (page) => {
    const azure = part(page, 'Connect what there is in Azure');
    await azure.getByText('Resources by their addresses').click();
    await azure.getByLabel('Endpoint of Communication').fill('http://127.0.0.1:9');
    await azure.getByLabel('Tenant').fill('t-1');
    await azure.getByLabel('Client id').fill('c-1');
    await azure.getByLabel('Number of the resource').fill('+14255550123');
    await azure.getByLabel('Public address').fill('https://bridge.example.com/');
    await azure.getByRole('button', { name: 'Fill in and check' }).click();
    await azure.getByText(/TANDEM__ACS__CLIENT_SECRET/).first().waitFor(LONG);
    await azure.getByText('✗ carrier').waitFor();
    const secrets = part(page, 'Secrets');
    await secrets.getByRole('listitem').filter({ hasText: 'CLIENT_SECRET' }).getByText('absent')
      .waitFor();
    await secrets.getByRole('listitem').filter({ hasText: 'EVENTS_SECRET' }).getByText('present')
      .waitFor();
    await secrets.getByText("TANDEM__ACS__CLIENT_SECRET=''").waitFor();
    await part(page, 'To be done elsewhere')
      .getByText('https://bridge.example.com/acs/incoming/$TANDEM__ACS__EVENTS_SECRET').waitFor();
    assert.equal(await page.getByLabel('Phone network').inputValue(), 'acs');
    await accessible(page, 'Azure filled in');
    await page.getByRole('button', { name: 'Discard' }).click();
    assert.equal(await page.getByLabel('Phone network').inputValue(), 'rehearsal');
  });
});

test('what holds after a restart is kept over it, and can be taken back', async () => {
  await withPage(async (page) => {
    await page.getByLabel('Our number').fill('+15550777');
    await save(page);
    await page.getByText('One setting waits for a restart').waitFor();
    await page.getByText('Now +15550199, after a restart +15550777.').waitFor();
    // What is not saved yet is not lost.
    await page.getByLabel('Says first').fill('Good day.');
    const azure = part(page, 'Connect what there is in Azure');
    await azure.getByText('Resources by their addresses').click();
    await azure.getByLabel('Tenant').fill('t-1');
    await server.kill();
    await page.getByText('no connection to the server').waitFor(LONG);
    await server.again();
    await page.getByText('waits for a restart').waitFor({ state: 'detached', ...LONG });
    assert.equal(await page.getByLabel('Our number').inputValue(), '+15550777');
    assert.equal(await page.getByLabel('Says first').inputValue(), 'Good day.');
    assert.equal(await azure.getByLabel('Tenant').inputValue(), 't-1');
    await page.getByRole('button', { name: 'Discard' }).click();
    await part(page, 'Numbers').getByText('carrier.number, set here').waitFor();
    await page.getByRole('button', { name: /Back to the file.*Our number/ }).click();
    await save(page);
    await page.getByText('Now +15550777, after a restart +15550199.').waitFor();
  });
});

test('what could not be read is read when the server is back', async () => {
  await withPage(async (page) => {
    await page.goto(`${server.url}/#/`);
    await page.reload();
    await page.getByText('live', { exact: true }).waitFor();
    await server.kill();
    await page.getByRole('link', { name: 'Set-up' }).click();
    await page.getByRole('alert').filter({ hasText: 'does not answer' }).waitFor();
    await accessible(page, 'without a server');
    await server.again();
    await part(page, 'Persona').waitFor(LONG);
    assert.equal(await page.getByRole('alert').count(), 0);
  });
});

test('the target and a profile of a number are set', async () => {
  await withPage(async (page) => {
    const numbers = part(page, 'Numbers');
    await numbers.getByLabel('Target number', { exact: true }).fill('+15550130');
    await numbers.getByRole('button', { name: 'Set the target' }).click();
    await numbers.getByText('(set here)').waitFor();
    await numbers.getByText('Give a number a profile').click();
    await numbers.getByLabel('Number of ours').fill('+15550199');
    await numbers.getByLabel('What its calls are for').fill('Take reservations.');
    await numbers.getByRole('button', { name: 'Set the profile' }).click();
    await numbers.getByRole('listitem').filter({ hasText: 'Take reservations.' }).waitFor();
    await numbers.getByRole('button', { name: 'Set the profile' }).click();
    await numbers.getByRole('alert').filter({ hasText: 'has a profile' }).waitFor();
    await numbers.getByRole('button', { name: 'Remove +15550199' }).click();
    await numbers.getByText('Take reservations.').first().waitFor({ state: 'detached' });
  });
});

test('an account that does not run the server is told so', async () => {
  const { key } = await api('/v1/keys', { account: 'shop' });
  await inBrowser(server, async (page) => {
    await page.goto(`${server.url}/#/setup`);
    await page.getByRole('textbox', { name: 'Key' }).fill(key);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('alert').filter({ hasText: 'whoever runs the server' }).waitFor();
  });
});

test('it can be used in the dark and on a narrow screen', async () => {
  await withPage(async (page) => {
    await page.getByLabel('Phone network').selectOption('twilio');
    await accessible(page, 'dark and narrow');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false, 'nothing stands out at the side');
    await page.getByRole('button', { name: 'Discard' }).click();
  }, { colorScheme: 'dark', viewport: { width: 360, height: 740 } });
});
