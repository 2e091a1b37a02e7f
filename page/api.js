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
    answer = await fetch(path, {
      method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch (error) {
    const detail = error.name === 'TimeoutError'
      ? 'the server has not answered in a minute; try again, nothing is ordered twice'
      : 'the server does not answer; is it running?';
    throw new Refused(0, { detail });
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

export const RETRY_MS = 1000;

/** The slowest answer is that of a check of the settings: half a minute. */
const PATIENCE_MS = 60_000;

/**
 * Follows a stream of events and comes back to it when it breaks. A page that nobody looks at
 * follows nothing: a browser has six connections to a server, for all of its tabs. `on` maps names of events to
 * functions of their JSON; `open` and `broken` tell how it stands; `last` ends it for good.
 * Returns a function that stops it.
 */
export function follow(path, { on, open, broken, last }) {
  let source;
  let timer;
  let over = false;
  const start = () => {
    if (over || document.hidden) return;
    const here = new EventSource(path);
    source = here;
    source.onopen = () => open?.();
    source.onerror = async () => {
      broken?.();
      if (here.readyState !== EventSource.CLOSED) return;
      // A refusal closes it; whether for want of a key, a plain request tells.
      await ask(path).catch(() => {});
      if (source === here) timer = setTimeout(start, RETRY_MS);
    };
    for (const [name, take] of Object.entries(on)) {
      source.addEventListener(name, (event) => {
        take(JSON.parse(event.data));
        if (last?.(name)) end();
      });
    }
  };
  const pause = () => {
    clearTimeout(timer);
    source?.close();
    source = undefined;
  };
  const look = () => {
    pause();
    start();
  };
  const end = () => {
    over = true;
    pause();
    document.removeEventListener('visibilitychange', look);
  };
  document.addEventListener('visibilitychange', look);
  start();
  return end;
}
