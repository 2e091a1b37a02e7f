// A search: the targets side by side as they answer, the comparison, and the choice.
import { html, useEffect, useState } from './lib.js';
import { ask, follow, post } from './api.js';
import { Act, Standing } from './parts.js';

export function Search({ id }) {
  const path = `/v1/searches/${id}`;
  const [search, set] = useState({});
  useEffect(() => {
    const take = (value) => set({ value });
    ask(path).then(take, (error) => set({ fault: error.message }));
    let told;
    const on = { search: (value) => take(told = value) };
    return follow(`${path}/events`, { on, last: () => isOver(told) });
  }, [id]);
  const { value, fault } = search;
  const nobody = useNobody(value?.chosen?.call);
  if (!value) {
    return fault ? html`<h1>Search</h1><p class="fault" role="alert">${fault}</p>`
      : html`<p class="empty">Reading the search …</p>`;
  }
  const choose = async (number) => {
    const { call } = await post(`${path}/choose`, { number, token: value.token });
    location.hash = `#/calls/${call}`;
  };
  return html`<h1>${value.question} <span class="standing ${value.state}">${value.state}</span></h1>
    ${value.state === 'running' && html`<${Act} label="Stop" danger
      act=${() => post(`${path}/stop`)} />`}
    ${value.chosen && html`<p>Number ${value.chosen.number} was chosen:
      ${' '}<a href=${`#/calls/${value.chosen.call}`}>the call</a>.
      ${nobody && ' It reached nobody: choose again.'}</p>`}
    <${Targets} search=${value} />
    <${Comparison} search=${value} choose=${(!value.chosen || nobody) && choose} />`;
}

/** After these a call took no offer, and one can be chosen again (`src/store/searches.rs`). */
const NOBODY = ['no_answer', 'busy', 'rejected', 'cancelled', 'network_error', 'invalid_number',
  'unreachable'];

/** Whether the call that took an offer is over and reached nobody. The search does not tell. */
function useNobody(call) {
  const [ended, set] = useState({});
  useEffect(() => call && follow(`/v1/calls/${call}/events`, {
    on: { finalized: ({ body }) => set({ call, outcome: body.outcome }) },
    last: () => true,
  }), [call]);
  return ended.call === call && NOBODY.includes(ended.outcome);
}

const LIVE = ['waiting', 'ringing', 'talking'];

/** Whether nothing will come any more: then the server ends the stream. */
const isOver = ({ state, targets }) =>
  state !== 'running' && !targets.some((target) => LIVE.includes(target.state));

const who = (row) => row.name ?? row.to;

/** Why somebody was not rung, in the words of the comparison. */
const whyNot = ({ comparison = [] }, { number, state }) => state === 'refused'
  && comparison.find((row) => row.number === number)?.reason;

function Targets({ search }) {
  return html`<section aria-labelledby="targets"><h2 id="targets">Asked</h2><ul class="cards">
    ${search.targets.map((target) => html`<li key=${target.number}>
      <b>${who(target)}</b> <span>${target.name ? target.to : ''}</span>
      <p><${Standing} call=${{ lifecycle: target.state, outcome: target.outcome }} />
        ${target.attempts > 1 && html`<span> rung ${target.attempts} times</span>`}</p>
      ${whyNot(search, target) && html`<p>${whyNot(search, target)}</p>`}
      ${target.result?.evidence && html`<p><q>${target.result.evidence}</q></p>`}
      ${target.call && html`<a href=${`#/calls/${target.call}`}>the call</a>`}
    </li>`)}</ul></section>`;
}

const yesNo = (is) => (is === true ? 'yes' : is === false ? 'no' : '');

function held({ hold }) {
  if (hold?.possible == null) return '';
  const until = hold.until ? ` until ${hold.until}` : '';
  return hold.possible ? `yes${until}${hold.without_payment ? ', without payment' : ''}` : 'no';
}

/** A value with the words it rests on; `head` stands before it where a table has no heads. */
function Cell({ row, field, head, children }) {
  const words = row.evidence?.[field]?.words;
  return html`<td title=${words ?? ''} data-head=${head}>${children}
    ${words && html`<span class="unseen"> (“${words}”)</span>`}</td>`;
}

function Comparison({ search, choose }) {
  const rows = search.comparison ?? [];
  return html`<section aria-labelledby="found"><h2 id="found">Compared</h2>
    <table class="calls"><thead><tr><th>Rank</th><th>Who</th><th>As asked</th><th>Price</th>
      <th>When</th><th>Held</th><th>Outcome</th><th>Choice</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.number}>
      <td class="figure">${row.rank}</td><td>${who(row)}</td>
      <${Cell} row=${row} field="available" head="As asked">${yesNo(row.available)}<//>
      <${Cell} row=${row} field="price" head="Price">${row.price ?? ''} ${row.currency ?? ''}<//>
      <${Cell} row=${row} field="timing" head="When">${row.timing ?? ''}<//>
      <${Cell} row=${row} field="hold" head="Held">${held(row)}<//>
      <td>${row.outcome ?? row.reason ?? ''}</td>
      <td>${choose && search.token && row.outcome === 'answered'
        && html`<${Act} label=${`Choose ${who(row)}`} act=${() => choose(row.number)} />`}</td>
    </tr>`)}</tbody></table></section>`;
}
