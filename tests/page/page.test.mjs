// What somebody at the page does, and sees.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, accessible, inBrowser, order } from './stage.mjs';

const TASK = 'Reserve a table for four at seven tonight, for Sam.';
const QUESTION = 'Do you have a table for four at seven tonight?';
const LONG = { timeout: 60_000 };

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

const withPage = (use, options) => inBrowser(server, async (page) => {
  await page.goto(`${server.url}/`);
  await use(page);
}, options);

/** Whether the caller's voice is seen on the axis: more than the marks of turns would draw. */
function amberInCallersLane() {
  const canvas = document.querySelector('canvas.axis');
  const lane = canvas.getContext('2d').getImageData(60, 2, canvas.width - 70, 40);
  let coloured = 0;
  for (let n = 0; n < lane.data.length; n += 4) {
    const [red, , blue] = lane.data.slice(n, n + 3);
    if (red - blue > 60) coloured += 1;
  }
  return coloured > 400;
}

test('a call is placed, watched, and heard when it is over', async () => {
  await withPage(async (page) => {
    const legs = page.getByRole('list', { name: 'Carrier and models' });
    await legs.getByText('Carrier rehearsal not asked yet').waitFor();
    await page.getByLabel('To', { exact: true }).fill('+15550100');
    await page.getByLabel('Task').fill(TASK);
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await page.waitForURL(/#\/calls\//);
    await page.getByText('Do you have a table for four at seven tonight?').first().waitFor(LONG);
    await page.getByRole('button', { name: 'Listen' }).click();
    await page.waitForFunction(amberInCallersLane, null, LONG);
    await accessible(page, 'a live call');
    await page.getByRole('link', { name: 'Floor' }).click();
    const row = page.getByRole('row', { name: /\+15550100.*answered/ });
    await row.first().waitFor(LONG);
    await legs.getByText(/Carrier rehearsal works seen at/).waitFor();
    await legs.getByText(/Model model works seen at/).waitFor();
    await accessible(page, 'the floor');
    await row.first().getByRole('link').click();
    await page.locator('audio').waitFor(LONG);
    await page.getByText('Thank you, goodbye.').first().waitFor();
    const loudest = await page.evaluate(async () => {
      const bytes = await (await fetch(document.querySelector('audio').src)).arrayBuffer();
      const sound = await new OfflineAudioContext(2, 1, 24000).decodeAudioData(bytes);
      return [0, 1].map((side) => sound.getChannelData(side)
        .reduce((most, sample) => Math.max(most, Math.abs(sample)), 0));
    });
    assert.ok(loudest.every((peak) => peak > 0.05), `both sides are heard: ${loudest}`);
    const player = page.locator('audio');
    await player.evaluate((audio) => audio.play());
    await page.waitForFunction(() => document.querySelector('audio').currentTime > 0.5);
    await accessible(page, 'a call that is over');
  });
});

/** Whether the lane of ours has a filled bar, and beside it a frame with nothing in it. */
function heardAndUnheard() {
  const canvas = document.querySelector('canvas.axis');
  const [pen, ratio] = [canvas.getContext('2d'), devicePixelRatio];
  // The middle of the bars, and their upper edge.
  const row = (y) => pen.getImageData(60 * ratio, y * ratio, canvas.width - 70 * ratio, 1).data;
  const [middle, edge] = [row(66), row(58)];
  const blue = (data, n) => data[n + 3] > 0 && data[n + 2] - data[n] > 60;
  let [filled, framed] = [0, 0];
  for (let n = 0; n < middle.length; n += 4) {
    if (blue(middle, n)) filled += 1;
    else if (blue(edge, n)) framed += 1;
  }
  return filled > 10 && framed > 3;
}

test('what was cut off before it was heard is told from what was heard', async () => {
  await withPage(async (page) => {
    const { id } = await order(server, '/v1/calls', { to: '+15550106', task: TASK });
    await page.goto(`${server.url}/#/calls/${id}`);
    await page.getByText('barged in').first().waitFor(LONG);
    await page.getByText(/^for_ms: \d+ · heard_ms: \d+ · said_ms: \d+/).first().waitFor();
    await page.waitForFunction(heardAndUnheard);
    await page.getByRole('button', { name: 'Hang up' }).click();
    await page.getByText('finalized').first().waitFor(LONG);
  });
});

test('the agent is told what to say, and hangs up when it is told to', async () => {
  await withPage(async (page) => {
    const { id } = await order(server, '/v1/calls', { to: '+15550105', task: 'Wait.' });
    await page.goto(`${server.url}/#/calls/${id}`);
    await page.getByPlaceholder('Have the agent say …').fill('The blue car is at the gate.');
    await page.getByRole('heading', { name: /answered/ }).waitFor(LONG);
    await page.getByRole('button', { name: 'Say' }).click();
    await page.getByText('The blue car is at the gate.', { exact: true }).first().waitFor(LONG);
    await page.getByRole('button', { name: 'Bring in the human' }).click();
    await page.getByRole('alert').filter({ hasText: 'carrier.human' }).waitFor();
    await page.getByRole('button', { name: 'Hang up' }).click();
    await page.getByText('finalized').first().waitFor(LONG);
  });
});

test('several are asked side by side, and one of them is chosen', async () => {
  await withPage(async (page) => {
    const barred = await fetch(`${server.url}/v1/do-not-call/+15550123`, { method: 'PUT' });
    assert.ok(barred.ok);
    await page.getByLabel('Question').fill(QUESTION);
    await page.getByLabel(/Whom/).fill(
      '+15550120 Bistro\n+15550121 Rosa\n+15550122\n+15550123 Nora',
    );
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByRole('row', { name: /^1 Rosa yes.* 32 EUR .*at seven/ }).waitFor(LONG);
    const refused = page.getByRole('listitem').filter({ hasText: 'Nora' });
    await refused.getByText(/do-not-call/).waitFor();
    await page.getByRole('row', { name: /Nora .*do-not-call/ }).waitFor();
    await accessible(page, 'a search');
    const choose = page.getByRole('button', { name: 'Choose Rosa' });
    await choose.click();
    await page.waitForURL(/#\/calls\//);
    await page.getByText('this is a follow-up to our call', { exact: false }).first().waitFor(LONG);
    await page.goBack();
    await page.getByText('Number 2 was chosen').waitFor();
    assert.equal(await choose.count(), 0, 'what was chosen stays so');
    // Rosa answers whenever she is rung: that she does not is told by the browser.
    const told = { kind: 'finalized', body: { outcome: 'no_answer' } };
    await page.route('**/v1/calls/*/events', (route) => route.fulfill({
      contentType: 'text/event-stream', body: `event: finalized\ndata: ${JSON.stringify(told)}\n\n`,
    }));
    await page.reload();
    await page.getByText('It reached nobody: choose again.').waitFor();
    await choose.waitFor();
  });
});

test('each view says which it is, in the title and to whoever reads by ear', async () => {
  await withPage(async (page) => {
    assert.equal(await page.title(), 'Floor — Tandem');
    const shown = async (name) => {
      await page.waitForFunction((label) => {
        const [here, main] = [document.activeElement, document.querySelector('main')];
        return here === main && main.getAttribute('aria-label') === label;
      }, name);
      assert.equal(await page.title(), `${name} — Tandem`);
    };
    for (const name of ['Schedules', 'Load test', 'Set-up', 'Softphone', 'Floor']) {
      await page.getByRole('link', { name, exact: true }).click();
      await shown(name);
      await page.getByRole('heading', { name, level: 1 }).waitFor();
    }
    const { id } = await order(server, '/v1/calls', { to: '+15550105', task: 'Wait.' });
    await page.getByRole('row', { name: /\+15550105/ }).first().getByRole('link').click();
    // No number is kept in the browser's history.
    await shown('Call');
    await page.goBack();
    await shown('Floor');
    await page.goto(`${server.url}/#/elsewhere`);
    await shown('Nothing here');
    await order(server, `/v1/calls/${id}/hangup`, {});
  });
});

test('a call is planned and called off', async () => {
  await withPage(async (page) => {
    await page.getByRole('link', { name: 'Schedules' }).click();
    await page.getByLabel('To', { exact: true }).fill('+15550102');
    await page.getByLabel('Task').fill('Ask whether they are open.');
    await page.getByLabel(/cron/).fill('0 9 * * mon-fri');
    // The answer is lost on its way, and the order given once more: it is planned once.
    let lost = false;
    await page.route('**/v1/schedules', async (route) => {
      if (lost || route.request().method() !== 'POST') return route.continue();
      lost = true;
      await route.fetch();
      return route.abort('connectionreset');
    });
    await page.getByRole('button', { name: 'Plan' }).click();
    await page.getByText('the server does not answer').waitFor();
    await page.getByRole('button', { name: 'Plan' }).click();
    const planned = page.getByRole('listitem').filter({ hasText: '+15550102' });
    await planned.getByText('0 9 * * mon-fri').waitFor();
    assert.equal(await planned.count(), 1);
    await accessible(page, 'the schedules');
    await planned.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Nothing is planned.').waitFor();
  });
});

test('a refusal says what is wrong, beside what was asked', async () => {
  await withPage(async (page) => {
    await page.getByLabel('To', { exact: true }).fill('911');
    await page.getByLabel('Task').fill(TASK);
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: '911' }).waitFor();
  });
});

test('the page goes on when the server was away', async () => {
  await withPage(async (page) => {
    await page.getByText('live', { exact: true }).waitFor();
    await order(server, '/v1/calls', { to: '+15550105', task: 'Wait.' });
    await page.getByRole('row', { name: /\+15550105/ }).first().waitFor(LONG);
    await server.kill();
    await page.getByText('no connection to the server').waitFor();
    await server.again();
    await page.getByText('live', { exact: true }).waitFor(LONG);
    // The call was lost with its server, and is among those that are over.
    await page.getByText('No call is live.').waitFor();
    await page.getByRole('row', { name: /\+15550105 system error/ }).first().waitFor();
  });
});

test('it can be used in the dark and on a narrow screen', async () => {
  await withPage(async (page) => {
    await accessible(page, 'the floor, dark and narrow');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false, 'nothing stands out at the side');
  }, { colorScheme: 'dark', viewport: { width: 360, height: 740 } });
});
