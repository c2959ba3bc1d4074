// @ts-check
// ── Elements: sentences, lists and tables in which a value is never markup ───────────────────────────────────────────

import {isSealed} from './forms.js';
import {TEXTS, language, say} from './texts.js';

/** @type {(id: string) => Json} */
export const $ = id_ => document.getElementById(id_);
/**
 * Control and bidirectional characters, which could hide or turn what stands around them, as escapes.
 * @type {(words: unknown) => string}
 */
const visible = words =>
  String(words).replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
/**
 * An element; texts are never markup, so that nothing in a bundle can write on this page.
 * @type {(tag: string, options?: Record<string, any>, ...children: (Node | string | null | undefined)[]) => Json}
 */
export function make(tag, options = {}, ...children) {
  const {text: words, ...attributes} = options, node = document.createElement(tag);
  for (const [name_, value] of Object.entries(attributes)) node.setAttribute(name_, value);
  if (words !== undefined) node.textContent = visible(words);
  node.append(...children.filter(child => child !== null && child !== undefined));
  return node;
}
/**
 * A text with its values set apart (`bdi`: a name cannot turn the sentence around it).
 * @type {(key: string, values?: Record<string, any>) => (Node | string)[]}
 */
export function sentence(key, values = {}) {
  const parts = (TEXTS[key]?.[language] ?? key).split(/(\{\w+\})/);
  return parts.map(part =>
    /^\{\w+\}$/.test(part)
      ? values[part.slice(1, -1)] instanceof Node
        ? values[part.slice(1, -1)]
        : make('bdi', {text: values[part.slice(1, -1)] ?? '…'})
      : part,
  );
}
/** @type {(ms: number) => string} */
export const clock = ms => ms <= 8.64e15 ? `${new Date(ms).toISOString().replace('T', ' ').replace(/(\.000)?Z$/, '')} UTC` : String(ms);
/** @type {(bytes: number) => string} */
export const sizeOf = bytes => bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`;
/** @type {(millibits: number) => string} */
export const inBits = millibits_ => (millibits_ / 1000).toFixed(1);
/** @type {(value: Json) => string} */
export const plainText = value => isSealed(value) || value === undefined ? say('underSeal') : String(value);
/** @type {(key: string, ...children: (Node | string | null)[]) => HTMLElement} */
export const section = (key, ...children) => make('section', {'aria-labelledby': `h-${key}`}, make('h2', {id: `h-${key}`, text: say(key)}), ...children);
/** @type {(items: Json[], tag?: string, options?: Record<string, any>) => HTMLElement} */
export const list = (items_, tag = 'ul', options = {}) => make(tag, options, ...items_.map(item => make('li', {}, ...[item].flat())));
/** @type {(state: 'holds' | 'failed' | 'doubt' | 'left-out') => HTMLElement} */
export const mark = state =>
  make(
    'span',
    {class: `state ${state}`},
    make('span', {class: 'sign', 'aria-hidden': 'true', text: {holds: '✓', failed: '✗', doubt: '?', 'left-out': '–'}[state]}),
    ` ${say(state)}`,
  );
/** @type {(caption: string, heads: string[], rows: Json[][]) => HTMLElement} */
export function table(caption, heads, rows) {
  const cells = (/** @type {Json[]} */ row) => row.map((cell, i) => make(i ? 'td' : 'th', i ? {} : {scope: 'row'}, ...[cell].flat()));
  return make('div', {class: 'scroll', tabindex: '0', role: 'group', 'aria-label': caption}, make('table', {},
    make('caption', {class: 'hidden', text: caption}), make('thead', {}, make('tr', {}, ...heads.map(head => make('th', {scope: 'col', text: head})))),
    make('tbody', {}, ...rows.map(row => make('tr', {}, ...cells(row))))));
}
