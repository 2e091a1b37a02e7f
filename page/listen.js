// A live call is listened to: its frames are played, and seen as loudness on the axis.
import { html, useEffect, useRef, useState } from './lib.js';
import { PEAKS } from './axis.js';
import { peaks } from './recording.js';

/** A frame comes every 20 ms; nobody sees more than ten pictures a second of them. */
const DRAWN_MS = 100;

/** `set` takes what the axis draws. */
export function Listen({ path, began, disabled, set }) {
  const [state, show] = useState({});
  const ear = useRef(null);
  // Whoever stops while it is opened does not listen then.
  const times = useRef(0);
  const stop = () => {
    times.current += 1;
    ear.current?.close();
    ear.current = null;
    show({});
  };
  useEffect(() => stop, [path]);
  const start = async () => {
    const time = times.current += 1;
    show({ listens: true });
    const seen = { peaks: [[], []], offset_ms: Date.now() - began };
    let drawn = 0;
    const on = {
      frame: (sides, rate) => {
        sides.forEach((side, at) => seen.peaks[at].push(...peaks(side, rate / PEAKS)));
        if (Date.now() - drawn < DRAWN_MS) return;
        drawn = Date.now();
        set({ ...seen });
      },
      lost: (ms) => show((shown) => ({ ...shown, lost: (shown.lost ?? 0) + ms })),
      over: (fault) => {
        ear.current = null;
        show({ fault });
      },
    };
    try {
      const opened = await hear(path, on);
      if (times.current === time) ear.current = opened;
      else opened.close();
    } catch (error) {
      if (times.current === time) show({ fault: error.message });
    }
  };
  return html`<span class="act">
    <button type="button" aria-pressed=${Boolean(state.listens)} disabled=${disabled}
      onClick=${state.listens ? stop : start}>${state.listens ? 'Stop listening' : 'Listen'}</button>
    ${state.lost && html`<span class="note"> ${state.lost} ms were missed</span>`}
    ${state.fault && html`<span class="fault" role="alert"> ${state.fault}</span>`}
  </span>`;
}

/** Plays a call from now on; the caller on the left, the agent on the right. */
async function hear(path, on) {
  const context = new AudioContext();
  try {
    await context.audioWorklet.addModule('/page/worklet.js');
  } catch (error) {
    context.close();
    throw error;
  }
  const address = `${location.origin.replace('http', 'ws')}${path}/listen`;
  const socket = new WebSocket(address);
  socket.binaryType = 'arraybuffer';
  let player;
  let rate;
  let ended = false;
  const close = () => {
    socket.onclose = null;
    socket.close();
    context.close();
  };
  socket.onmessage = ({ data }) => {
    if (typeof data !== 'string') {
      const sides = apart(new Int16Array(data));
      on.frame(sides, rate);
      player.port.postMessage({ sound: sides });
      return;
    }
    const told = JSON.parse(data);
    if (told.sample_rate) {
      rate = told.sample_rate;
      const late = { ahead_ms: 80, ample_ms: 300, most_ms: 500 };
      const options = { outputChannelCount: [2], processorOptions: { rate, ...late } };
      player = new AudioWorkletNode(context, 'player', options);
      player.connect(context.destination);
    } else if (told.ended) {
      ended = true;
    } else if (told.lost_ms) {
      on.lost(told.lost_ms);
    }
  };
  socket.onclose = () => {
    context.close();
    on.over(ended ? undefined : 'the call cannot be listened to; are others listening already?');
  };
  return { close };
}

/** Samples of both sides in turns, as two rows between -1 and 1. */
function apart(samples) {
  const sides = [0, 1].map(() => new Float32Array(samples.length / 2));
  for (let n = 0; n < samples.length; n += 1) sides[n % 2][n >> 1] = samples[n] / 32768;
  return sides;
}
