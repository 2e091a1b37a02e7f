// Pictures of the page for the README: `tests/page/run --shots`.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Server, browse, order } from './stage.mjs';
import { Voice } from './voice.mjs';

const [, , folder] = process.argv;
mkdirSync(folder, { recursive: true });
const server = await Server.start();
const task = 'Reserve a table for four at seven tonight at Luigi\'s, for Sam.';
const voice = new Voice([[1, 'Luigi\'s, good evening.']]);
const viewport = { width: 1200, height: 760 };
const { page, close } = await browse(server, { viewport, args: voice.args });
const shoot = (name) => page.screenshot({ path: join(folder, `${name}.png`) });

const { id } = await order(server, '/v1/calls', { to: '+15550100', task });
await order(server, '/v1/calls', { to: '+15550107', task });
const targets = [['+15550120', 'Bistro'], ['+15550121', 'Rosa'], ['+15550122', 'Full House']]
  .map(([to, name]) => ({ to, name }));
const question = 'Do you have a table for four at seven tonight?';
const search = await order(server, '/v1/searches', { question, targets });
await page.goto(`${server.url}/`);
await page.waitForTimeout(12_000);
await shoot('floor');
await page.goto(`${server.url}/#/searches/${search.id}`);
await page.getByRole('button', { name: 'Choose Rosa' }).waitFor({ timeout: 60_000 });
await page.waitForTimeout(8_000);
await shoot('search');
await page.goto(`${server.url}/#/calls/${id}`);
await page.locator('audio').waitFor({ timeout: 60_000 });
await page.waitForTimeout(1_000);
await shoot('call');
await page.goto(`${server.url}/#/phone`);
await page.getByRole('combobox', { name: 'Number' }).fill('+15550105');
await page.getByRole('button', { name: 'Stand in' }).click();
await page.getByText('rings here.').waitFor();
await order(server, '/v1/calls', { to: '+15550105', task });
await page.getByRole('button', { name: 'Answer' }).click();
await page.getByText('Keypad').click();
const theirs = await page.getByRole('meter', { name: 'How loud: They' }).elementHandle();
await page.waitForFunction((bar) => Number(bar.getAttribute('aria-valuenow')) > 60, theirs);
await shoot('softphone');
await close();
voice.forget();
await server.stop();
