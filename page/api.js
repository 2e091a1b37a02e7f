// The way to the server: its API, as anybody uses it, and its streams.
import { signal } from './lib.js';

/** Whether the server asks for a key that this browser has not shown. */
export const locked = signal(false);

/** Whether the stream of the floor is open. */
export const connected = signal(false);

/** A refusal, as the server words it. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || `the server answers with status ${status}`);
    this.status = status;
    this.code = problem.code;
    this.field = problem.field;
  }
}

/** Asks and returns JSON (null where there is none). Throws Refused. */
export async function ask(path, { method = 'GET', body, once } = {}) {
  const headers = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (once) headers['idempotency-key'] = once;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Refused(0, { detail: 'the server does not answer; is it running?' });
  }
  const text = await answer.text();
  if (answer.ok) return text ? JSON.parse(text) : null;
  let problem = {};
  try {
    problem = JSON.parse(text);
  } catch { /* not one of ours */ }
  if (answer.status === 401) locked.value = true;
  throw new Refused(answer.status, problem);
}

export const post = (path, body = {}, once) => ask(path, { method: 'POST', body, once });

/** A fresh key for an order, so that a repeated press of a button orders nothing twice. */
export const onceKey = () => crypto.randomUUID?.() ?? String(Math.random()).slice(2) + Date.now();

const RETRY_MS = 1000;

/**
 * Follows a stream of events and comes back to it when it breaks. `on` maps names of events to
 * functions of their JSON; `open` and `broken` tell how it stands; `last` ends it for good.
 * Returns a function that stops it.
 */
export function follow(path, { on, open, broken, last }) {
  let source;
  let timer;
  let stopped = false;
  const start = () => {
    source = new EventSource(path);
    source.onopen = () => open?.();
    source.onerror = async () => {
      broken?.();
      if (source.readyState !== EventSource.CLOSED) return;
      source.close();
      // A refusal closes it; whether for want of a key, a plain request tells.
      await ask(path).catch(() => {});
      if (!stopped) timer = setTimeout(start, RETRY_MS);
    };
    for (const [name, take] of Object.entries(on)) {
      source.addEventListener(name, (event) => {
        take(JSON.parse(event.data));
        if (last?.(name)) source.close();
      });
    }
  };
  start();
  return () => {
    stopped = true;
    clearTimeout(timer);
    source.close();
  };
}
