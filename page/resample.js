// From one sampling rate to another, piece by piece. Knows no sound card and no clock.

/** Zero crossings of the kernel on each side: 1.3 ms of delay at 24 kHz. */
const CROSSINGS = 32;

/**
 * Where the filter is half open, as a part of the lower of both Nyquist frequencies; it is wholly
 * open to 0.84 of it (10 kHz at 24 kHz), and shut by 80 dB from there on.
 */
const CUTOFF = 0.92;

/** The form of the window: 80 dB. */
const BETA = 8;

/** A stream of samples that is brought to another rate. What was pushed goes on seamlessly. */
export class Resampler {
  constructor(from, to) {
    const shared = divisor(from, to);
    // An output sample stands at a multiple of `down / up` input samples.
    [this.up, this.down] = [to / shared, from / shared];
    this.rows = from === to ? null : kernels(this.up, this.down);
    this.reset();
  }

  /** What comes now has nothing to do with what came before. */
  reset() {
    this.held = new Float32Array(this.rows ? this.rows[0].length - 1 : 0);
    this.at = 0;
  }

  /** Takes the next samples, and returns as many as are ready. */
  push(samples) {
    if (!this.rows) return samples;
    const { up, down, rows } = this;
    const input = new Float32Array(this.held.length + samples.length);
    input.set(this.held);
    input.set(samples, this.held.length);
    const last = (input.length - rows[0].length + 1) * up - 1;
    const output = new Float32Array(Math.max(0, Math.floor((last - this.at) / down) + 1));
    for (let n = 0; n < output.length; n += 1, this.at += down) {
      const [row, from] = [rows[this.at % up], Math.floor(this.at / up)];
      let sum = 0;
      for (let tap = 0; tap < row.length; tap += 1) sum += row[tap] * input[from + tap];
      output[n] = sum;
    }
    const done = Math.min(Math.floor(this.at / up), input.length);
    this.held = input.slice(done);
    this.at -= done * up;
    return output;
  }
}

function divisor(one, other) {
  return other ? divisor(other, one % other) : one;
}

/** A row of taps for each place between two input samples at which an output sample can stand. */
function kernels(up, down) {
  const narrow = Math.min(1, up / down);
  const half = Math.ceil(CROSSINGS / narrow);
  return Array.from({ length: up }, (_, place) => {
    const row = Float64Array.from({ length: 2 * half }, (__, tap) => {
      const away = tap - half + 1 - place / up;
      return sinc(away * narrow * CUTOFF) * kaiser(away / half);
    });
    const sum = row.reduce((all, tap) => all + tap, 0);
    return Float32Array.from(row, (tap) => tap / sum);
  });
}

const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

const kaiser = (x) => (Math.abs(x) > 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA));

/** The modified Bessel function of order zero, as its series. */
function bessel(x) {
  let [sum, term] = [1, 1];
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
