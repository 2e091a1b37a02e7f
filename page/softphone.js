// The softphone as it is seen: its view, and a bar above every other view while there is a call.
import { effect, html, signal, useEffect, useRef } from './lib.js';
import { ask, post } from './api.js';
import { Act, Form, Since, useRead } from './parts.js';
import { CHOOSES_LOUDSPEAKER } from './line.js';
import { floor } from './floor.js';
import * as phone from './phone.js';

/** Whom there is to stand in for, `number` and `who`; whether the model is simulated. */
const house = signal({ numbers: [] });

async function learn(rehearsal) {
  const set = await settings();
  const numbers = rehearsal ? (await ask('/rehearsal/numbers')).numbers : [
    { number: (await ask('/v1/phone')).number, who: 'your own phone' },
    { number: set('carrier.human'), who: 'the human that callers are handed over to' },
  ];
  house.value = { numbers: numbers.filter(({ number }) => number), simulated: !set('model.url') };
}

async function settings() {
  const all = (await ask('/v1/settings')).settings;
  return (wanted) => all.find(({ key }) => key === wanted)?.value;
}

const who = (number) => house.value.numbers.find((one) => one.number === number)?.who;

/** Who is at the other end, in words. */
function other({ why, from }) {
  if (why === 'own') return 'your agent';
  return from || 'an unknown number';
}

/** What whoever does not see the page is told, too. */
function told(call) {
  if (call?.stage === 'ringing') {
    return call.why === 'hand_over' ? `Ringing: the call with ${other(call)} is handed over to you.`
      : `Ringing: a call from ${other(call)}.`;
  }
  if (call?.stage === 'joining') return 'Connecting …';
  if (call?.stage === 'broken') return 'The line broke; it is opened anew …';
  return call ? `You speak with ${other(call)}.` : phone.last.value?.words ?? '';
}

/** Above every view: what the phone does, where it does something. */
export function PhoneBar({ hidden }) {
  const call = phone.call.value;
  return html`<p class="unseen" role="status" aria-live="assertive">${told(call)}</p>
    ${call && !hidden && html`<section class="bar" aria-label="Softphone">
      <span><b>${told(call)}</b> ${call.stage === 'talking'
        && html`<${Since} ms=${call.since} />`}</span>
      <${Hands} call=${call} /><a href="#/phone">To the phone</a>
    </section>`}`;
}

/** What can be done with the call that there is. */
function Hands({ call }) {
  const fault = call.fault && html`<span class="fault" role="alert">${call.fault}</span>`;
  // Buttons of their own: a second press of Answer must not be one of what stands there then.
  if (call.stage === 'ringing') {
    return html`<button key="answer" type="button" class="go" onClick=${phone.answer}>Answer</button>
      <button key="decline" type="button" class="danger" onClick=${phone.decline}>Decline</button>
      ${fault}`;
  }
  return html`${call.stage !== 'joining' && html`<button key="mute" type="button"
      aria-pressed=${Boolean(call.muted)} onClick=${() => phone.mute(!call.muted)}>Mute</button>`}
    <button key="end" type="button" class="danger" onClick=${phone.hangUp}>Hang up</button>
    ${fault}`;
}

export function Softphone() {
  const { rehearsal } = floor.state.value;
  useRead(() => {
    // Without them a number is typed.
    if (rehearsal !== undefined) learn(rehearsal).catch(() => {});
  }, rehearsal);
  const call = phone.call.value;
  return html`<h1>Softphone</h1>
    <${Current} call=${call} />
    ${house.value.simulated && html`<p class="empty">The model is simulated: it hears that you
      speak, but understands simulated voices alone. A real one understands you (model.url).</p>`}
    <div class="orders"><${Stand} /><${Own} busy=${Boolean(call)} /><${Sound} /></div>`;
}

function Current({ call }) {
  const last = phone.last.value;
  if (!call) {
    return last && html`<p class="empty">${last.words}
      ${' '}${last.id && html`<a href=${`#/calls/${last.id}`}>What was said</a>`}</p>`;
  }
  const talks = call.stage === 'talking';
  return html`<section class="current ${call.stage}" aria-labelledby="current">
    <h2 id="current">${told(call)} ${talks && html`<${Since} ms=${call.since} />`}</h2>
    ${call.introduction && html`<p>What it is about: <q>${call.introduction}</q></p>`}
    <div class="hands"><${Hands} call=${call} />
      ${call.id && html`<a href=${`#/calls/${call.id}`}>The call</a>`}</div>
    ${talks && html`<div class="meters">
      <${Meter} name="You" level=${phone.levels.mine} />
      <${Meter} name="They" level=${phone.levels.theirs} /></div><${Keys} />`}
  </section>`;
}

/** Decibels below full scale that are shown as nothing. */
const RANGE_DB = 60;

/** Drawn past the components: it changes ten times a second, and nothing else does. */
function Meter({ name, level }) {
  const bar = useRef();
  useEffect(() => effect(() => {
    const loud = Math.max(0, 1 + 20 * Math.log10(level.value + 1e-6) / RANGE_DB);
    bar.current.firstChild.style.transform = `scaleX(${loud})`;
    bar.current.setAttribute('aria-valuenow', Math.round(loud * 100));
  }), [level]);
  return html`<span class="meter"><span aria-hidden="true">${name}</span>
    <span class="scale" role="meter" aria-label=${`How loud: ${name}`} aria-valuemin="0"
      aria-valuemax="100" aria-valuenow="0" ref=${bar}><i></i></span></span>`;
}

const KEYS = [...'123456789*0#'];

const Keys = () => html`<details class="keypad"><summary>Keypad</summary>
  <div role="group" aria-label="Keys">${KEYS.map((key) => html`<button type="button" key=${key}
    onClick=${() => phone.press(key)}>${key}</button>`)}</div></details>`;

function Stand() {
  const { state, number, fault } = phone.standing.value;
  const stand = ({ number: wanted }) => phone.standIn(wanted.trim());
  const words = {
    ready: 'rings here.',
    away: 'does not ring here just now: no connection to the server. It is taken again by itself.',
  };
  return html`<section aria-labelledby="stand"><h2 id="stand">Stand in for a number</h2>
    ${words[state] ? html`<p>${number}${who(number) && ` (${who(number)})`} ${words[state]}</p>
      <button type="button" onClick=${phone.leave}>Stand in no more</button>`
    : html`<${Form} name="Stand in for a number" label="Stand in" order=${stand}>
      <label>Number <input name="number" type="tel" required list="numbers" autocomplete="off"
        placeholder="+15550100" /></label>
      <datalist id="numbers">${house.value.numbers.map((one) => html`<option key=${one.number}
        value=${one.number}>${one.who}</option>`)}</datalist>
    <//>`}
    ${fault && html`<p class="fault" role="alert">${fault}</p>`}
    <p class="empty">Calls to it, and hand-overs, ring here for as long as this page is open.</p>
  </section>`;
}

function Own({ busy }) {
  return html`<section aria-labelledby="own"><h2 id="own">Call your agent</h2>
    <${Form} name="Call your agent" label="Call" order=${({ task }) => phone.callAgent(task)}>
      <label>Task, if it is another than usual <textarea name="task" rows="2"
        disabled=${busy} placeholder="You keep my list of tasks."></textarea></label>
    <//></section>`;
}

function Sound() {
  const { microphones, loudspeakers } = phone.devices.value;
  const { microphone, loudspeaker, clean } = phone.sound.value;
  const choose = (what) => phone.choose(what).catch((error) => { fault.value = error.message; });
  return html`<section aria-labelledby="sound"><h2 id="sound">Sound</h2><div class="sound">
    <${Device} label="Microphone" of=${microphones} chosen=${microphone}
      choose=${(id) => choose({ microphone: id })} />
    ${CHOOSES_LOUDSPEAKER && html`<${Device} label="Loudspeaker" of=${loudspeakers}
      chosen=${loudspeaker} choose=${(id) => choose({ loudspeaker: id })} />`}
    <label class="check"><input type="checkbox" checked=${clean}
      onChange=${(event) => choose({ clean: event.target.checked })} />
      Take out echo and noise, and keep the level</label>
    ${fault.value && html`<p class="fault" role="alert">${fault.value}</p>`}
  </div></section>`;
}

const fault = signal(null);

function Device({ label, of, chosen, choose }) {
  return html`<label>${label} <select value=${chosen}
    onChange=${(event) => choose(event.target.value)}>
    <option value="">the usual one</option>
    ${of.filter(({ deviceId }) => deviceId !== 'default').map((device) => html`
      <option key=${device.deviceId} value=${device.deviceId}>${device.label}</option>`)}
  </select></label>`;
}

/** On the view of a call: this browser becomes the human, and the call is handed over to it. */
export function TakeOver({ path, disabled }) {
  const take = async () => {
    const number = (await settings())('carrier.human');
    if (!number) throw new Error('Nobody is named whom callers are handed over to: carrier.human.');
    const { state, number: held } = phone.standing.value;
    if (state !== 'ready' || held !== number) await phone.standIn(number);
    await post(`${path}/transfer`);
  };
  return html`<${Act} label="Take it over here" disabled=${disabled} act=${take} />`;
}
