// The browser as a phone: rung, spoken into, heard. Its microphone is a file with speech that the
// simulated model understands, so what the record has as said did come through the browser.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, accessible, inBrowser, order } from './stage.mjs';
import { Voice, listenIn } from './voice.mjs';

/** Somebody at a restaurant, with time for each answer. */
const SPOKEN = [[4, 'Luigi\'s, good evening.'], [10, 'Yes, seven is fine. Under which name?'],
  [8, 'Very well, Sam. A table for four at seven. Anything else?']];
const TASK = 'Reserve a table for four at seven tonight, for Sam.';
const LONG = { timeout: 60_000 };
/** A whole call. */
const SAID_MS = 120_000;
/** Who never speaks by themselves: what they are heard to say, the browser said. */
const SILENT = '+15550105';
/** Whom callers are handed over to. */
const COLLEAGUE = '+15550109';

let server;
let voice;
before(async () => {
  server = await Server.start({ TANDEM__CARRIER__HUMAN: COLLEAGUE });
  voice = new Voice(SPOKEN);
});
after(async () => {
  voice.forget();
  await server.stop();
});

/** `rate`: what the browser's sound is made at, whatever the page asks for. */
async function withPhone(use, { rate, ...options } = {}) {
  await inBrowser(server, async (page) => {
    await page.addInitScript(listenIn, rate);
    await page.goto(`${server.url}/#/phone`);
    await use(page);
  }, { args: voice.args, ...options });
  await free();
}

/** The server has seen that no browser stands in for a number any more. */
async function free() {
  for (;;) {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    if (/^tandem_softphones 0$/m.test(metrics)) return;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

async function standIn(page, number) {
  await page.getByRole('combobox', { name: 'Number' }).fill(number);
  await page.getByRole('button', { name: 'Stand in' }).click();
  await page.getByText(`${number} (`).filter({ hasText: 'rings here.' }).waitFor();
}

/** A browser takes out what sounds like noise, and so the code that carries the words. */
const asItIs = (page) => page.getByLabel('Take out echo and noise').uncheck();

/** What was said in this call, once it has ended or has so many turns. */
async function said(id, turns = Infinity) {
  const until = Date.now() + SAID_MS;
  for (;;) {
    const call = await (await fetch(`${server.url}/v1/calls/${id}`)).json();
    const { transcript } = await (await fetch(`${server.url}/v1/calls/${id}/transcript`)).json();
    if (call.outcome || transcript.length >= turns) return { call, transcript };
    assert.ok(Date.now() < until, `it does not end: ${JSON.stringify(transcript)}`);
    await new Promise((resolve) => { setTimeout(resolve, 200); });
  }
}

const words = (transcript, role) => transcript.filter((turn) => turn.role === role)
  .map(({ text }) => text);

/**
 * That these sentences were said. The code is read right or not at all, so at another rate nothing
 * would be; but on a busy machine Chromium's microphone skips some of it.
 */
function understood(turns, sentences) {
  assert.equal(turns.length, sentences.length, JSON.stringify(turns));
  turns.forEach((turn, n) => {
    let at = 0;
    for (const letter of sentences[n]) if (letter === turn[at]) at += 1;
    assert.equal(at, turn.length, `${turn} has what was not said`);
    assert.ok(turn.length > sentences[n].length / 2, `${turn} is too little`);
  });
}

/** That speech came out of the loudspeaker, at its own pitch. */
async function heardSpeech(page) {
  await page.waitForFunction(() => globalThis.heard().loudest > 0.1, null, LONG);
  // The code lies from 1,950 to 3,650 Hz in every utterance; at half or twice the rate it would
  // lie elsewhere.
  await page.waitForFunction(() => {
    const { below, code, above } = globalThis.heard();
    return code > above + 15 && code > below - 40;
  }, null, LONG);
}

test('a browser takes the place of a callee, talks and is answered', async () => {
  await withPhone(async (page) => {
    await standIn(page, SILENT);
    await accessible(page, 'standing in');
    await asItIs(page);
    const { id } = await order(server, '/v1/calls', { to: SILENT, task: TASK });
    await page.getByRole('heading', { name: 'Ringing: a call from +15550199.' }).waitFor(LONG);
    assert.equal(await page.title(), 'Ringing — Softphone — Tandem');
    await page.waitForFunction(() => globalThis.heard().loudest > 0.05);
    await accessible(page, 'ringing');
    // The phone is the page's, not the view's.
    await page.getByRole('link', { name: 'Floor' }).click();
    await page.evaluate(() => globalThis.forget());
    await page.getByRole('button', { name: 'Answer' }).click();
    await page.getByText('You speak with +15550199.').last().waitFor(LONG);
    await accessible(page, 'the floor in a call');
    await heardSpeech(page);
    await page.getByRole('link', { name: 'To the phone' }).click();
    const mine = page.getByRole('meter', { name: 'How loud: You' });
    await page.waitForFunction((bar) => Number(bar.getAttribute('aria-valuenow')) > 30,
      await mine.elementHandle(), LONG);
    await accessible(page, 'talking');
    const { call, transcript } = await said(id);
    understood(words(transcript, 'user'), voice.sentences);
    assert.ok(words(transcript, 'assistant').includes('Under the name Sam, please.'));
    assert.equal(call.outcome, 'answered');
    await page.getByText('The call is over.').last().waitFor();
  });
});

test('one calls the own agent, and hears it', async () => {
  await withPhone(async (page) => {
    await asItIs(page);
    await page.getByRole('textbox', { name: /^Task/ }).fill(TASK);
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await page.getByRole('heading', { name: 'You speak with your agent.' }).waitFor(LONG);
    await heardSpeech(page);
    const link = await page.getByRole('link', { name: 'The call' }).getAttribute('href');
    const { call, transcript } = await said(link.split('/').pop(), 3);
    assert.equal(call.direction, 'inbound');
    understood(words(transcript, 'user').slice(0, 1), voice.sentences.slice(0, 1));
    assert.ok(words(transcript, 'assistant').length > 0);
    await page.getByRole('button', { name: 'Mute' }).click();
    const mine = page.getByRole('meter', { name: 'How loud: You' });
    await page.waitForFunction((bar) => bar.getAttribute('aria-valuenow') === '0',
      await mine.elementHandle());
    await page.getByRole('button', { name: 'Hang up' }).click();
    await page.getByRole('link', { name: 'What was said' }).click();
    await page.getByText('finalized').first().waitFor(LONG);
  });
});

for (const rate of [44100, 48000, 16000]) {
  test(`a sound card of ${rate} samples a second carries speech both ways`, async () => {
    await withPhone(async (page) => {
      await standIn(page, SILENT);
      await asItIs(page);
      const { id } = await order(server, '/v1/calls', { to: SILENT, task: TASK });
      await page.getByRole('button', { name: 'Answer' }).click();
      await heardSpeech(page);
      const { transcript } = await said(id, 3);
      understood(words(transcript, 'user').slice(0, 1), voice.sentences.slice(0, 1));
      assert.equal((await page.evaluate(() => globalThis.heard())).rate, rate);
    }, { rate });
  });
}

test('a live call is taken over by whoever looks at it', async () => {
  await withPhone(async (page) => {
    await asItIs(page);
    const { id } = await order(server, '/v1/calls', { to: '+15550100', task: TASK });
    await page.goto(`${server.url}/#/calls/${id}`);
    await page.getByText('Do you have a table').first().waitFor(LONG);
    await page.getByRole('button', { name: 'Take it over here' }).click();
    await page.getByText(/^Ringing: the call with \+15550100/).last().waitFor(LONG);
    await page.evaluate(() => globalThis.forget());
    await page.getByRole('button', { name: 'Answer' }).click();
    await heardSpeech(page);
    await page.getByRole('button', { name: 'Hang up' }).first().click();
    await page.getByText('finalized').first().waitFor(LONG);
    const { reason } = await (await fetch(`${server.url}/v1/calls/${id}`)).json();
    assert.equal(reason, 'transferred');
  });
});

test('what rings can be declined, and can give up', async () => {
  await withPhone(async (page) => {
    await standIn(page, SILENT);
    const first = await order(server, '/v1/calls', { to: SILENT, task: TASK });
    await page.getByRole('button', { name: 'Decline' }).click();
    const { call } = await said(first.id);
    assert.equal(call.outcome, 'rejected');
    const second = await order(server, '/v1/calls', { to: SILENT, task: 'Wait.' });
    await page.getByRole('button', { name: 'Answer' }).waitFor(LONG);
    await order(server, `/v1/calls/${second.id}/hangup`, {});
    await page.getByText('They gave up before you answered.').last().waitFor(LONG);
    // Nobody is there any more.
    await page.getByRole('button', { name: 'Stand in no more' }).click();
    await page.getByRole('button', { name: 'Stand in' }).waitFor();
  });
});

test('a number is taken again when the server was away', async () => {
  await withPhone(async (page) => {
    await standIn(page, SILENT);
    await server.kill();
    await page.getByText('It is taken again by itself.').waitFor();
    await accessible(page, 'without a server');
    await server.again();
    await page.getByText('rings here.').waitFor(LONG);
    await order(server, '/v1/calls', { to: SILENT, task: TASK });
    await page.getByRole('button', { name: 'Answer' }).waitFor(LONG);
  });
});

test('a number that another browser has is refused, with what to do', async () => {
  await withPhone(async (page) => {
    await standIn(page, SILENT);
    const other = await page.context().newPage();
    await other.goto(`${server.url}/#/phone`);
    await other.getByRole('combobox', { name: 'Number' }).fill(SILENT);
    await other.getByRole('button', { name: 'Stand in' }).click();
    await other.getByRole('alert').filter({ hasText: 'close it first' }).waitFor();
    await page.close();
    await free();
    await other.getByRole('button', { name: 'Stand in' }).click();
    await other.getByText('rings here.').waitFor();
  });
});

test('without a microphone it says what to do', async () => {
  const refusing = { args: voice.args.filter((arg) => !arg.includes('fake-ui')) };
  await withPhone(async (page) => {
    await page.getByRole('combobox', { name: 'Number' }).fill(SILENT);
    await page.getByRole('button', { name: 'Stand in' }).click();
    await page.getByRole('alert').filter({ hasText: 'allow it in the settings' }).waitFor();
  }, refusing);
  await withPhone(async (page) => {
    await page.addInitScript(() => { delete Navigator.prototype.mediaDevices; });
    await page.reload();
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'HTTPS' }).waitFor();
  });
});

test('it can be used in the dark and on a narrow screen, with a clean microphone', async () => {
  await withPhone(async (page) => {
    await accessible(page, 'the phone, dark and narrow');
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await page.getByRole('heading', { name: 'You speak with your agent.' }).waitFor(LONG);
    await page.getByText('Keypad').click();
    await page.getByRole('button', { name: '5', exact: true }).click();
    await accessible(page, 'a call, dark and narrow');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false, 'nothing stands out at the side');
    const asked = await page.evaluate(() => globalThis.asked);
    assert.ok(asked.every(({ audio }) => audio.echoCancellation && audio.noiseSuppression
      && audio.autoGainControl), JSON.stringify(asked));
  }, { colorScheme: 'dark', viewport: { width: 360, height: 740 } });
});
