// The phone of whoever runs the server, and how calls to our numbers are held.
import { html, useState } from './lib.js';
import { ask } from './api.js';
import { Act, Form, load, useRead } from './parts.js';

const put = (path, body) => ask(path, { method: 'PUT', body });

/** Whom an order rings that names nobody. */
export function Target() {
  const [phone, set] = useState({});
  useRead(() => load('/v1/phone', set));
  const store = async (number) => set({ value: await put('/v1/phone', { number }) });
  const { number, from } = phone.value ?? {};
  return html`<h3>Target number</h3>
    ${phone.fault && html`<p class="fault" role="alert">${phone.fault}</p>`}
    ${phone.value && html`<p>Orders that name nobody ring ${number ? html`<b>${number}</b>
      <span class="about"> (${from === 'stored' ? 'set here' : 'call.target of the settings'})</span>`
    : 'nobody'}. A change holds at once.</p>`}
    <${Form} name="Set whom to ring" label="Set the target" order=${({ to }) => store(to.trim())}>
      <label>Target number <input name="to" type="tel" required placeholder="+14255550125" /></label>
    <//>
    ${from === 'stored' && html`<${Act} label="Forget it" act=${() => store(null)} />`}`;
}

/** Numbers with a profile. */
export function Inbound() {
  const [list, set] = useState({});
  const look = () => load('/v1/inbound', set);
  useRead(look);
  const profiles = list.value?.inbound ?? [];
  const path = (number) => `/v1/inbound/${encodeURIComponent(number)}`;
  const add = async ({ number, task, greeting, allow }) => {
    const wanted = number.trim();
    // It would be replaced as a whole, with its PIN and its tools; the list may be of yesterday.
    const held = await ask(path(wanted)).catch((error) => {
      if (error.status !== 404) throw error;
    });
    if (held) {
      await look();
      throw new Error(`${wanted} has a profile; remove it first, or change it over the API`);
    }
    const allowed = allow.split(/[\s,]+/).filter(Boolean);
    await put(path(wanted), { task, greeting, allow: allowed });
    await look();
  };
  const remove = (number) => ask(path(number), { method: 'DELETE' }).then(look);
  return html`<h3>Calls that come in</h3>
    ${list.fault && html`<p class="fault" role="alert">${list.fault}</p>`}
    <p>A number without a profile answers as a list of tasks. A change holds from the next call on.
      Voice, tools, PIN and recording of a profile: <a href="/docs">PUT /v1/inbound</a>.</p>
    <ul class="cards">${profiles.map((profile) => html`<li key=${profile.number}>
      <b>${profile.number}</b> ${profile.pin && html`<span class="standing">PIN</span>`}
      <p>${profile.task}</p>
      ${profile.greeting && html`<p><q>${profile.greeting}</q></p>`}
      <${Act} label=${`Remove ${profile.number}`} danger act=${() => remove(profile.number)} />
    </li>`)}</ul>
    <details><summary>Give a number a profile</summary>
    <${Form} name="Profile of a number" label="Set the profile" order=${add}>
      <label>Number of ours <input name="number" type="tel" required placeholder="+14255550123" /></label>
      <label>What its calls are for <textarea name="task" required rows="2"></textarea></label>
      <label>Said first <input name="greeting" /></label>
      <label>Who may ring, with commas; empty: everybody <input name="allow"
        placeholder="+1425*, +12065550100" /></label>
    <//></details>`;
}
