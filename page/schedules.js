// Calls that are made later: what is planned, what came of it, and a form to plan one.
import { html, useEffect, useState } from './lib.js';
import { ask } from './api.js';
import { Act, Form, load, useOrder, useRead } from './parts.js';

/** So long after its time a schedule was seen to, unless something keeps it. */
const SEEN_TO_MS = 2000;

/** Between two looks at what is due, and what may be far off or told by another clock. */
const [SOON_MS, LATE_MS] = [5000, 3_600_000];

/** Reads again when the next time has come. */
function useNext(list, look) {
  useEffect(() => {
    const planned = list.value?.schedules ?? [];
    if (planned.length === 0 && !list.fault) return undefined;
    const times = planned.map(({ next_at }) => Date.parse(next_at) || Infinity);
    const wait = Math.min(...times) + SEEN_TO_MS - Date.now();
    const timer = setTimeout(look, Math.min(Math.max(wait, SOON_MS), LATE_MS));
    return () => clearTimeout(timer);
  }, [list]);
}

export function Schedules() {
  const [list, set] = useState({});
  const look = () => load('/v1/schedules', set);
  useRead(look);
  useNext(list, look);
  return html`<h1>Schedules</h1>
    <${Plan} done=${look} />
    ${list.fault && html`<p class="fault" role="alert">${list.fault}</p>`}
    ${list.value?.schedules.length === 0 && html`<p class="empty">Nothing is planned.</p>`}
    <ul class="cards">${list.value?.schedules.map((schedule) => html`
      <${Schedule} key=${schedule.id} schedule=${schedule} done=${look} />`)}</ul>`;
}

function Plan({ done }) {
  const [give, again] = useOrder('/v1/schedules');
  const order = async ({ to, at, cron, ...rest }) => {
    const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (!cron.trim() && !at) throw new Error('Say when: once at a time, or as of cron.');
    const when = cron.trim() ? { cron: cron.trim(), time_zone }
      : { at: new Date(at).toISOString() };
    await give({ to: to.trim(), ...rest, ...when });
    await done();
  };
  return html`<section aria-labelledby="plan"><h2 id="plan">Plan a call</h2>
    <${Form} name="Plan a call" label="Plan" order=${order}>
      <label>To <input name="to" type="tel" required placeholder="+15550100" /></label>
      <label>Task <textarea name="task" required rows="2"></textarea></label>
      <label>Once, at <input name="at" type="datetime-local" /></label>
      <label>or again and again, as of cron <input name="cron" placeholder="0 9 * * mon-fri" /></label>${again}
    <//></section>`;
}

function Schedule({ schedule, done }) {
  const [history, set] = useState({});
  const path = `/v1/schedules/${schedule.id}`;
  const open = (event) => event.target.open
    && load(path, set);
  const next = schedule.next_at && new Date(schedule.next_at).toLocaleString();
  return html`<li><b>${schedule.to}</b> <span class="standing ${schedule.state}">${schedule.state}</span>
    <p>${schedule.task}</p>
    <p>${schedule.cron ? html`<code>${schedule.cron}</code> in ${schedule.time_zone}` : ''}
      ${next && html` next: <time>${next}</time>`}</p>
    <details onToggle=${open}><summary>What came of it</summary>
      ${history.fault && html`<p class="fault" role="alert">${history.fault}</p>`}
      ${history.value?.history.length === 0 && html`<p class="empty">Nothing yet.</p>`}
      <ul class="plain">${history.value?.history.map((run) => html`<li key=${run.due_at}>
        ${new Date(run.due_at ?? run.ran_at).toLocaleString()}: ${run.verdict.replaceAll('_', ' ')}
        ${run.call && html` <a href=${`#/calls/${run.call}`}>the call</a>`} ${run.detail ?? ''}
      </li>`)}</ul></details>
    ${schedule.state === 'active' && html`<${Act} label="Cancel" danger
      act=${() => ask(path, { method: 'DELETE' }).then(done)} />`}</li>`;
}
