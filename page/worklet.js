// Runs beside the page, in the audio thread: plays what is pushed, and takes what the microphone
// hears, each at the rate of a call, whatever the rate of the sound card.
import { Resampler } from './resample.js';

/** How often a level is told. */
const LEVEL_S = 0.1;

/** From silence to sound when a gap is over, so that it does not click. */
const RISE_S = 0.0025;

/** What a sample keeps of the last one in a gap: it has died away after 3 ms at 24 kHz. */
const FALL = 0.95;

/** Below this a frame is silence, which nobody misses. */
const QUIET = 0.004;

/**
 * Plays frames as they come. Begins `ahead_ms` late, so that a frame that is not on time is no
 * gap, and anew after a gap. What piles up is left out: silence above `ample_ms`, anything above
 * `most_ms`. Takes `{ sound: [channel, …] }`, `{ mark, late_s }`, `{ flush }`; tells `{ played }`
 * when all before a mark has been heard (the loudspeaker is `late_s` behind), and `{ level }`.
 */
class Player extends AudioWorkletProcessor {
  constructor({ processorOptions: { rate, ahead_ms, ample_ms, most_ms } }) {
    super();
    this.rate = rate;
    [this.ahead, this.ample, this.most] =
      [ahead_ms, ample_ms, most_ms].map((ms) => sampleRate * ms / 1000);
    this.resamplers = [];
    this.last = [];
    this.due = [];
    this.meter = new Meter(this.port);
    this.flush();
    this.port.onmessage = ({ data }) => this.take(data);
  }

  take({ sound, mark, late_s = 0, flush }) {
    if (flush) this.flush();
    if (mark !== undefined) this.queue.push({ mark, late: Math.round(late_s * sampleRate) });
    if (sound) this.push(sound);
  }

  /** Throws away what has not been played, with its marks. */
  flush() {
    this.queue = [];
    [this.at, this.held, this.waits, this.waited, this.gain] = [0, 0, true, 0, 0];
    this.resamplers.forEach((resampler) => resampler.reset());
  }

  push(sound) {
    const frame = sound.map((samples, side) => {
      this.resamplers[side] ??= new Resampler(this.rate, sampleRate);
      return this.resamplers[side].push(samples);
    });
    if (!frame[0].length) return;
    this.held += frame[0].length;
    if (this.held > this.ample && frame.every((samples) => peak(samples) < QUIET)) {
      this.held -= frame[0].length;
      return;
    }
    this.queue.push({ frame });
    while (this.held > this.most) this.drop();
  }

  /** Leaves the oldest frame out; marks before and behind it stay. */
  drop() {
    const oldest = this.queue.findIndex(({ frame }) => frame);
    const [{ frame }] = this.queue.splice(oldest, 1);
    this.held -= frame[0].length - this.at;
    this.at = 0;
  }

  /** The frame to play from, none while there is none; marks on the way are reached. */
  next() {
    while (this.queue.length) {
      const [{ frame, mark, late }] = this.queue;
      if (frame) return this.waits ? undefined : frame;
      this.due.push({ mark, left: late });
      this.queue.shift();
    }
    this.waits = true;
    return undefined;
  }

  process(_inputs, [output]) {
    const length = output[0].length;
    if (this.waits && this.held > 0) {
      this.waited += length;
      if (Math.max(this.held, this.waited) >= this.ahead) [this.waits, this.waited] = [false, 0];
    }
    for (let n = 0; n < length; n += 1) {
      const frame = this.next();
      this.gain = frame ? Math.min(1, this.gain + 1 / (RISE_S * sampleRate)) : 0;
      for (let side = 0; side < output.length; side += 1) {
        this.last[side] = frame ? frame[Math.min(side, frame.length - 1)][this.at] * this.gain
          : (this.last[side] ?? 0) * FALL;
        output[side][n] = this.last[side];
      }
      if (frame) this.step(frame);
    }
    this.next();
    this.settle(length);
    this.meter.take(output[0]);
    return true;
  }

  step(frame) {
    this.at += 1;
    this.held -= 1;
    if (this.at < frame[0].length) return;
    this.queue.shift();
    this.at = 0;
  }

  /** Tells of marks that have been heard by now. */
  settle(length) {
    this.due = this.due.filter((due) => {
      if (due.left > 0) {
        due.left -= length;
        return true;
      }
      this.port.postMessage({ played: due.mark });
      return false;
    });
  }
}

/** Tells `{ frame }`, PCM of 16 bits and exactly 20 ms, and `{ level }`. */
class Microphone extends AudioWorkletProcessor {
  constructor({ processorOptions: { rate } }) {
    super();
    this.resampler = new Resampler(sampleRate, rate);
    this.frame = new Int16Array(rate / 50);
    this.filled = 0;
    this.meter = new Meter(this.port);
  }

  process([input], [output]) {
    // Without a source there is no channel at all; the line goes on in silence.
    const heard = input[0] ?? new Float32Array(output[0].length);
    this.meter.take(heard);
    for (const sample of this.resampler.push(heard)) {
      const scaled = Math.round(sample * 32768);
      this.frame[this.filled] = Math.max(-32768, Math.min(32767, scaled));
      this.filled += 1;
      if (this.filled === this.frame.length) {
        this.port.postMessage({ frame: this.frame.slice().buffer });
        this.filled = 0;
      }
    }
    return true;
  }
}

/** The loudest of every tenth of a second. */
class Meter {
  constructor(port) {
    [this.port, this.loudest, this.left] = [port, 0, LEVEL_S * sampleRate];
  }

  take(samples) {
    this.loudest = Math.max(this.loudest, peak(samples));
    this.left -= samples.length;
    if (this.left > 0) return;
    this.port.postMessage({ level: this.loudest });
    [this.loudest, this.left] = [0, LEVEL_S * sampleRate];
  }
}

function peak(samples) {
  let loudest = 0;
  for (const sample of samples) loudest = Math.max(loudest, Math.abs(sample));
  return loudest;
}

registerProcessor('player', Player);
registerProcessor('microphone', Microphone);
