// This browser as a phone: which number it stands in for, and the one call it can have. It lives
// as long as the page, whatever is looked at; the views draw it.
import { signal } from './lib.js';
import { listening, post, refusal } from './api.js';
import { connect, dial, microphone, ring, silence } from './line.js';

/** `state`: `off`, `joining`, `ready`, `away` (it registers again); `number`, `fault`. */
export const standing = signal({ state: 'off' });

/** `stage` (`ringing`, `joining`, `talking`, `broken`), `muted`, `fault`, and what was told. */
export const call = signal(null);

/** How the last call ended: `words`, `id`. */
export const last = signal(null);

/** What is chosen: ids of devices, empty for the usual ones, and whether the browser cleans. */
export const sound = signal({ microphone: '', loudspeaker: '', clean: true });

export const devices = signal({ microphones: [], loudspeakers: [] });

/** How loud it is just now, 0 to 1. */
export const levels = { mine: signal(0), theirs: signal(0) };

const RETRY_MS = 1000;

/** The server would take us now; it is asked plainly, and speaks WebSocket only. */
const UPGRADE_REQUIRED = 426;

/** So often that answer may come in a row: a proxy in between lets no sockets through. */
const REFUSED_MAX = 3;

let link;
let line;
let tone;

/** Asks for the microphone, so that it is there when it rings, and learns the devices' names. */
async function prepare() {
  silence(await microphone(sound.value));
  await look();
}

async function look() {
  const all = await navigator.mediaDevices.enumerateDevices();
  const of = (kind) => all.filter((device) => device.kind === kind && device.deviceId);
  devices.value = { microphones: of('audioinput'), loudspeakers: of('audiooutput') };
}

navigator.mediaDevices?.addEventListener('devicechange', look);

/** Takes calls to this number from now on. Settled when it does; throws why it cannot. */
export async function standIn(number) {
  await prepare();
  leave();
  standing.value = { state: 'joining', number };
  return new Promise((resolve, reject) => { register(number, { resolve, reject }); });
}

/** Takes no calls any more. One that is talked on goes on. */
export function leave() {
  const left = link;
  link = undefined;
  left?.close();
  if (call.value?.stage === 'ringing') over('You stand in for nobody now.');
  standing.value = { state: 'off' };
}

function register(number, first, refused = 0) {
  const path = `/v1/softphone?number=${encodeURIComponent(number)}`;
  const socket = dial(path);
  link = socket;
  const gone = async () => {
    ear.stop();
    if (link !== socket) return;
    if (call.value?.stage === 'ringing') over('The connection broke while it rang.');
    const held = standing.value.state !== 'joining';
    if (held) standing.value = { state: 'away', number };
    const fault = await hindrance(path);
    if (link !== socket) return;
    if (fault && !(held && fault.passes)) {
      link = undefined;
      standing.value = { state: 'off', fault: held ? fault.message : undefined };
      first.reject(fault);
      return;
    }
    const again = !held && !fault ? refused + 1 : 0;
    if (again >= REFUSED_MAX) {
      link = undefined;
      standing.value = { state: 'off' };
      first.reject(new Error('Something between this browser and the server lets no WebSocket '
        + 'through: have the proxy pass them on.'));
      return;
    }
    setTimeout(() => { if (link === socket) register(number, first, again); }, RETRY_MS);
  };
  const ear = listening(() => {
    // Nor does anybody answer that it is closed.
    socket.onclose = null;
    socket.close();
    gone();
  });
  socket.onmessage = ({ data }) => {
    ear.heard();
    take(JSON.parse(data), number, first);
  };
  socket.onclose = gone;
}

/** Why the socket is refused; `passes` if that is not for good. */
async function hindrance(path) {
  const error = await refusal(path);
  if (!error || error.status === UPGRADE_REQUIRED) return null;
  // A server that is away comes back, and holds a broken connection of ours for a moment.
  error.passes = [0, 409].includes(error.status) || error.status >= 500;
  return error;
}

function take({ type, ...told }, number, first) {
  if (type === 'ready') {
    standing.value = { state: 'ready', number };
    first.resolve();
  } else if (type === 'ring') {
    // A call that rings already is told again to whoever comes back.
    if (told.media === call.value?.media) return;
    if (call.value) link.send(JSON.stringify({ type: 'busy', call: told.call }));
    else rings(told);
  } else if (type === 'over' && told.call === call.value?.id) {
    over(ending(told.how));
  }
}

function ending(how) {
  if (call.value.stage in ENDS) return ENDS.talking;
  return how === 'cancelled' ? 'They gave up before you answered.'
    : `It rings no more: ${how.replaceAll('_', ' ')}.`;
}

function rings({ call: id, ...told }) {
  call.value = { id, ...told, stage: 'ringing', since: Date.now() };
  tone = ring(sound.value.loudspeaker);
}

const change = (what) => { call.value = { ...call.value, ...what }; };

/** Takes the call that rings. What hinders is said beside it, and it rings on. */
export async function answer() {
  const { id, media } = call.value;
  change({ stage: 'joining', fault: null });
  try {
    const stream = await microphone(sound.value);
    if (call.value?.id === id) await talk(media, stream);
    else silence(stream);
  } catch (error) {
    if (call.value?.id === id) change({ stage: 'ringing', fault: error.message });
  }
}

const refuse = (id) => link?.send(JSON.stringify({ type: 'reject', call: id }));

/** Refuses the call that rings. */
export function decline() {
  refuse(call.value.id);
  over('You declined the call.');
}

/** Calls one's own agent. */
export async function callAgent(task) {
  if (call.value) throw new Error('There is a call already: hang up first.');
  const mine = { why: 'own', stage: 'joining', since: Date.now() };
  call.value = mine;
  try {
    const stream = await microphone(sound.value);
    // It may have been hung up meanwhile, and another one ring.
    if (call.value !== mine) return silence(stream);
    const from = standing.value.state === 'ready' ? standing.value.number : undefined;
    const made = await post('/v1/softphone/calls', { from, task: task.trim() || undefined });
    if (call.value !== mine) {
      silence(stream);
      await post(`/v1/calls/${made.call}/hangup`);
      return undefined;
    }
    change({ id: made.call });
    await talk(made.media, stream);
    return await look();
  } catch (error) {
    if (call.value?.why === 'own') over(null);
    throw error;
  }
}

function hush() {
  tone?.();
  tone = undefined;
}

/** A microphone that is pulled out in the middle is told of. */
function watch(stream) {
  const gone = () => change({ fault: 'The microphone is gone: choose another one.' });
  stream.getTracks().forEach((track) => { track.onended = gone; });
}

/** How a call ended that was talked on. */
const ENDS = { talking: 'The call is over.', broken: 'The line was lost, and did not come back.' };

async function talk(media, stream) {
  hush();
  watch(stream);
  const { id } = call.value;
  let began;
  const on = {
    started: () => change({ stage: 'talking', since: began ??= Date.now() }),
    broken: () => change({ stage: 'broken' }),
    mine: (level) => { levels.mine.value = level; },
    theirs: (level) => { levels.theirs.value = level; },
    over: () => over(began ? ENDS[call.value.stage] : 'The call was over before it began.'),
  };
  try {
    const made = await connect(media, stream, sound.value.loudspeaker, on);
    if (call.value?.id === id) line = made;
    else made.close();
  } catch (error) {
    silence(stream);
    throw error;
  }
}

export function hangUp() {
  // One that was answered and is not connected yet rings there.
  const { stage, why, id } = call.value ?? {};
  if (stage === 'joining' && why !== 'own') refuse(id);
  over('You hung up.');
}

export function mute(muted) {
  line?.mute(muted);
  change({ muted });
}

export const press = (key) => line?.key(key);

/** Chooses a device, or whether the browser cleans; holds for the call that is on, too. */
export async function choose(what) {
  sound.value = { ...sound.value, ...what };
  if (!line) return;
  if ('loudspeaker' in what) {
    await line.speakThrough(what.loudspeaker);
    return;
  }
  const held = line;
  const stream = await microphone(sound.value);
  if (line !== held) {
    silence(stream);
    return;
  }
  watch(stream);
  line.hear(stream);
  change({ fault: null });
  line.mute(Boolean(call.value.muted));
}

function over(words) {
  hush();
  line?.close();
  line = undefined;
  levels.mine.value = 0;
  levels.theirs.value = 0;
  last.value = words && { words, id: call.value?.id };
  call.value = null;
}

// A tab with a call is not closed by mistake.
addEventListener('beforeunload', (event) => {
  if (call.value?.stage === 'talking') event.preventDefault();
});
