// The floor: every live call as a row, forms that order calls, and what was before.
import { html, signal, batch, useState } from './lib.js';
import { follow, opened } from './api.js';
import { Arrow, Form, Reply, Since, Standing, load, timeOf, useOrder, useRead } from './parts.js';

/** What is told of the floor: a signal for each row, so that a change draws that row alone. */
export const floor = { state: signal({}), ids: signal([]), rows: new Map(), over: signal(0) };

/** Follows the floor for as long as the page is open. */
export function watchFloor() {
  let ended = null;
  const take = ({ calls, over = [], ...state }) => batch(() => {
    const fresh = [];
    for (const call of calls) {
      const row = floor.rows.get(call.id);
      if (row) row.value = call;
      else {
        floor.rows.set(call.id, signal(call));
        fresh.push(call.id);
      }
    }
    over.forEach((id) => floor.rows.delete(id));
    if (fresh.length || over.length) floor.ids.value = [...floor.rows.keys()];
    // Where there are many, some end all the time: what was before is read at most once a second.
    if (over.length) {
      ended ??= setTimeout(() => {
        ended = null;
        floor.over.value += 1;
      }, 1000);
    }
    floor.state.value = state;
  });
  const whole = (told) => {
    const here = new Set(told.calls.map((call) => call.id));
    take({ ...told, over: [...floor.rows.keys()].filter((id) => !here.has(id)) });
  };
  return follow('/v1/floor', {
    on: { floor: whole, change: take },
    open: () => { opened.value += 1; },
  });
}

export function Floor() {
  return html`<h1>Floor</h1>
    <${Legs} />
    <div class="orders"><${Place} /><${Ask} /></div>
    <${Live} /><${Before} />`;
}

/** What is known of a carrier or a model, in words. */
const DOES = { not_asked: 'not asked yet', works: 'works', fails: 'does not answer',
  refuses: 'refuses us' };

/** What every call stands on. Nobody asks it to find out: this is what came of the last calls. */
function Legs() {
  const { carrier, models = [] } = floor.state.value;
  if (!carrier) return null;
  const leg = (what, { name, state, at_ms, why, rests }) => html`<li key=${name}>
    ${what} <b>${name}</b> <span class="standing ${state}">${DOES[state]}</span>
    ${at_ms && html` <span class="figure">seen at ${timeOf(at_ms)}</span>`}
    ${why && html` <span>${why}</span>`}
    ${rests && html` <span>left alone for a while</span>`}</li>`;
  return html`<ul class="plain legs" aria-label="Carrier and models">
    ${leg('Carrier', carrier)}${models.map((model) => leg('Model', model))}</ul>`;
}

function Place() {
  const [give, again] = useOrder('/v1/calls');
  const order = async ({ to, ...rest }) => {
    const made = await give({ to: to.trim(), ...rest });
    location.hash = `#/calls/${made.id}`;
  };
  return html`<section aria-labelledby="place"><h2 id="place">Place a call</h2>
    <${Form} name="Place a call" label="Call" order=${order}>
      <label>To <input name="to" type="tel" required placeholder="+15550100" /></label>
      <label>Task <textarea name="task" required rows="2"
        placeholder="Ask for a table for four at seven tonight."></textarea></label>${again}
    <//></section>`;
}

/** `+15550121 Rosa` on a line of its own for each. */
const targets = (text) => text.split('\n').map((line) => line.trim()).filter(Boolean)
  .map((line) => {
    const [to, ...name] = line.split(/\s+/);
    return name.length ? { to, name: name.join(' ') } : { to };
  });

function Ask() {
  const [give, again] = useOrder('/v1/searches');
  const order = async ({ whom, ...rest }) => {
    const made = await give({ targets: targets(whom), ...rest });
    location.hash = `#/searches/${made.id}`;
  };
  return html`<section aria-labelledby="ask"><h2 id="ask">Ask several at once</h2>
    <${Form} name="Ask several at once" label="Ask" order=${order}>
      <label>Question <input name="question" required
        placeholder="Do you have a table for four at seven tonight?" /></label>
      <label>Whom: a number a line, a name behind it <textarea name="whom" required rows="3"
        placeholder=${'+15550120 Bistro\n+15550121 Rosa\n+15550122'}></textarea></label>${again}
    <//></section>`;
}

const HEADS = ['Who', 'How', 'Since', 'Last words', 'Reply, 0–2 s', 'Repairs'];

/**
 * A thousand rows stay smooth because each is laid out and painted by itself, and not at all while
 * it is out of sight. Rows of a table cannot be; so these are none to the style, and say by their
 * roles what they are.
 */
function Live() {
  const ids = floor.ids.value;
  const { waiting, places } = floor.state.value;
  const none = places == null ? 'Reading the floor …' : 'No call is live.';
  return html`<section aria-labelledby="live"><h2 id="live">Live <small>${ids.length}${
    waiting > 0 && `, ${waiting} of them wait for a place`}</small></h2>
    ${ids.length === 0 ? html`<p class="empty">${none}</p>` : html`
      <table class="calls live" role="table">
      <thead role="rowgroup"><tr role="row">${HEADS.map((head) => html`
        <th key=${head} role="columnheader">${head}</th>`)}</tr></thead>
      <tbody role="rowgroup">${ids.map((id) => html`
        <${Row} key=${id} row=${floor.rows.get(id)} />`)}</tbody>
    </table>`}</section>`;
}

function Row({ row }) {
  const call = row.value;
  return html`<tr role="row">
    <td role="cell"><${Arrow} direction=${call.direction} />
      <a href=${`#/calls/${call.id}`}>${call.remote || 'unknown'}</a></td>
    <td role="cell"><${Standing} call=${call} /></td>
    <td role="cell"><${Since} ms=${call.answered_ms ?? call.queued_ms} /></td>
    <td role="cell" class="words">${call.words && html`<span class=${call.words.role}>
      ${call.words.role === 'user' ? 'They: ' : 'We: '}</span>${call.words.text}`}</td>
    <td role="cell"><${Reply} ms=${call.reply_ms} /></td>
    <td role="cell" class="figure">${call.repairs || ''}</td>
  </tr>`;
}

/** The calls that are over, read anew whenever one ends, or the server is back. */
function Before() {
  const [calls, set] = useState({});
  const [searches, setSearches] = useState({});
  useRead(() => {
    load('/v1/calls?lifecycle=finalized&limit=20', set);
    load('/v1/searches', setSearches);
  }, floor.over.value);
  return html`<section aria-labelledby="before"><h2 id="before">Before</h2>
    ${calls.fault && html`<p class="fault" role="alert">${calls.fault}</p>`}
    ${calls.value?.calls.length === 0 && html`<p class="empty">No call was made yet.</p>`}
    ${calls.value?.calls.length > 0 && html`<table class="calls">
      <thead><tr><th>Who</th><th>How it ended</th><th>When</th><th>What for</th></tr></thead>
      <tbody>${calls.value.calls.map((call) => html`<tr key=${call.id}>
        <td><${Arrow} direction=${call.direction} />
          <a href=${`#/calls/${call.id}`}>${call.numbers.remote || 'unknown'}</a></td>
        <td><${Standing} call=${call} /></td>
        <td class="figure">${timeOf(Date.parse(call.timestamps.queued_at))}</td>
        <td class="words">${call.task.split('\n')[0]}</td>
      </tr>`)}</tbody></table>`}
    ${searches.value?.searches?.length > 0 && html`<h3>Searches</h3><ul class="plain">
      ${searches.value.searches.slice(0, 10).map((search) => html`<li key=${search.id}>
        <a href=${`#/searches/${search.id}`}>${search.question}</a>
        <span class="standing ${search.state}"> ${search.state}</span></li>`)}</ul>`}
  </section>`;
}
