// The page: which view the address asks for, and what stands above every view.
import { computed, effect, html, render, signal } from './lib.js';
import { ask, connected, locked, unlock } from './api.js';
import { Form } from './parts.js';
import { Floor, floor, watchFloor } from './floor.js';
import { Call } from './call.js';
import { Search } from './search.js';
import { Schedules } from './schedules.js';
import { Loads } from './loads.js';
import { Setup } from './setup.js';
import { PhoneBar, Softphone } from './softphone.js';
import { call } from './phone.js';

const VIEWS = [
  [/^$/, Floor, 'Floor'],
  [/^calls\/([^/]+)$/, Call, 'Call'],
  [/^searches\/([^/]+)$/, Search, 'Search'],
  [/^schedules$/, Schedules, 'Schedules'],
  [/^loads$/, Loads, 'Load test'],
  [/^setup$/, Setup, 'Set-up'],
  [/^phone$/, Softphone, 'Softphone'],
  [/^/, Nothing, 'Nothing here'],
];

const address = signal(read());
addEventListener('hashchange', () => {
  address.value = read();
  // Who reads by ear, or goes by the keyboard, is brought to what is shown now, when it is drawn.
  setTimeout(() => document.getElementById('main')?.focus());
});

function read() {
  return location.hash.replace(/^#\/?/, '').replace(/\/$/, '');
}

/** What the address asks for: the view and its name, and which call or search. */
const asked = computed(() => {
  const [pattern, view, name] = VIEWS.find(([one]) => one.test(address.value));
  return { view, name, id: pattern.exec(address.value)[1] };
});

/**
 * The title has the view, and what the softphone does, for whoever looks at another tab. It stays
 * in the browser's history: no number is in it.
 */
effect(() => {
  const doing = call.value && (call.value.stage === 'ringing' ? 'Ringing' : 'On a call');
  const name = !locked.value && asked.value.name;
  document.title = [doing, name, 'Tandem'].filter(Boolean).join(' — ');
});

function Nothing() {
  return html`<h1>Nothing here</h1>
    <p>There is nothing at this address. <a href="#/">To the floor</a></p>`;
}

function View() {
  const { view, id } = asked.value;
  return html`<${view} key=${address.value} id=${id} />`;
}

function Link({ to, children }) {
  const here = address.value === to.replace(/^#\/?/, '');
  return html`<a href=${to} aria-current=${here ? 'page' : undefined}>${children}</a>`;
}

function Head() {
  const { live, places, rehearsal, draining, record } = floor.state.value;
  return html`<header>
    <a class="brand" href="#/"><img src="/page/icon.svg" alt="" width="24" height="24" /> Tandem</a>
    <nav aria-label="Views">
      <${Link} to="#/">Floor<//>
      <${Link} to="#/schedules">Schedules<//>
      <${Link} to="#/loads">Load test<//>
      <${Link} to="#/setup">Set-up<//>
      <${Link} to="#/phone">Softphone<//>
      <a href="/docs">API</a>
    </nav>
    <span class="house">${places != null && html`<span class="figure">${live} of ${places} calls
      </span>`}<span role="status">
      ${rehearsal && html`<span class="note">rehearsal: no phone can ring</span>`}
      ${draining && html`<span class="note bad">going away: takes no calls</span>`}
      ${record && html`<span class="note bad">the record cannot be written: ${record}</span>`}
      <span class=${connected.value ? 'note good' : 'note bad'}>
        ${connected.value ? 'live' : 'no connection to the server'}</span></span>
    </span>
  </header>`;
}

/** Where a key is shown. */
function Door() {
  const enter = async ({ key }) => {
    await ask('/session', { method: 'POST', body: { key: key.trim() } });
    // The streams come back by themselves; a call that is talked on goes on.
    unlock();
  };
  return html`<main class="door">
    <h1>Tandem</h1>
    <${Form} name="Open the page" label="Open" order=${enter}>
      <label>Key
        <input name="key" type="password" required autocomplete="current-password" />
      </label>
    <//>
    <p>The key of whoever runs the server, or one made with <code>tandem keys</code>. At its start
      the server also prints an address that opens this page once.</p>
  </main>`;
}

function App() {
  if (locked.value) return html`<${PhoneBar} /><${Door} />`;
  return html`<a class="skip" href="#main" onClick=${toMain}>To the content</a>
    <${Head} /><${PhoneBar} hidden=${address.value === 'phone'} />
    <main id="main" tabindex="-1" aria-label=${asked.value.name}><${View} /></main>`;
}

function toMain(event) {
  event.preventDefault();
  document.getElementById('main').focus();
}

watchFloor();
const root = document.getElementById('app');
root.textContent = '';
render(html`<${App} />`, root);
