// The libraries, bound together: components are functions that return html`…`.
import { h, render } from './vendor/preact.js';
import htm from './vendor/htm.js';

export { render };
export { useEffect, useRef, useState, useMemo } from './vendor/hooks.js';
export { signal, computed, batch, effect } from './vendor/signals.js';

export const html = htm.bind(h);
