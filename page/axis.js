// The time axis of a call: what came from the caller, what we said and what of it was heard, what
// tools did, what broke.
import { html, useEffect, useRef } from './lib.js';
import { clock, now } from './parts.js';

const LANES = ['They', 'We', 'Tools'];
const [LABEL, RIGHT, LANE, RULE] = [52, 8, 44, 18];

/** How many values of loudness a second of audio has. */
export const PEAKS = 50;

/**
 * `audio`: `{ peaks: [caller, agent], offset_ms, at_s, seek }` when there is any to be seen.
 */
export function Axis({ call, events, began, audio }) {
  const canvas = useRef();
  const ended = call.timestamps.finalized_at && Date.parse(call.timestamps.finalized_at);
  const length = Math.max(1000, (ended ?? now.value) - began);
  const draw = useRef();
  useEffect(() => {
    const sheet = canvas.current;
    draw.current = () => paint(sheet, { events, began, length, audio });
    draw.current();
  }, [events, length, audio]);
  useEffect(() => {
    // The canvas may be taken away before it is no longer watched.
    const watch = new ResizeObserver(() => draw.current());
    watch.observe(canvas.current);
    return () => watch.disconnect();
  }, []);
  const seek = (event) => {
    if (!audio?.seek) return;
    const box = canvas.current.getBoundingClientRect();
    const share = (event.clientX - box.left - LABEL) / (box.width - LABEL - RIGHT);
    audio.seek(Math.max(0, share) * length / 1000);
  };
  return html`<canvas class="axis" ref=${canvas} onClick=${seek} role="img"
    aria-label=${`Time axis of ${clock(length)}; its marks are in the events`}></canvas>
    <p class="legend"><span class="heard"></span> of ours, heard
      <span class="unheard"></span> said, and cut off before it was heard</p>`;
}

function paint(canvas, { events, began, length, audio }) {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, LANES.length * LANE + RULE];
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext('2d');
  pen.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(`--${name}`);
  const x = (ms) => LABEL + (ms / length) * (width - LABEL - RIGHT);
  pen.font = `12px ${style.fontFamily}`;
  pen.textBaseline = 'middle';
  rule(pen, { x, length, height, colour });
  LANES.forEach((name, lane) => {
    pen.fillStyle = colour('faint');
    pen.fillText(name, 8, lane * LANE + LANE / 2);
    pen.fillRect(LABEL, lane * LANE + LANE - 1, width - LABEL, 1);
  });
  ['user', 'assistant'].forEach((who, lane) => {
    pen.fillStyle = colour(who);
    if (audio?.peaks) wave(pen, audio, lane, x);
    else turns(pen, events, { who, lane, x, began });
  });
  heard(pen, events, { x, began, colour, thin: Boolean(audio?.peaks) });
  tools(pen, events, { x, began, colour, length });
  marks(pen, events, { x, began, colour, height });
  if (audio?.at_s != null) {
    pen.fillStyle = colour('text');
    pen.fillRect(x(audio.at_s * 1000), 0, 1, height - RULE);
  }
}

/** A mark every so many seconds, so that there are at most a dozen. */
function rule(pen, { x, length, height, colour }) {
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((s) => length / s <= 12000) ?? 1800;
  pen.fillStyle = colour('faint');
  for (let s = 0; s * 1000 <= length; s += step) {
    pen.fillRect(x(s * 1000), height - RULE, 1, 4);
    const label = clock(s * 1000);
    const right = x(s * 1000) + 3 + pen.measureText(label).width;
    if (right <= x(length)) pen.fillText(label, x(s * 1000) + 3, height - RULE / 2);
  }
}

function wave(pen, { peaks, offset_ms }, lane, x) {
  const [step, middle] = [1000 / PEAKS, lane * LANE + LANE / 2];
  const bar = Math.max(1, x(step) - x(0));
  peaks[lane].forEach((peak, at) => {
    // Speech has a wide range: its root shows the quiet as well.
    const half = Math.sqrt(peak) * (LANE / 2 - 3);
    if (half > 0.6) pen.fillRect(x(offset_ms + at * step), middle - half, bar, half * 2);
  });
}

/** Without audio: when each turn was written down. */
function turns(pen, events, { who, lane, x, began }) {
  for (const { kind, body, at_ms } of events) {
    if (kind === 'turn' && body.speaker === who) {
      pen.fillRect(x(at_ms - began) - 3, lane * LANE + LANE / 2 - 9, 3, 18);
    }
  }
}

/**
 * Each stretch of our speech: filled as far as it was heard, an empty frame for what was said and
 * cut off before anybody heard it. Beneath the sound where there is some to be seen.
 */
function heard(pen, events, { x, began, colour, thin }) {
  const [top, height] = thin ? [2 * LANE - 8, 5] : [LANE + LANE / 2 - 8, 16];
  pen.fillStyle = colour('assistant');
  pen.strokeStyle = colour('assistant');
  const stretches = events.filter(({ kind }) => kind === 'spoken').map(({ body, at_ms }) => {
    const from = at_ms - began - body.for_ms;
    return { from, until: from + body.heard_ms, said: from + body.said_ms };
  });
  for (const [n, { from, until, said }] of stretches.entries()) {
    pen.fillRect(x(from), top, x(until) - x(from), height);
    // What a model has said ahead would reach over what came after it.
    const rest = x(Math.min(said, stretches[n + 1]?.from ?? Infinity)) - x(until);
    if (rest < 2) continue;
    pen.setLineDash([3, 2]);
    pen.strokeRect(x(until) + 0.5, top + 0.5, rest - 1, height - 1);
    pen.setLineDash([]);
  }
}

function tools(pen, events, { x, began, colour, length }) {
  const open = new Map();
  const top = 2 * LANE + 6;
  let free = 0;
  const bar = (name, from, to, fill) => {
    pen.fillStyle = fill;
    pen.fillRect(x(from), top, Math.max(4, x(to) - x(from)), 12);
    // A name that would lie on another one is left to the events.
    if (x(from) < free) return;
    pen.fillStyle = colour('text');
    const left = Math.min(x(from), x(length) - pen.measureText(name).width);
    pen.fillText(name, left, top + 22);
    free = left + pen.measureText(name).width + 8;
  };
  for (const { kind, body, at_ms } of events) {
    if (kind === 'tool_asked') open.set(body.tool_call, { name: body.name, from: at_ms - began });
    if (kind !== 'tool_answered') continue;
    const asked = open.get(body.tool_call);
    open.delete(body.tool_call);
    if (asked) bar(asked.name, asked.from, at_ms - began, colour('tool'));
  }
  for (const { name, from } of open.values()) bar(name, from, length, colour('tool'));
}

/** What was lost and is back, what was asked and confirmed, where we were interrupted. */
function marks(pen, events, { x, began, colour, height }) {
  const kinds = {
    lost: 'bad', repaired: 'good', confirmation_asked: 'tool', confirmation_settled: 'good',
    barged_in: 'user',
  };
  for (const { kind, at_ms } of events) {
    if (!kinds[kind]) continue;
    pen.fillStyle = colour(kinds[kind]);
    pen.fillRect(x(at_ms - began), 0, 1.5, height - RULE);
    pen.beginPath();
    pen.arc(x(at_ms - began) + 0.75, 5, 4, 0, 7);
    pen.fill();
  }
}
