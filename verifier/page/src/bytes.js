// ── Faults, bytes ────────────────────────────────────────────────────────────────────────────────────────────────────

// A Fault is something false (exit 1), a Doubt something that could not be told (exit 3). Nothing here reaches a
// network: the Content-Security-Policy of the page allows none.

export class Fault extends Error {
  /** `reason`: a stable word of docs/format.md §14 or of this page; `where`: the place; `check`: docs/bundle.md §6. */
  constructor(reason, where = '', check = '') { super(`${reason} ${where}`); Object.assign(this, {reason, where, check}); }
}
export class Doubt extends Fault {}
export const fail = (reason, where, check) => { throw new Fault(reason, where, check); };

const encoder = new TextEncoder();
export const utf8 = text => encoder.encode(text);
export const readUtf8 = bytes => {
  try { return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes); } catch { return null; }
};
export const hex = bytes => { let text = ''; for (const b of bytes) text += (b < 16 ? '0' : '') + b.toString(16); return text; };
export const unhex = text => Uint8Array.from({length: text.length / 2}, (_, i) => parseInt(text.substr(2 * i, 2), 16));
export const concat = (...parts) => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
};
export const sameBytes = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
export const encode64 = bytes => {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
};
/** RFC 4648 §4 with padding, and only its one spelling (stray trailing bits are a second one); null for anything else. */
export const decode64 = text => {
  if (typeof text !== 'string' || text.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  if (text.endsWith('==') ? !/[AQgw]==$/.test(text) : text.endsWith('=') && !/[AEIMQUYcgkosw048]=$/.test(text)) return null;
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return bytes;
};
export const codePoints = text => { let n = 0; for (const _ of text) n += 1; return n; };
/** Order by code point (JavaScript's own is by UTF-16 unit, and differs beyond U+FFFF). */
export const byCodePoint = (a, b) => {
  const left = [...a], right = [...b];
  for (let i = 0; i < left.length && i < right.length; i += 1) {
    if (left[i] !== right[i]) return left[i].codePointAt(0) - right[i].codePointAt(0);
  }
  return left.length - right.length;
};
export const isAscending = list => list.every((item, i) => i === 0 || byCodePoint(list[i - 1], item) < 0);
/** Let the browser draw and answer: long work calls it between steps. */
export const breathe = () => new Promise(resolve => setTimeout(resolve, 0));
