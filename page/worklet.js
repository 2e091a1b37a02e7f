// Runs beside the page, in the audio thread: plays what is pushed, and tells what is heard.

/** Plays frames of two channels as they come; a late one is silence, and what piles up is left out. */
class Player extends AudioWorkletProcessor {
  constructor({ processorOptions: { rate } }) {
    super();
    this.queue = [];
    this.at = 0;
    this.held = 0;
    this.step = rate / sampleRate;
    // Begins a little late, so that a frame that is not on time is no gap.
    [this.ahead, this.most] = [rate * 0.08, rate * 0.5];
    this.waits = true;
    this.port.onmessage = ({ data }) => this.take(data);
  }

  take(frame) {
    this.queue.push(frame);
    this.held += frame[0].length;
    while (this.held > this.most) this.drop();
    if (this.held >= this.ahead) this.waits = false;
  }

  drop() {
    this.held -= this.queue.shift()[0].length;
    this.at = 0;
  }

  process(_inputs, [output]) {
    for (let n = 0; n < output[0].length; n += 1) {
      const frame = this.waits ? undefined : this.queue[0];
      if (!frame) {
        this.waits = true;
        return true;
      }
      output.forEach((channel, side) => {
        const samples = frame[Math.min(side, frame.length - 1)];
        const [from, share] = [Math.floor(this.at), this.at % 1];
        const next = samples[Math.min(from + 1, samples.length - 1)];
        channel[n] = samples[from] * (1 - share) + next * share;
      });
      this.at += this.step;
      if (this.at >= frame[0].length) {
        const over = this.at - frame[0].length;
        this.drop();
        this.at = over;
      }
    }
    return true;
  }
}

registerProcessor('player', Player);
