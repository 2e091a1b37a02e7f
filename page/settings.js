// The settings of the server as somebody changes them: what is, what is not saved yet, what is
// wrong with it, and a look at what works. A secret is neither asked for nor shown.
import { html, batch, computed, signal } from './lib.js';
import { ask, post } from './api.js';

/** What the server told last: settings by their keys, and the rest of its answer. */
const told = signal({ settings: new Map() });

/** Settings that are not saved yet, by their keys; `null` has one be as the file says. */
export const draft = signal({});

/** What is wrong, by the key of a setting; under `''` what is about none. */
export const faults = signal({});

/** What checks have found, by section. */
const found = signal({});

/** The section that is checked just now. */
const checking = signal(null);

/** Secrets and what is to be done elsewhere: of what was looked at last. */
export const remains = signal(null);

/** The reason why nothing is shown, or nothing new. */
export const away = signal(null);

export const tools = computed(() => told.value.tools ?? []);
export const waiting = computed(() => [...told.value.settings.values()]
  .filter((one) => one.next_start !== undefined));

function take(answer) {
  batch(() => {
    const settings = new Map(answer.settings.map((one) => [one.key, one]));
    told.value = { ...answer, settings };
    away.value = null;
  });
}

export async function read() {
  try {
    const answer = await ask('/v1/settings');
    take(answer);
    // What a check has found to be done for settings that are not saved yet is still to be done.
    if (!remains.value || Object.keys(draft.value).length === 0) remains.value = answer;
  } catch (error) {
    const stranger = error.code === 'operator_only';
    if (stranger) remains.value = null;
    away.value = stranger
      ? 'This is for whoever runs the server: open the page with its key.' : error.message;
  }
}

/** A setting as it is kept. */
const kept = (one) => one?.next_start ?? one?.value ?? '';

/** As it is shown: the draft before what is kept. */
export function shown(key) {
  return key in draft.value ? draft.value[key] : kept(told.value.settings.get(key));
}

/** Changes one in the draft; what is as it was needs no saving. */
export function edit(key, value) {
  batch(() => {
    const { [key]: _was, ...others } = draft.value;
    const same = value !== null && value === kept(told.value.settings.get(key));
    draft.value = same ? others : { ...others, [key]: value };
    const { [key]: _fault, '': _of, ...rest } = faults.value;
    faults.value = rest;
  });
}

export function discard() {
  batch(() => {
    draft.value = {};
    faults.value = {};
  });
}

/** Puts a refusal at its field, or says it by itself. */
function refused(error) {
  const field = error.field && document.getElementById(idOf(error.field));
  const where = error.field && !field ? `${error.field}: ` : '';
  faults.value = { [field ? error.field : '']: where + error.message };
  const around = field?.closest('details');
  if (around) around.open = true;
  field?.focus();
}

export async function save() {
  try {
    const saved = draft.value;
    const answer = await ask('/v1/settings', { method: 'PATCH', body: saved });
    take(answer);
    remains.value = answer;
    // What was changed meanwhile is not saved.
    const fresh = Object.entries(draft.value).filter(([key, value]) => saved[key] !== value);
    discard();
    draft.value = Object.fromEntries(fresh);
  } catch (error) {
    refused(error);
  }
}

/** Looks at some things with the draft in its place. */
export async function check(section, only) {
  checking.value = section;
  faults.value = {};
  found.value = { ...found.value, [section]: null };
  try {
    const answer = await post('/v1/settings/check', { settings: draft.value, only });
    found.value = { ...found.value, [section]: answer.findings };
    remains.value = answer;
  } catch (error) {
    refused(error);
  }
  checking.value = null;
}

const MARKS = { ok: '✓', failed: '✗', skipped: '·' };

/** The button of a section, and what was found. */
export function Check({ section, only, label = 'Check' }) {
  const busy = checking.value !== null;
  const findings = found.value[section];
  return html`<div class="check">
    <button type="button" disabled=${busy} onClick=${() => check(section, only)}>${label}</button>
    <div role="status">${checking.value === section && html`<p class="empty">Looking …</p>`}
      ${findings && html`<ul class="plain findings">${findings.map((one) => html`
        <li class=${one.state}><b>${MARKS[one.state]} ${one.what.replaceAll('_', ' ')}</b>
          ${one.name && html` <code>${one.name}</code>`}
          <span class="unseen"> ${one.state}:</span> ${one.detail}${one.action
            && html`<br /><span>To do: ${one.action}</span>`}</li>`)}</ul>`}</div>
  </div>`;
}

const idOf = (key) => `set-${key.replaceAll('.', '-')}`;

const FROM = { default: 'the default', file: 'from the file', api: 'set here' };

/** Where a setting comes from, and when a change of it holds. */
function About({ one, id }) {
  const from = one.from === 'environment' ? `from ${one.variable}` : FROM[one.from];
  const is = (value) => (value === '' || value === null ? 'empty' : words(value));
  return html`<span class="about" id=${id}><code>${one.key}</code>, ${from}; a change holds
    ${one.takes_effect === 'next_call' ? ' from the next call on' : ' after a restart'}.
    ${one.next_start !== undefined && html` <b>Now ${is(one.value)}, after a restart
      ${' '}${is(one.next_start)}.</b>`}
    ${one.left_aside && html` <b class="bad">Left aside: ${one.left_aside}</b>`}</span>`;
}

/** A value in words; the server's numbers have seven figures. */
const words = (value) => String(typeof value === 'number' ? Number(value.toPrecision(6)) : value);

/** What is typed, as the setting has it. */
function typed(kind, text) {
  if (kind !== 'number') return text;
  return text.trim() === '' ? null : Number(text);
}

function Input({ setting, kind, options, ...rest }) {
  const value = shown(setting);
  if (kind === 'flag') {
    return html`<input type="checkbox" checked=${value === true} ...${rest}
      onChange=${(event) => edit(setting, event.target.checked)} />`;
  }
  const onInput = (event) => edit(setting, typed(kind, event.target.value));
  const text = value === null ? '' : words(value);
  if (kind === 'choice') {
    return html`<select ...${rest} value=${text} onChange=${onInput}>
      ${value === null && html`<option value="">as the file says</option>`}
      ${options.map(([word, label]) => html`<option key=${word} value=${word}
        selected=${word === text}>${label}</option>`)}</select>`;
  }
  if (kind === 'rules') {
    return html`<textarea rows="3" ...${rest} value=${text} onInput=${onInput}></textarea>`;
  }
  const hint = value === null ? 'as the file says' : rest.placeholder;
  const type = kind === 'number' ? { type: 'number', step: 'any' } : { type: 'text' };
  return html`<input ...${rest} ...${type} placeholder=${hint}
    value=${text} onInput=${onInput} spellcheck=${false} />`;
}

/** One setting with everything that is to be known of it. */
export function Field({ setting, label, ...rest }) {
  const one = told.value.settings.get(setting);
  if (!one) return null;
  const [id, fault] = [idOf(setting), faults.value[setting]];
  const changed = setting in draft.value;
  const isOurs = one.from === 'api' || one.next_start !== undefined || one.left_aside;
  return html`<div class=${changed ? 'field changed' : 'field'}>
    <label for=${id}>${label}${changed && html` <span class="note">not saved</span>`}</label>
    <${Input} setting=${setting} ...${rest} id=${id} aria-invalid=${fault ? 'true' : undefined}
      aria-describedby=${`${id}-about${fault ? ` ${id}-fault` : ''}`} />
    ${fault && html`<p class="fault" role="alert" id=${`${id}-fault`}>${fault}</p>`}
    <${About} one=${one} id=${`${id}-about`} />
    ${isOurs && !changed && html`<button type="button" class="small"
      onClick=${() => edit(setting, null)}>Back to the file<span class="unseen">: ${label}</span>
      </button>`}
  </div>`;
}

/** What is not saved, and the one way to save it. */
export function Unsaved() {
  const keys = Object.keys(draft.value);
  const fault = faults.value[''];
  return html`<div class=${keys.length ? 'unsaved here' : 'unsaved'} role="status">
    ${keys.length > 0 && html`<p><b>${keys.length === 1 ? 'One change is' : `${keys.length} changes
      are`} not saved:</b> ${keys.map((key) => html`<code key=${key}>${key}</code> `)}</p>
    <p><button type="button" onClick=${save}>Save</button>
      <button type="button" onClick=${discard}>Discard</button></p>`}
    ${fault && html`<p class="fault" role="alert">${fault}</p>`}
  </div>`;
}
