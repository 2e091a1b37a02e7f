// One call: its time axis, its transcript, its events; what can be done with it while it lives.
import { html, useEffect, useState } from './lib.js';
import { RETRY_MS, ask, follow, post } from './api.js';
import { Act, Arrow, Form, Since, Standing, clock, seconds, timeOf } from './parts.js';
import { Axis } from './axis.js';
import { Listen } from './listen.js';
import { Recording } from './recording.js';
import { TakeOver } from './softphone.js';

export function Call({ id }) {
  const path = `/v1/calls/${id}`;
  const [call, set] = useState({});
  const [events, setEvents] = useState([]);
  const [audio, setAudio] = useState(null);
  useEffect(() => {
    let timer = 0;
    const look = () => ask(path).then((value) => set({ value }), (error) => {
      set((shown) => ({ ...shown, fault: error.message }));
      // How it ended is told once.
      const away = error.status === 0 || error.status >= 500;
      clearTimeout(timer);
      if (away) timer = setTimeout(look, RETRY_MS);
    });
    look();
    let held = [];
    let seen = 0;
    let frame = 0;
    const draw = () => {
      frame = 0;
      setEvents(held);
    };
    const take = (event) => {
      // A stream that breaks begins anew behind the last: nothing is taken twice.
      if (event.sequence <= seen) return;
      seen = event.sequence;
      held = [...held, event];
      frame ||= requestAnimationFrame(draw);
      if (['lifecycle', 'finalized'].includes(event.kind)) look();
    };
    const stop = follow(`${path}/events`, {
      on: Object.fromEntries(KINDS.map((kind) => [kind, take])),
      last: (kind) => kind === 'finalized',
    });
    return () => {
      stop();
      clearTimeout(timer);
      cancelAnimationFrame(frame);
    };
  }, [id]);
  if (!call.value) {
    return call.fault ? html`<h1>Call</h1><p class="fault" role="alert">${call.fault}</p>`
      : html`<p class="empty">Reading the call …</p>`;
  }
  const began = Date.parse(call.value.timestamps.answered_at
    ?? call.value.timestamps.queued_at);
  return html`<${Top} call=${call.value} path=${path}>
      <${Listen} path=${path} began=${began} set=${setAudio}
        disabled=${call.value.lifecycle !== 'answered'} /><//>
    <${Axis} call=${call.value} events=${events} began=${began} audio=${audio} />
    ${call.value.outcome && html`<${Recording} path=${path} audio=${audio} set=${setAudio}
      offset_ms=${call.value.recording_offset_ms ?? 0} />`}
    <div class="two"><${Transcript} events=${events} began=${began} live=${!call.value.outcome} />
      <${Log} events=${events} began=${began} /></div>`;
}

/** The kinds of events there are: a browser hears only those it asks for by name. */
const KINDS = ['lifecycle', 'carrier_named', 'turn', 'masked', 'restricted', 'pressed', 'answerer',
  'submission_unknown', 'keyed', 'recording', 'disclosure_heard', 'hand_over', 'tool_asked',
  'tool_answered', 'tool_late', 'announced', 'confirmation_asked', 'confirmation_settled',
  'confirmation_step', 'spoken', 'barged_in', 'lost', 'repaired', 'replied', 'used', 'finalized'];

function Top({ call, path, children }) {
  const over = Boolean(call.outcome);
  const talking = call.lifecycle === 'answered';
  const length = over ? clock(call.talk_ms ?? 0)
    : html`<${Since} ms=${Date.parse(call.timestamps.answered_at ?? call.timestamps.queued_at)} />`;
  const reason = call.outcome_detail?.reason;
  return html`<div class="top">
    <h1><${Arrow} direction=${call.direction} /> ${call.numbers.remote || 'unknown'}
      ${' '}<${Standing} call=${call} /> <span class="figure">${length}</span></h1>
    ${reason && html`<p>${reason.title}: ${reason.message}</p>`}
    ${call.follows && html`<p>It goes on from ${' '}
      <a href=${`#/calls/${call.follows}`}>an earlier call</a>.</p>`}
    <details><summary>Task</summary><p class="task">${call.task}</p></details>
    ${call.result && html`<${Result} result=${call.result} />`}
    ${!over && html`<div class="hands">
      ${children}
      <${Say} path=${path} disabled=${!talking} />
      <${Keypad} path=${path} disabled=${!talking} />
      <${Act} label="Bring in the human" disabled=${!talking}
        act=${() => post(`${path}/transfer`)} />
      <${TakeOver} path=${path} disabled=${!talking} />
      <${Act} label="Hang up" danger act=${() => post(`${path}/hangup`)} />
    </div>`}
  </div>`;
}

function Result({ result }) {
  return html`<section aria-label="Result" class="result">
    <span class="standing ${result.status}">${result.status}</span>
    ${result.evidence && html`<q>${result.evidence}</q>`}
    ${result.missing && html`<span>Missing: ${result.missing}</span>`}
    ${result.next_step && html`<span>Next: ${result.next_step}</span>`}
    ${result.data && html`<dl>${Object.entries(result.data).map(([name, value]) => html`
      <dt>${name}</dt><dd>${typeof value === 'string' ? value : JSON.stringify(value)}</dd>`)}</dl>`}
  </section>`;
}

function Say({ path, disabled }) {
  const order = async ({ text }) => post(`${path}/say`, { text });
  return html`<${Form} name="Say something" label="Say" order=${order}>
    <label class="unseen" for="say">What the agent shall say</label>
    <input id="say" name="text" required disabled=${disabled} placeholder="Have the agent say …" />
  <//>`;
}

const KEYS = [...'123456789*0#'];

function Keypad({ path, disabled }) {
  return html`<details class="keypad"><summary>Keypad</summary><div role="group" aria-label="Keys">
    ${KEYS.map((keys) => html`<${Act} key=${keys} label=${keys} disabled=${disabled}
      act=${() => post(`${path}/dtmf`, { keys })} />`)}</div></details>`;
}

/** The turns, each of ours with the time the caller waited for it. */
function turns(events) {
  const found = [];
  let reply = null;
  for (const { kind, body, sequence, at_ms } of events) {
    if (kind === 'replied') reply = body.ms;
    if (kind === 'masked') {
      const turn = found.find((held) => held.sequence === body.turn);
      if (turn) turn.text = body.text;
    }
    if (kind === 'turn') {
      const ours = body.speaker === 'assistant';
      found.push({ sequence, at_ms, ours, text: body.text, reply: ours ? reply : null });
      if (ours) reply = null;
    }
  }
  return found;
}

function Transcript({ events, began, live }) {
  const found = turns(events);
  return html`<section aria-labelledby="transcript"><h2 id="transcript">Transcript</h2>
    ${found.length === 0 && html`<p class="empty">Nobody has spoken yet.</p>`}
    <ol class="turns" aria-live=${live ? 'polite' : 'off'}>${found.map((turn) => html`
      <li key=${turn.sequence} class=${turn.ours ? 'assistant' : 'user'}>
        <span class="figure">${clock(turn.at_ms - began)}</span>
        <span class="unseen">${turn.ours ? 'We: ' : 'They: '}</span>
        <span class="said">${turn.text}</span>
        ${turn.reply != null && html`<span class="figure" title="reply time">
          ${seconds(turn.reply)}</span>`}
      </li>`)}</ol></section>`;
}

function Log({ events, began }) {
  const [filter, set] = useState('');
  const words = filter.toLowerCase();
  const shown = events.filter(({ kind, body }) =>
    !words || `${kind} ${JSON.stringify(body)}`.toLowerCase().includes(words));
  return html`<section aria-labelledby="events"><h2 id="events">Events
      <small> ${shown.length} of ${events.length}</small></h2>
    <label>Filter <input type="search" value=${filter} placeholder="tool, repaired, …"
      onInput=${(event) => set(event.target.value)} /></label>
    <ol class="log" tabindex="0" aria-label="Events">${shown.map((event) => html`
      <li key=${event.sequence} class=${event.kind}>
        <span class="figure" title=${timeOf(event.at_ms)}>${clock(event.at_ms - began)}</span>
        ${' '}<b>${event.kind.replaceAll('_', ' ')}</b> <span>${told(event.body)}</span></li>`)}</ol>
  </section>`;
}

/** A body in one line. */
function told(body) {
  const text = (value) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
  return Object.entries(body).map(([name, value]) => `${name}: ${text(value)}`).join(' · ');
}
