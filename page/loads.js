// The load test: the run in progress with what it counts, and the runs before it.
import { html, useEffect, useState } from './lib.js';
import { ask, opened } from './api.js';
import { clock } from './parts.js';

const LOOK_MS = 1000;

export function Loads() {
  const [told, set] = useState({});
  const back = opened.value;
  useEffect(() => {
    let timer;
    let open = true;
    const look = async () => {
      try {
        const { loads } = await ask('/v1/loads');
        const live = loads.filter(({ state }) => state === 'running');
        const running = await Promise.all(live.map(({ id }) => ask(`/v1/loads/${id}`)));
        if (open) set({ loads, running });
      } catch (error) {
        if (open) set((shown) => ({ ...shown, fault: error.message }));
      }
      if (open) timer = setTimeout(look, LOOK_MS);
    };
    look();
    return () => {
      open = false;
      clearTimeout(timer);
    };
  }, [back]);
  const { loads, running, fault } = told;
  return html`<h1>Load test</h1>
    ${fault && html`<p class="fault" role="alert">${fault}</p>`}
    ${running?.map((load) => html`<${Running} key=${load.id} load=${load} />`)}
    ${loads && html`<${Past} loads=${loads.filter(({ state }) => state !== 'running')} />`}`;
}

/** What is shown of what a run counts; what went wrong only when something did. */
const COUNTS = [['live', 'live'], ['started', 'started'], ['ended', 'ended'], ['turns', 'answers'],
  ['faults', 'faults'], ['wrong', 'wrong'], ['lost', 'lost']];

function Running({ load }) {
  const { mode, asked, phase, counts, timeline = [], began_at, seen_at } = load;
  const since = Date.parse(seen_at) - Date.parse(began_at);
  return html`<section aria-labelledby=${load.id}>
    <h2 id=${load.id}>${mode} <small>${asked}</small></h2>
    <p><span class="standing running">running</span> ${phase}
      <span class="figure"> ${clock(since)}</span></p>
    <dl class="counts">${COUNTS.filter(([name]) => counts[name] > 0 || name === 'live')
      .map(([name, word]) => html`<div key=${name} class=${name}>
        <dt>${word}</dt><dd>${counts[name].toLocaleString('en')}</dd></div>`)}</dl>
    ${timeline.length > 1 && html`<div class="graphs">
      <${Graph} name="Calls" ticks=${timeline} of="live" unit="" />
      <${Graph} name="Processor" ticks=${timeline} of="cpu_percent" unit=" %" />
      <${Graph} name="Memory" ticks=${timeline} of="rss_mib" unit=" MiB" />
    </div>`}</section>`;
}

const [WIDTH, HEIGHT] = [240, 60];

/** A line over the time of the run, from nothing to the most there was. */
function Graph({ name, ticks, of, unit }) {
  const figure = (value) => `${Math.round(value).toLocaleString('en')}${unit}`;
  const most = Math.max(1, ...ticks.map((tick) => tick[of]));
  const end = ticks.at(-1).at_s;
  const points = ticks.map((tick) =>
    `${(tick.at_s / end * WIDTH).toFixed(1)},${(HEIGHT - tick[of] / most * HEIGHT).toFixed(1)}`);
  const now = figure(ticks.at(-1)[of]);
  return html`<figure>
    <figcaption>${name} <b>${now}</b> <small>at most ${figure(most)}</small></figcaption>
    <svg viewBox="0 -2 ${WIDTH} ${HEIGHT + 4}" preserveAspectRatio="none" role="img"
      aria-label=${`${name} over ${clock(end * 1000)}: now ${now}, at most ${figure(most)}`}>
      <polyline points=${points.join(' ')} vector-effect="non-scaling-stroke" /></svg></figure>`;
}

function Past({ loads }) {
  return html`<section aria-labelledby="past"><h2 id="past">Runs before</h2>
    ${loads.length === 0 && html`<p class="empty">No run was kept. ${' '}
      A run of <code>tandem-loadtest</code> with the settings of this server is shown here.</p>`}
    ${loads.length > 0 && html`<table class="calls">
      <thead><tr><th>When</th><th>What</th><th>Verdict</th><th>Why</th><th>Report</th></tr></thead>
      <tbody>${loads.map((load) => html`<${Row} key=${load.id} load=${load} />`)}</tbody>
    </table>`}</section>`;
}

function Row({ load }) {
  const { id, state, detail, mode, asked, phase, verdict, began_at, report } = load;
  const word = verdict?.word ?? state;
  return html`<tr>
    <td class="figure">${began_at ? new Date(began_at).toLocaleString() : '–'}</td>
    <td>${mode ? html`<b>${mode}</b> ${asked}` : html`<code>${id}</code>`}</td>
    <td><span class="standing ${word}">${word.replaceAll('_', ' ')}</span></td>
    <td class="words">${detail ?? verdict?.why.join('; ') ?? phase}</td>
    <td>${report && html`<a href=${report} target="_blank" rel="noopener"
      aria-label=${`Report of ${mode}, ${asked}`}>report</a>`}</td>
  </tr>`;
}
