// Small pieces that several views use.
import { computed, html, signal, useEffect, useMemo, useState } from './lib.js';
import { ask, onceKey, opened, post } from './api.js';

/** The time, by the second. */
export const now = signal(Date.now());
setInterval(() => { now.value = Date.now(); }, 1000);

/** `65000` as `1:05`. */
export function clock(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const [h, m, rest] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  const two = (n) => String(n).padStart(2, '0');
  return h ? `${h}:${two(m)}:${two(rest)}` : `${m}:${two(rest)}`;
}

/** `850` as `0.85 s`. */
export const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;

/** The time of day, and of which day where that is not today. */
export function timeOf(ms) {
  const then = new Date(ms);
  return then.toDateString() === new Date().toDateString() ? then.toLocaleTimeString()
    : then.toLocaleString([], { dateStyle: 'short', timeStyle: 'medium' });
}

/** How long since then, counting. */
export function Since({ ms }) {
  // The signal itself, not its value: each second its text changes and nothing is drawn anew.
  const shown = useMemo(() => computed(() => clock(now.value - ms)), [ms]);
  return html`<span class="figure">${shown}</span>`;
}

/** A reply time as a dot on a scale of two seconds. */
export function Reply({ ms }) {
  if (ms == null) return html`<span class="scale" aria-hidden="true"></span>`;
  const left = `${Math.min(100, ms / 20)}%`;
  const pace = ms <= 800 ? 'good' : ms <= 1500 ? 'fair' : 'poor';
  return html`<span class="scale ${pace}" title=${`reply after ${seconds(ms)}`}>
    <span class="dot" style=${{ left }}></span>
    <span class="unseen">reply after ${seconds(ms)}</span>
  </span>`;
}

/** How a call stands, in a word and a colour. */
export function Standing({ call }) {
  const word = call.outcome ?? call.lifecycle;
  return html`<span class="standing ${word}">${word.replaceAll('_', ' ')}</span>`;
}

export const Arrow = ({ direction }) => html`<span class="arrow" title=${direction}
  role="img" aria-label=${direction}>${direction === 'inbound' ? '↙' : '↗'}</span>`;

/** A button that does something which may be refused; it says so beside itself. */
export function Act({ label, act, danger, disabled }) {
  const [state, set] = useState({});
  const run = async () => {
    if (state.busy) return;
    set({ busy: true });
    try {
      await act();
      set({});
    } catch (error) {
      set({ fault: error.message });
    }
  };
  return html`<span class="act">
    <button type="button" class=${danger ? 'danger' : ''} disabled=${disabled}
      aria-disabled=${state.busy} onClick=${run}>${label}</button>
    ${state.fault && html`<span class="fault" role="alert">${state.fault}</span>`}
  </span>`;
}

/**
 * What gives an order that is carried out once, however often it is sent: a function of its body,
 * and a box to be ticked where the same was ordered a moment ago and is meant once more.
 */
export function useOrder(path) {
  const [key, renew] = useState(onceKey);
  const [again, offer] = useState(false);
  const give = async ({ again: meant, ...body }) => {
    try {
      const made = await post(path, meant ? { ...body, again: true } : body, key);
      offer(false);
      renew(onceKey());
      return made;
    } catch (error) {
      offer(error.code === 'ordered_just_now');
      // The order before was taken, though its answer was lost.
      if (error.code === 'idempotency_key_reused') {
        renew(onceKey());
        throw new Error('what was ordered before was taken: look there first, then order anew');
      }
      throw error;
    }
  };
  const box = again && html`<label class="check"><input type="checkbox" name="again" />
    I mean it once more</label>`;
  return [give, box];
}

/** A form that gives an order: `fields` by name to `order`, a refusal beneath it. */
export function Form({ name, label, order, children }) {
  const [state, set] = useState({});
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    set({ busy: true });
    try {
      await order(Object.fromEntries(new FormData(form)));
      set({});
    } catch (error) {
      set({ fault: error.message });
    }
  };
  return html`<form onSubmit=${submit} aria-label=${name}>
    ${children}
    <button disabled=${state.busy}>${label}</button>
    ${state.fault && html`<p class="fault" role="alert">${state.fault}</p>`}
  </form>`;
}

/** Reads at first, when `of` changes, and whenever the server is back: it may be another one. */
export function useRead(read, ...of) {
  useEffect(() => { read(); }, [opened.value, ...of]);
}

/** What is asked for, or why it is not there. */
export async function load(path, into) {
  try {
    into({ value: await ask(path) });
  } catch (error) {
    into({ fault: error.message });
  }
}

/** Text to be copied, with a button that does. */
export function Copy({ name, text }) {
  const [done, set] = useState(false);
  const copy = async (event) => {
    const shown = event.currentTarget.previousElementSibling;
    try {
      await navigator.clipboard.writeText(text);
      set(true);
    } catch {
      // Not on every page may a script write there; then it is selected, to be copied by hand.
      getSelection().selectAllChildren(shown);
    }
  };
  return html`<span class="copy"><code class="block">${text}</code>
    <button type="button" class="small" onClick=${copy}>${done ? 'Copied' : 'Copy'}
      <span class="unseen"> ${name}</span></button></span>`;
}
