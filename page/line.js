// The sound of one call: from the microphone into the socket of the call, and from there to the
// loudspeaker; and the tone of a phone that rings. Knows nothing of who calls whom.

/** Samples a second of a call. */
const RATE = 24000;

/** The server is up to 200 ms ahead of time; what lies beyond the jitter is not delay for ever. */
const LATE = { ahead_ms: 60, ample_ms: 400, most_ms: 1000 };

/** The close code of a socket whose network failed: nobody has said that the call is over. */
const NO_FAREWELL = 1006;

/** So long the server holds a line that was lost, and so often it is tried. */
const [HELD_MS, REDIAL_MS] = [15_000, 500];

/** A second of audio that the network has not taken: what is said then is too late already. */
const MOST_UNSENT = RATE * 2;

const TROUBLE = {
  NotAllowedError: 'The browser may not use the microphone: allow it in the settings of this site, '
    + 'beside its address, and try again.',
  NotFoundError: 'There is no microphone: plug one in and try again.',
  NotReadableError: 'Another program has the microphone: close that and try again.',
  OverconstrainedError: 'The chosen microphone is gone: choose another one.',
};

/** Opens the microphone; `clean` has the browser take out echo and noise. Throws what to do. */
export async function microphone({ microphone: id, clean }) {
  if (!navigator.mediaDevices) {
    throw new Error('Browsers have no microphone for an address that is not secure: open this page '
      + 'by HTTPS, or on the machine of the server at 127.0.0.1.');
  }
  const audio = { channelCount: 1, deviceId: id ? { exact: id } : undefined,
    echoCancellation: clean, noiseSuppression: clean, autoGainControl: clean };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new Error(TROUBLE[error.name] ?? `The microphone cannot be used: ${error.message}`);
  }
}

export const silence = (stream) => stream.getTracks().forEach((track) => track.stop());

/** A socket at a path of the server that this page is from. */
export const dial = (path) => new WebSocket(location.origin.replace('http', 'ws') + path);

/** Chooses the loudspeaker, where the browser can. */
export const CHOOSES_LOUDSPEAKER = 'AudioContext' in globalThis
  && 'setSinkId' in AudioContext.prototype;

const speakThrough = async (context, id) => CHOOSES_LOUDSPEAKER && context.setSinkId(id);

/**
 * Connects a microphone to a call. `on` is told `started`, `mine` and `theirs` (how loud), `broken`
 * when the network failed and the line is opened anew, and `over` when the other side has closed
 * it. Connecting is answering.
 */
export async function connect(path, stream, loudspeaker, on) {
  const { context, source } = await room(stream);
  try {
    await context.audioWorklet.addModule('/page/worklet.js');
  } catch (error) {
    context.close();
    throw error;
  }
  const part = (name, options) => new AudioWorkletNode(context, name,
    { channelCount: 1, channelCountMode: 'explicit', outputChannelCount: [1],
      processorOptions: { rate: RATE, ...options } });
  const [player, ear] = [part('player', LATE), part('microphone')];
  player.connect(context.destination);
  // Silence; but what leads nowhere is not run by every browser.
  ear.connect(context.destination);
  source.connect(ear);
  // One that is gone is no reason to hear nothing.
  if (loudspeaker) await speakThrough(context, loudspeaker).catch(() => {});
  const socket = new Redialled(path, on, ({ data }) => {
    const { type, mark } = typeof data === 'string' ? JSON.parse(data) : { type: 'sound' };
    if (type === 'sound') player.port.postMessage({ sound: [floats(data)] });
    else if (type === 'mark') player.port.postMessage({ mark, late_s: context.outputLatency });
    else if (type === 'flush') player.port.postMessage({ flush: true });
    else if (type === 'start') on.started();
  });
  ear.port.onmessage = ({ data: { frame, level } }) => {
    if (frame) socket.sound(frame);
    else on.mine(level);
  };
  player.port.onmessage = ({ data: { played, level } }) => {
    if (played === undefined) on.theirs(level);
    else socket.tell({ type: 'played', mark: played });
  };
  let heard = { stream, source };
  const close = () => {
    socket.close();
    silence(heard.stream);
    context.close();
  };
  return {
    close,
    key: (key) => socket.tell({ type: 'key', key }),
    mute: (muted) => heard.stream.getTracks().forEach((track) => { track.enabled = !muted; }),
    speakThrough: (id) => speakThrough(context, id),
    hear(other) {
      const next = context.createMediaStreamSource(other);
      heard.source.disconnect();
      silence(heard.stream);
      next.connect(ear);
      heard = { stream: other, source: next };
    },
  };
}

/** The socket of a call's media, opened anew while the server holds the line. */
class Redialled {
  constructor(path, on, take) {
    Object.assign(this, { path, on, take });
    this.dial();
  }

  dial() {
    const socket = dial(this.path);
    socket.binaryType = 'arraybuffer';
    socket.onmessage = this.take;
    socket.onopen = () => { this.broken = undefined; this.opened = true; };
    socket.onclose = ({ code }) => this.gone(code);
    this.socket = socket;
  }

  gone(code) {
    this.broken ??= Date.now();
    if (code !== NO_FAREWELL || !this.opened || Date.now() - this.broken > HELD_MS) {
      this.on.over();
      return;
    }
    this.on.broken();
    this.timer = setTimeout(() => this.dial(), REDIAL_MS);
  }

  tell(message) {
    this.send(JSON.stringify(message));
  }

  sound(frame) {
    if (this.socket.bufferedAmount < MOST_UNSENT) this.send(frame);
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(message);
  }

  close() {
    clearTimeout(this.timer);
    this.socket.onclose = null;
    this.socket.close();
  }
}

/** Where the sound is made: at the rate of calls if the browser can, else at whatever it has. */
async function room(stream) {
  let fault;
  for (const rate of [{ sampleRate: RATE }, {}]) {
    let context;
    try {
      context = new AudioContext({ latencyHint: 'interactive', ...rate });
      return { context, source: context.createMediaStreamSource(stream) };
    } catch (error) {
      // Some take no other rate than that of the microphone.
      context?.close();
      fault = error;
    }
  }
  throw fault;
}

/** Bytes of 16 bits each as samples between -1 and 1. */
const floats = (bytes) => Float32Array.from(new Int16Array(bytes), (sample) => sample / 32768);

/** Longer than any phone rings. */
const RINGS = 30;

/** A soft tone, one second in four, until the function that it returns is called. */
export function ring(loudspeaker) {
  const context = new AudioContext();
  if (loudspeaker) speakThrough(context, loudspeaker).catch(() => {});
  const volume = new GainNode(context, { gain: 0 });
  const tone = new OscillatorNode(context, { frequency: 425 });
  tone.connect(volume).connect(context.destination);
  // All of it is written down at once: a tab in the background has no timers to speak of.
  for (let n = 0; n < RINGS; n += 1) {
    const at = context.currentTime + n * 4;
    volume.gain.setTargetAtTime(0.08, at, 0.03).setTargetAtTime(0, at + 1, 0.03);
  }
  tone.start();
  return () => context.close();
}
