// What the page does to sound, without a browser: the resampler and the audio thread's parts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resampler } from '../../page/resample.js';

const RATES = [8000, 16000, 22050, 44100, 48000, 96000];
const CALL = 24000;

/** Two seconds of a tone in frames as an audio thread hands them out. */
function* tone(hz, rate, frame = 128) {
  for (let from = 0; from < 2 * rate; from += frame) {
    yield Float32Array.from({ length: frame }, (_, n) =>
      0.5 * Math.sin(2 * Math.PI * hz * (from + n) / rate));
  }
}

function resampled(hz, from, to, frame) {
  const resampler = new Resampler(from, to);
  return [...tone(hz, from, frame)].flatMap((samples) => [...resampler.push(samples)]);
}

/** How loud this frequency is in the middle of it, and how loud all that is left without it. */
function heard(samples, hz, rate) {
  const middle = samples.slice(rate / 2, rate / 2 + rate);
  const parts = [Math.cos, Math.sin].map((wave) => middle.reduce((sum, sample, n) =>
    sum + sample * wave(2 * Math.PI * hz * n / rate), 0) * 2 / rate);
  const rest = middle.map((sample, n) => sample - parts[0] * Math.cos(2 * Math.PI * hz * n / rate)
    - parts[1] * Math.sin(2 * Math.PI * hz * n / rate));
  const rms = Math.sqrt(rest.reduce((sum, sample) => sum + sample * sample, 0) / rate);
  return { level: decibels(Math.hypot(...parts) / 0.5), rest: decibels(rms * Math.SQRT2 / 0.5) };
}

const decibels = (share) => 20 * Math.log10(share + 1e-12);

for (const rate of RATES) {
  for (const [from, to] of [[rate, CALL], [CALL, rate]]) {
    test(`a tone of 1,000 Hz stays itself from ${from} to ${to} samples a second`, () => {
      const samples = resampled(1000, from, to);
      assert.ok(Math.abs(samples.length - 2 * to) <= to / 100, `${samples.length} samples`);
      const { level, rest } = heard(samples, 1000, to);
      assert.ok(Math.abs(level) < 0.1, `${level} dB`);
      // What a seam between two pieces, or another frequency, would leave.
      assert.ok(rest < -75, `${rest} dB beside it`);
    });
  }
}

test('speech up to 9 kHz passes', () => {
  for (const hz of [100, 3400, 9000]) {
    const { level } = heard(resampled(hz, 48000, CALL), hz, CALL);
    assert.ok(Math.abs(level) < 0.5, `${hz} Hz: ${level} dB`);
  }
});

test('what the lower rate cannot hold is not folded into it', () => {
  for (const hz of [12500, 14000, 17000, 21000]) {
    const samples = resampled(hz, 48000, CALL).slice(CALL / 2);
    const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    assert.ok(decibels(loudest / 0.5) < -75, `${hz} Hz: ${decibels(loudest / 0.5)} dB`);
  }
});

test('nor does a higher rate get an image of what is in the lower', () => {
  const samples = resampled(7000, 16000, 48000);
  assert.ok(heard(samples, 7000, 48000).rest < -75);
  assert.ok(heard(samples, 9000, 48000).level < -75);
});

test('pieces of any size make the same as one', () => {
  const whole = resampled(440, 44100, CALL, 88200);
  for (const frame of [1, 7, 128, 882]) {
    const pieces = resampled(440, 44100, CALL, frame);
    assert.deepEqual(pieces.slice(0, 40000), whole.slice(0, 40000), `pieces of ${frame}`);
  }
});

test('a rate that is the same is left alone', () => {
  const samples = Float32Array.of(0.1, -0.2, 0.3);
  assert.equal(new Resampler(CALL, CALL).push(samples), samples);
});

/** The processors as the audio thread of a sound card of 48 kHz has them. */
const QUANTUM = 128;
const parts = {};
globalThis.sampleRate = 48000;
globalThis.registerProcessor = (name, part) => { parts[name] = part; };
globalThis.AudioWorkletProcessor = class {
  constructor() {
    this.told = [];
    this.port = { postMessage: (message) => this.told.push(message) };
  }
};
await import('../../page/worklet.js');

const PHONE = { rate: CALL, ahead_ms: 60, ample_ms: 400, most_ms: 1000 };

/** A player that is fed, and what comes out of it. */
class Fed {
  constructor() {
    this.player = new parts.player({ processorOptions: PHONE });
    this.time = 0;
    this.wanted = 0;
  }

  /** 20 ms of a tone that goes on from the last. */
  speak(frames = 1, hz = 500) {
    for (; frames > 0; frames -= 1) {
      const from = this.time;
      this.player.take({ sound: [Float32Array.from({ length: 480 }, (_, n) =>
        0.5 * Math.sin(2 * Math.PI * hz * (from + n) / CALL))] });
      this.time += 480;
    }
  }

  play(ms) {
    const samples = [];
    for (this.wanted += ms * 48; this.wanted > 0; this.wanted -= QUANTUM) {
      const output = [new Float32Array(QUANTUM)];
      this.player.process([], [output]);
      samples.push(...output[0]);
    }
    return samples;
  }

  get played() {
    return this.player.told.flatMap(({ played }) => played ?? []);
  }
}

const loudest = (samples) => samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
/** The greatest step from one sample to the next; a tone of 500 Hz at a half makes 0.033. */
const steepest = (samples) => samples.reduce((most, x, n) =>
  Math.max(most, Math.abs(x - (samples[n - 1] ?? 0))), 0);

test('a player begins when 60 ms are there, and plays what comes on time as it was', () => {
  const fed = new Fed();
  fed.speak(2);
  assert.equal(loudest(fed.play(20)), 0);
  const samples = [];
  for (let n = 0; n < 100; n += 1) {
    fed.speak(1);
    samples.push(...fed.play(20));
  }
  const { level, rest } = heard(samples, 500, 48000);
  assert.ok(Math.abs(level) < 0.1 && rest < -75, `${level} dB, ${rest} dB beside it`);
});

test('less than that is played after 60 ms', () => {
  const fed = new Fed();
  fed.speak(1);
  assert.equal(loudest(fed.play(50)), 0);
  assert.ok(loudest(fed.play(40)) > 0.49);
});

test('a gap does not click, and is followed by 60 ms again', () => {
  const fed = new Fed();
  fed.speak(5);
  const before = fed.play(200);
  fed.speak(1);
  const gap = fed.play(50);
  fed.speak(4);
  const after = fed.play(200);
  assert.equal(loudest(gap.slice(480)), 0);
  assert.ok(steepest([...before, ...gap, ...after]) < 0.04);
});

test('a mark is answered when what came before it has been played, and not earlier', () => {
  const fed = new Fed();
  fed.player.take({ mark: 1 });
  fed.play(3);
  assert.deepEqual(fed.played, [1], 'nothing was before it');
  fed.speak(10);
  fed.player.take({ mark: 2, late_s: 0.03 });
  fed.speak(5);
  fed.play(195);
  assert.deepEqual(fed.played, [1]);
  fed.play(30);
  assert.deepEqual(fed.played, [1], 'it has left for the loudspeaker, and is not heard yet');
  fed.play(15);
  assert.deepEqual(fed.played, [1, 2]);
});

test('a flush is heard at once, without a click, and what it took is not said to be played', () => {
  const fed = new Fed();
  fed.speak(20);
  fed.player.take({ mark: 3 });
  const before = fed.play(100);
  fed.player.take({ flush: true });
  const after = fed.play(400);
  assert.ok(loudest(after.slice(240)) < 0.01 && steepest([...before, ...after]) < 0.04);
  assert.deepEqual(fed.played, []);
});

test('what piles up is left out: silence first, and speech above a second', () => {
  const fed = new Fed();
  fed.speak(15);
  for (let n = 0; n < 50; n += 1) fed.player.take({ sound: [new Float32Array(480)] });
  assert.ok(fed.player.held <= 0.4 * 48000, `${fed.player.held} samples`);
  fed.player.take({ mark: 4 });
  fed.speak(100);
  assert.ok(fed.player.held <= 48000, `${fed.player.held} samples`);
  fed.play(1100);
  assert.deepEqual(fed.played, [4]);
});

test('a microphone gives frames of exactly 20 ms, and how loud they are', () => {
  const microphone = new parts.microphone({ processorOptions: { rate: CALL } });
  for (const samples of tone(1000, 48000, QUANTUM)) {
    microphone.process([[samples]], [[new Float32Array(QUANTUM)]]);
  }
  microphone.process([[]], [[new Float32Array(QUANTUM)]]);
  const frames = microphone.told.flatMap(({ frame }) => (frame ? [new Int16Array(frame)] : []));
  assert.equal(frames.length, 100);
  assert.ok(frames.every((frame) => frame.length === 480));
  const samples = frames.flatMap((frame) => [...frame]).map((sample) => sample / 32768);
  const { level, rest } = heard(samples, 1000, CALL);
  assert.ok(Math.abs(level) < 0.1 && rest < -75, `${level} ${rest}`);
  const levels = microphone.told.flatMap((told) => told.level ?? []);
  assert.ok(levels.length === 19 && levels.every((one) => one > 0.49 && one < 0.51));
});
