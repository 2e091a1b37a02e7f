// Pictures of the page for the README: `tests/page/run --shots`.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Server, browse, loadTest, order } from './stage.mjs';

const [, , folder] = process.argv;
mkdirSync(folder, { recursive: true });
const server = await Server.start();
const { page, close } = await browse(server, { viewport: { width: 1200, height: 760 } });
const shoot = (name) => page.screenshot({ path: join(folder, `${name}.png`) });

const task = 'Reserve a table for four at seven tonight at Luigi\'s, for Sam.';
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
const load = loadTest(server, '--calls', '10', '--for', '30s', '--faults', 'leaves=0.2');
await page.goto(`${server.url}/#/loads`);
await page.getByRole('img', { name: /^Calls over 0:3/ }).waitFor({ timeout: 90_000 });
await shoot('loads');
load.kill();
await page.goto(`${server.url}/#/setup`);
await page.getByLabel('Phone network').selectOption('twilio');
await page.locator('#set-http-public_url').fill('https://bridge.example.com');
await page.getByLabel('Account SID').fill(`AC${'0'.repeat(32)}`);
await page.getByLabel('Our number').fill('+14255550123');
await page.getByRole('button', { name: 'Check the carrier' }).click();
await page.getByText('✗ carrier').waitFor({ timeout: 60_000 });
await page.getByRole('button', { name: 'Check the model' }).click();
await page.getByText('simulated: model.url is empty').waitFor();
await page.evaluate(() => scrollTo(0, 0));
await page.setViewportSize({ width: 1200, height: 1250 });
await shoot('setup');
await close();
await server.stop();
