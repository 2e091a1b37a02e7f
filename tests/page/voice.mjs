// Something to say for a browser's microphone, and an ear at its loudspeaker.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const RATE = 24000;
/** A symbol: 20 ms. */
const FRAME = RATE / 50;
/** The code of `src/rehearsal/speech/code.rs`: carriers, their level, the turn that never turns. */
const [CARRIERS, LOWEST_HZ, SPACING_HZ, LEVEL, PILOT] = [18, 1950, 100, 85, 8];
const [START, END] = [2, 3];
/** A hum with the pace of speech, below the code. */
const [HUM_HZ, HUM_TOP_HZ, HUM_PEAK, BYTES_PER_S] = [140, 1500, 6000, 14.5];

/** What a callee says, and when, as a file for the fake microphone. */
export class Voice {
  /** `spoken`: `[seconds of silence before it, sentence]`, one after the other. */
  constructor(spoken) {
    this.sentences = spoken.map(([, sentence]) => sentence);
    this.dir = mkdtempSync(join(tmpdir(), 'tandem-voice-'));
    this.file = join(this.dir, 'voice.wav');
    // When the file is at its end Chromium goes on with the last of it: that is silence.
    writeFileSync(this.file, wave([...spoken, [1, '']].flatMap(([silent_s, sentence]) =>
      [...new Array(silent_s * RATE).fill(0), ...(sentence && speech(sentence))])));
  }

  /** How Chromium is told to take it for its microphone, from its begin whenever it is opened. */
  get args() {
    return ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${this.file}%noloop`];
  }

  forget() {
    rmSync(this.dir, { recursive: true });
  }
}

/** A sentence as simulated people speak: a hum, and beside it a byte of text in some frames. */
function speech(sentence) {
  const text = Buffer.from(sentence);
  const payloads = new Array(Math.ceil(text.length * 50 / BYTES_PER_S) + 2).fill(0);
  text.forEach((byte, n) => {
    payloads[1 + Math.floor(n * (payloads.length - 2) / text.length)] = byte;
  });
  payloads[0] = START;
  payloads[payloads.length - 1] = END;
  const length = payloads.length * FRAME;
  return payloads.flatMap((payload, place) => {
    const signs = turned(((place % 256) << 8) | payload);
    return Array.from({ length: FRAME }, (_, n) =>
      code(signs, n) + hum(place * FRAME + n, length));
  });
}

/** The sign of each carrier of a symbol: a bit is whether it turns from one to the next. */
function turned(word) {
  const signs = [1];
  for (let turn = 0; turn < CARRIERS - 1; turn += 1) {
    const half = turn !== PILOT && (word >> (turn < PILOT ? turn : turn - 1)) & 1;
    signs.push(half ? -signs[turn] : signs[turn]);
  }
  return signs;
}

function code(signs, n) {
  const s = (n + 0.5 - FRAME / 2) / RATE;
  const fade = Math.min(1, (0.5 - Math.abs(s * RATE) / FRAME) / 0.05);
  return fade * LEVEL * signs.reduce((sum, sign, carrier) => sum + sign * Math.cos(
    2 * Math.PI * (LOWEST_HZ + SPACING_HZ * carrier) * s + Math.PI * carrier ** 2 / CARRIERS), 0);
}

function hum(n, length) {
  const swell = Math.sin(Math.PI * n / length) * (0.6 + 0.4 * Math.cos(2 * Math.PI * 4 * n / RATE));
  const harmonics = Math.floor(HUM_TOP_HZ / HUM_HZ);
  let sum = 0;
  for (let h = 1; h <= harmonics; h += 1) sum += Math.sin(2 * Math.PI * HUM_HZ * h * n / RATE) / h;
  return HUM_PEAK / 2 * swell * sum;
}

/** A WAV file of one channel. */
function wave(samples) {
  const file = Buffer.alloc(44 + samples.length * 2);
  file.write('RIFF');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8);
  const format = [[16, 4], [1, 2], [1, 2], [RATE, 4], [RATE * 2, 4], [2, 2], [16, 2]];
  format.reduce((at, [value, bytes]) => file.writeUIntLE(value, at, bytes), 16);
  file.write('data', 36);
  file.writeUInt32LE(samples.length * 2, 40);
  samples.forEach((sample, n) => file.writeInt16LE(Math.round(sample), 44 + n * 2));
  return file;
}

/**
 * Runs in the page, before anything else there: an ear at whatever leads to the loudspeaker, and a
 * note of what is asked of the microphone. With a `rate` the page gets that one, whatever it asks.
 */
export function listenIn(rate) {
  const ears = [];
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function connectWithEar(to, ...rest) {
    if (to instanceof AudioDestinationNode) {
      const ear = new AnalyserNode(this.context, { fftSize: 4096, smoothingTimeConstant: 0.9 });
      connect.call(this, ear);
      ears.push(ear);
    }
    return connect.call(this, to, ...rest);
  };
  if (rate) {
    const Real = AudioContext;
    globalThis.AudioContext = class extends Real {
      constructor(options) {
        super({ ...options, sampleRate: rate });
      }
    };
  }
  globalThis.asked = [];
  const devices = navigator.mediaDevices;
  const open = devices?.getUserMedia.bind(devices);
  if (open) {
    devices.getUserMedia = (wanted) => {
      globalThis.asked.push(wanted);
      return open(wanted);
    };
  }
  let heard;
  globalThis.forget = () => { heard = { loudest: 0, below: -200, code: -200, above: -200 }; };
  globalThis.forget();
  globalThis.heard = () => heard;
  /** The mean of decibels between two frequencies. */
  const band = (levels, width, from, to) => {
    const part = levels.slice(Math.ceil(from / width), Math.floor(to / width));
    return part.reduce((sum, level) => sum + level, 0) / part.length;
  };
  setInterval(() => {
    for (const ear of ears.filter(({ context }) => context.state === 'running')) {
      const wave = new Float32Array(ear.fftSize);
      ear.getFloatTimeDomainData(wave);
      const loudest = wave.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      if (loudest < 0.05) continue;
      const levels = new Float32Array(ear.frequencyBinCount);
      ear.getFloatFrequencyData(levels);
      const of = (from, to) => band(levels, ear.context.sampleRate / ear.fftSize, from, to);
      heard = { loudest: Math.max(loudest, heard.loudest), rate: ear.context.sampleRate,
        below: of(300, 1700), code: of(2050, 3550), above: of(4300, 7200) };
    }
  }, 50);
}
