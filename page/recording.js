// The recording of a call that is over: heard, and seen as loudness on the axis.
import { html, useEffect, useRef, useState } from './lib.js';
import { PEAKS } from './axis.js';

const RATE = 24000;

/** `offset_ms`: from the answer to where the recording begins. */
export function Recording({ path, offset_ms, audio, set }) {
  const player = useRef();
  const [fault, setFault] = useState(null);
  const source = `${path}/recording`;
  useEffect(() => {
    let gone = false;
    const seek = (s) => {
      player.current.currentTime = Math.max(0, s - offset_ms / 1000);
      player.current.play();
    };
    seen(source).then(
      (peaks) => !gone && set({ peaks, offset_ms, at_s: offset_ms / 1000, seek }),
      (error) => setFault(error),
    );
    return () => { gone = true; };
  }, [source]);
  const moved = (event) => audio
    && set({ ...audio, at_s: offset_ms / 1000 + event.target.currentTime });
  const told = fault && html`<p class="empty">${fault.message}</p>`;
  if (fault?.refused) return told;
  // What cannot be drawn may be heard all the same.
  return html`${told}<audio controls preload="metadata" ref=${player} src=${source} onTimeUpdate=${moved}
    aria-label="Recording: the caller on the left, the agent on the right"></audio>`;
}

/** The loudest of every twentieth of a second, of both sides, 0 to 1. */
async function seen(source) {
  const answer = await fetch(source);
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(problem.detail ?? 'this call has no recording'), { refused: true });
  }
  const context = new OfflineAudioContext(2, 1, RATE);
  const sound = await context.decodeAudioData(await answer.arrayBuffer());
  const sides = [0, Math.min(1, sound.numberOfChannels - 1)];
  return sides.map((side) => peaks(sound.getChannelData(side), sound.sampleRate / PEAKS));
}

/** The greatest amplitude of each `width` samples. */
export function peaks(samples, width) {
  const found = new Float32Array(Math.ceil(samples.length / width));
  samples.forEach((sample, at) => {
    const slot = Math.floor(at / width);
    const size = Math.abs(sample);
    if (size > found[slot]) found[slot] = size;
  });
  return found;
}
