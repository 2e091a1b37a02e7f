// Voice set-up: carrier, model, numbers, persona and tools by form, each with a look at what works,
// the secrets that are needed by their names, and what remains to be done elsewhere.
import { html } from './lib.js';
import { Check, Field, Unsaved, away, read, remains, shown, tools, waiting } from './settings.js';
import { Azure } from './azure.js';
import { Copy, useRead } from './parts.js';
import { Inbound, Target } from './numbers.js';

export function Setup() {
  useRead(read);
  const fault = away.value && html`<p class="fault" role="alert">${away.value}</p>`;
  if (!remains.value) {
    return html`<h1>Set-up</h1>${fault || html`<p class="empty">Reading the settings …</p>`}`;
  }
  return html`<h1>Set-up</h1>${fault}
    <p class="about">What is set here is kept in the record and goes before the environment, which
      goes before the file. Secrets are set in the environment alone.</p>
    ${waiting.value.length > 0 && html`<p class="note bad" role="status">
      ${waiting.value.length === 1 ? 'One setting waits' : `${waiting.value.length} settings wait`}
      ${' '}for a restart of the server.</p>`}
    <${Unsaved} />
    <div class="setup"><${Azure} /><${Carrier} /><${Model} /><${Numbers} /><${Persona} />
      <${Tools} /><${Secrets} /><${Elsewhere} /></div>`;
}

const Part = ({ id, title, children }) => html`<section aria-labelledby=${id}>
  <h2 id=${id}>${title}</h2>${children}</section>`;

const KINDS = [['rehearsal', 'Rehearsal: no phone can ring'],
  ['acs', 'Azure Communication Services'], ['twilio', 'Twilio'], ['asterisk', 'Asterisk']];

const OF_CARRIER = {
  acs: [
    { setting: 'acs.endpoint', label: 'Endpoint, where there is no connection string',
      placeholder: 'https://NAME.communication.azure.com' },
    { setting: 'acs.tenant_id', label: 'Tenant; empty for a managed identity' },
    { setting: 'acs.client_id', label: 'Client id' },
    { setting: 'acs.audience', label: 'Immutable id of the resource; empty: learned' },
    { setting: 'acs.record', label: 'Azure records too', kind: 'flag' },
  ],
  twilio: [
    { setting: 'twilio.account_sid', label: 'Account SID', placeholder: 'AC…' },
    { setting: 'twilio.api_key', label: 'API key; empty: the auth token is used',
      placeholder: 'SK…' },
    { setting: 'twilio.detect_machines', label: 'Listen for answering machines', kind: 'flag' },
    { setting: 'twilio.record', label: 'Twilio records too', kind: 'flag' },
  ],
  asterisk: [
    { setting: 'asterisk.ari_url', label: 'REST interface (ARI)',
      placeholder: 'http://127.0.0.1:8088/ari' },
    { setting: 'asterisk.user', label: 'ARI user' },
    { setting: 'asterisk.endpoint', label: 'What is dialled', placeholder: 'PJSIP/{number}@trunk' },
    { setting: 'asterisk.connection', label: 'Its name for the connection to us' },
    { setting: 'asterisk.audio', label: 'Audio', kind: 'choice',
      options: [['asterisk24k', '24 kHz'], ['asterisk8k', '8 kHz, µ-law']] },
  ],
};

const fields = (all) => all.map((one) => html`<${Field} key=${one.setting} ...${one} />`);

function Carrier() {
  const kind = shown('carrier.kind');
  return html`<${Part} id="carrier" title="Carrier">
    <${Field} setting="carrier.kind" label="Phone network" kind="choice" options=${KINDS} />
    ${kind !== 'rehearsal' && html`<${Field} setting="http.public_url"
      label="Public address of the carriers' door" placeholder="https://bridge.example.com" />`}
    ${fields(OF_CARRIER[kind] ?? [])}
    <${Check} section="carrier" label="Check the carrier"
      only=${['secrets', 'carrier', 'public_url', 'strangers']} /><//>`;
}

const MODEL = [
  { setting: 'model.url', label: 'Address; empty for the simulated model',
    placeholder: 'wss://api.openai.com/v1/realtime' },
  { setting: 'model.name', label: 'Model (on Azure the deployment)' },
  { setting: 'model.auth', label: 'How the key is sent', kind: 'choice',
    options: [['bearer', 'bearer (OpenAI)'], ['api-key', 'api-key (Azure)']] },
  { setting: 'model.voice', label: 'Voice' },
  { setting: 'model.speed', label: 'Speed, 0.25 to 1.5', kind: 'number' },
  { setting: 'model.language', label: 'Language, two letters; empty: found out' },
];

const MORE_OF_MODEL = [
  { setting: 'model.transcription', label: 'Writes down what callers say; empty: nothing does' },
  { setting: 'model.noise_reduction', label: 'Noise', kind: 'choice',
    options: [['near_field', 'phone at the mouth'], ['far_field', 'conference room'],
      ['off', 'left as it is']] },
  { setting: 'model.turns.by', label: 'A turn ends by', kind: 'choice',
    options: [['server', 'silence'], ['semantic', 'sense']] },
  { setting: 'model.turns.silence_duration_ms', label: 'Silence that ends a turn, ms',
    kind: 'number' },
  { setting: 'model.second.url', label: 'Another place, when the first fails' },
  { setting: 'model.second.name', label: 'Model there' },
  { setting: 'model.second.auth', label: 'How its key is sent', kind: 'choice',
    options: [['bearer', 'bearer (OpenAI)'], ['api-key', 'api-key (Azure)']] },
];

function Model() {
  return html`<${Part} id="model" title="Model">${fields(MODEL)}
    <details><summary>More of the model</summary>${fields(MORE_OF_MODEL)}</details>
    <${Check} section="model" label="Check the model" only=${['secrets', 'model']} /><//>`;
}

function Numbers() {
  return html`<${Part} id="numbers" title="Numbers">
    <${Field} setting="carrier.number" label="Our number" placeholder="+14255550123" />
    <${Field} setting="carrier.human" label="A human, for hand-overs; empty: nobody"
      placeholder="+14255550124" />
    <${Check} section="numbers" label="Check the numbers" only=${['numbers', 'may_ring']} />
    <${Target} /><${Inbound} /><//>`;
}

const PERSONA = [
  { setting: 'persona.name', label: 'Name' },
  { setting: 'persona.on_behalf_of', label: 'Speaks for' },
  { setting: 'persona.opening', label: 'Says first' },
  { setting: 'persona.style', label: 'How it speaks: a rule a line', kind: 'rules' },
  { setting: 'persona.boundaries', label: 'What it does not do: a rule a line', kind: 'rules' },
  { setting: 'persona.disclosure', label: 'Says that it is an AI', kind: 'choice',
    options: [['when_asked', 'when it is asked'], ['first', 'before anything else']] },
  { setting: 'call.voicemail', label: 'When an answering machine picks up', kind: 'choice',
    options: [['leave_message', 'leaves a message'], ['hang_up', 'hangs up'],
      ['wait', 'the model decides']] },
];

function Persona() {
  return html`<${Part} id="persona" title="Persona">${fields(PERSONA)}
    <${Check} section="persona" label="Check the persona" only=${['configuration']} /><//>`;
}

function Tools() {
  const by = Map.groupBy(tools.value, (tool) => tool.from);
  return html`<${Part} id="tools" title="Tools">
    <${Field} setting="call.take_restricted" kind="flag"
      label="Callers may be asked for card numbers and codes, on the keypad" />
    <dl>${[...by].map(([from, all]) => html`<dt key=${from}>${from}</dt>
      <dd>${all.map((tool) => html`<code key=${tool.name}>${tool.name}</code> `)}</dd>`)}</dl>
    <p class="about"><code>transfer_to_human</code> is there when a human is set above. Endpoints,
      MCP servers and the agent are set in the file: <code>[[tools]]</code>, <code>[[mcp]]</code>,
      ${' '}<code>[agent]</code>. They have this machine run programs, or ask others in its name.</p>
    <${Check} section="tools" label="Check the tools" only=${['tools']} /><//>`;
}

function Secrets() {
  const { secrets } = remains.value;
  const missing = secrets.filter((secret) => !secret.set);
  const lines = missing.map(({ variable }) => `${variable}=''`).join('\n');
  return html`<${Part} id="secrets" title="Secrets">
    ${secrets.length === 0 && html`<p class="empty">These settings need none.</p>`}
    <ul class="plain">${secrets.map((secret) => html`<li key=${secret.variable}>
      <code>${secret.variable}</code> <span class="standing ${secret.set ? 'active' : 'blocked'}">
        ${secret.set ? 'present' : 'absent'}</span> <span class="about">${secret.about}${
        secret.ours && !secret.set ? ', for example of openssl rand -hex 24' : ''}</span></li>`)}</ul>
    ${missing.length > 0 && html`<p>Fill these in where the server's secrets are, in
      ${' '}<code>tandem.env</code> of <code>tandem setup</code> or wherever its environment comes
      from, and start it again:</p><${Copy} name="the lines of the secrets" text=${lines} />`}<//>`;
}

function Elsewhere() {
  const { elsewhere } = remains.value;
  return html`<${Part} id="elsewhere" title="To be done elsewhere">
    ${elsewhere.length === 0 && html`<p class="empty">Nothing.</p>`}
    <ol class="steps">${elsewhere.map((step) => html`<li key=${step.at}><h3>${step.at}</h3>
      <p>${step.what}</p>
      ${step.values.map(({ name, value }) => html`<div key=${name} class="entry"><b>${name}</b>
        <${Copy} name=${name} text=${value} /></div>`)}</li>`)}</ol><//>`;
}
