// Connects resources that exist in Azure: what they are is turned into settings, which are checked
// and then saved as any others.
import { html, batch, useState } from './lib.js';
import { Check, check, edit } from './settings.js';
import { Form } from './parts.js';

const ONLY = ['secrets', 'numbers', 'model', 'carrier'];

const LET_IN = {
  key: 'by the connection string in TANDEM__ACS__CONNECTION_STRING',
  application: 'as an application of Microsoft Entra',
  machine: 'by the managed identity of this machine or app',
};

/** `https://res.openai.azure.com/` as the address of its realtime protocol. */
export function realtime(endpoint) {
  const given = endpoint.trim().replace(/\/+$/, '');
  if (/^wss?:/.test(given)) return given;
  return `${given.replace(/^https:/, 'wss:').replace(/^http:/, 'ws:')}/openai/v1/realtime`;
}

function settings({ way, endpoint, tenant, client, number, url, openai, deployment }) {
  const told = (text) => (text ?? '').trim();
  const made = {
    'carrier.kind': 'acs',
    'carrier.number': told(number),
    'http.public_url': told(url).replace(/\/+$/, ''),
    'acs.endpoint': way === 'key' ? '' : told(endpoint).replace(/\/+$/, ''),
    'acs.tenant_id': way === 'application' ? told(tenant) : '',
    'acs.client_id': way === 'key' ? '' : told(client),
  };
  if (!told(openai)) return made;
  return { ...made, 'model.url': realtime(openai), 'model.name': told(deployment),
    'model.auth': 'api-key' };
}

export function Azure() {
  const [way, choose] = useState('application');
  const connect = async (given) => {
    batch(() => Object.entries(settings(given)).forEach(([key, value]) => edit(key, value)));
    await check('azure', ONLY);
  };
  return html`<section aria-labelledby="azure"><h2 id="azure">Connect what there is in Azure</h2>
    <details><summary>Resources by their addresses, without their keys</summary>
    <${Form} name="Connect Azure" label="Fill in and check" order=${connect}>
      <label>Azure lets us in <select name="way" value=${way}
        onChange=${(event) => choose(event.target.value)}>${Object.entries(LET_IN)
          .map(([word, label]) => html`<option key=${word} value=${word}
            selected=${word === way}>${label}</option>`)}</select></label>
      ${way !== 'key' && html`<label>Endpoint of Communication Services <input name="endpoint"
        required placeholder="https://NAME.communication.azure.com" /></label>`}
      ${way === 'application' && html`<label>Tenant id <input name="tenant" required /></label>`}
      ${way !== 'key' && html`<label>Client id${way === 'machine' ? ', of one among several' : ''}
        <input name="client" required=${way === 'application'} /></label>`}
      <label>Number of the resource <input name="number" type="tel" required
        placeholder="+14255550123" /></label>
      <label>Public address of the carriers' door <input name="url" type="url" required
        placeholder="https://bridge.example.com" /></label>
      <label>Endpoint of Azure OpenAI; empty: the model stays <input name="openai"
        placeholder="https://NAME.openai.azure.com" /></label>
      <label>Deployment of a realtime model <input name="deployment" /></label>
    <//></details>
    <${Check} section="azure" label="Check Azure" only=${ONLY} />
    <p class="about">This fills in the forms below and saves nothing; what is found stands here.
      The key of the model is in TANDEM__MODEL__KEY.</p></section>`;
}
