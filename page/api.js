// The way to the server: its API, as anybody uses it, and its streams.
import { computed, signal } from './lib.js';

/** Whether the server asks for a key that this browser has not shown. */
export const locked = signal(false);

/** How often one was taken. */
let entered = 0;

/** A key was taken: a refusal of what was asked before it says nothing any more. */
export function unlock() {
  entered += 1;
  locked.value = false;
}

/** How often the stream of the floor was opened: what was read before may be old. */
export const opened = signal(0);

/** Paths of streams that are lost. */
const lost = signal([]);

/** Whether what is shown is as it is now. */
export const connected = computed(() => opened.value > 0 && lost.value.length === 0);

/** Where it has nothing else to say, the server says a word this often (`src/http/alive.rs`). */
const ALIVE_MS = 5000;

/** Who was silent for so long is lost: nobody tells when a network forgets a connection. */
const SILENT_MS = 2.5 * ALIVE_MS;

/** Has `missed` called when no first word comes, or none for too long after `heard`. */
export function listening(missed) {
  let timer = setTimeout(missed, ALIVE_MS);
  const stop = () => clearTimeout(timer);
  const heard = () => {
    stop();
    timer = setTimeout(missed, SILENT_MS);
  };
  return { heard, stop };
}

/** A refusal, as the server words it. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || `the server answers with status ${status}`);
    this.status = status;
    this.code = problem.code;
    this.field = problem.field;
  }
}

/** What to do where no answer came: what was asked may have been done. */
function late(method, once) {
  if (once) return 'try again, nothing is ordered twice';
  return method === 'GET' ? 'try again' : 'look whether it was done before you try again';
}

/** Asks and returns JSON (null where there is none). Throws Refused. */
export async function ask(path, { method = 'GET', body, once, patience = PATIENCE_MS } = {}) {
  const headers = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (once) headers['idempotency-key'] = once;
  const then = entered;
  let answer;
  let text;
  try {
    answer = await fetch(path, {
      method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(patience),
    });
    text = await answer.text();
  } catch (error) {
    const detail = error.name === 'TimeoutError'
      ? `the server has not answered in time; ${late(method, once)}`
      : 'the server does not answer; is it running?';
    throw new Refused(0, { detail });
  }
  if (answer.ok) return text ? JSON.parse(text) : null;
  let problem = {};
  try {
    problem = JSON.parse(text);
  } catch { /* not one of ours */ }
  if (answer.status === 401 && then === entered) locked.value = true;
  throw new Refused(answer.status, problem);
}

export const post = (path, body = {}, once) => ask(path, { method: 'POST', body, once });

/** A fresh key for an order, so that a repeated press of a button orders nothing twice. */
export const onceKey = () => crypto.randomUUID?.() ?? String(Math.random()).slice(2) + Date.now();

export const RETRY_MS = 1000;

/** The slowest answer is that of a check of the settings: half a minute. */
const PATIENCE_MS = 60_000;

/** Why a stream or a socket is refused: browsers do not say, a plain request does. */
export const refusal = (path) => ask(path, { patience: ALIVE_MS }).then(() => null, (error) => error);

/**
 * Follows a stream of events and comes back to it when it breaks, or is silent. A page that nobody
 * looks at follows nothing: a browser has six connections to a server, for all of its tabs. `on`
 * maps names of events to functions of their JSON; `open` tells when it is; `last` ends it for good.
 * Returns a function that stops it.
 */
export function follow(path, { on, open, last }) {
  let source;
  let ear;
  let timer;
  let over = false;
  const tell = (is) => {
    const others = lost.value.filter((one) => one !== path);
    lost.value = is ? [...others, path] : others;
  };
  const start = () => {
    if (over || document.hidden) return;
    const here = new EventSource(path);
    source = here;
    ear = listening(() => {
      tell(true);
      look();
    });
    const { heard } = ear;
    here.onopen = () => {
      heard();
      tell(false);
      open?.();
    };
    here.onerror = async () => {
      if (here.readyState === EventSource.CLOSED) {
        const { status } = await refusal(path) ?? {};
        if (source !== here) return;
        // What is not there does not come.
        if (status === 404) return end();
        ear.stop();
        timer = setTimeout(start, RETRY_MS);
      }
      tell(true);
    };
    here.addEventListener('alive', heard);
    for (const [name, take] of Object.entries(on)) {
      here.addEventListener(name, (event) => {
        heard();
        take(JSON.parse(event.data));
        if (last?.(name)) end();
      });
    }
  };
  const pause = () => {
    clearTimeout(timer);
    ear?.stop();
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
    tell(false);
    document.removeEventListener('visibilitychange', look);
  };
  document.addEventListener('visibilitychange', look);
  start();
  return end;
}
