// @ts-check
// ── Faults, bytes ────────────────────────────────────────────────────────────────────────────────────────────────────

// A Fault is something false (exit 1), a Doubt something that could not be told (exit 3). Nothing here reaches a
// network: the Content-Security-Policy of the page allows none.

export class Fault extends Error {
  /**
   * `reason`: a stable word of docs/format.md §14 or of this page; `where`: the place; `check`: docs/bundle.md §6.
   * @param {string} reason
   */
  constructor(reason, where = '', check = '') {
    super(`${reason} ${where}`);
    this.reason = reason;
    this.where = where;
    this.check = check;
  }
}
export class Doubt extends Fault {}
/**
 * The same fault, told of another place.
 * @type {(fault: Fault, where: string) => Fault}
 */
export const againAt = (fault, where) => new (fault instanceof Doubt ? Doubt : Fault)(fault.reason, where, fault.check);
/** @type {(reason: string, where?: string, check?: string) => never} */
export const fail = (reason, where, check) => { throw new Fault(reason, where, check); };

const encoder = new TextEncoder();
/** @type {(text: string) => Bytes} */
export const utf8 = text => encoder.encode(text);
/** @type {(bytes: Bytes) => string | null} */
export const readUtf8 = bytes => {
  try { return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes); } catch { return null; }
};
/** @type {(bytes: Uint8Array) => string} */
export const hex = bytes => { let text = ''; for (const b of bytes) text += (b < 16 ? '0' : '') + b.toString(16); return text; };
/** @type {(text: string) => Bytes} */
export const unhex = text => Uint8Array.from({length: text.length / 2}, (_, i) => parseInt(text.substr(2 * i, 2), 16));
/** @type {(...parts: Uint8Array[]) => Bytes} */
export const concat = (...parts) => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
};
/** @type {(a: Uint8Array, b: Uint8Array) => boolean} */
export const sameBytes = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
/** @type {(bytes: Uint8Array) => string} */
export const encode64 = bytes => {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
};
/**
 * RFC 4648 §4 with padding, and only its one spelling (stray trailing bits are a second one); null for anything else.
 * @type {(text: Json) => Bytes | null}
 */
export const decode64 = text => {
  if (typeof text !== 'string' || text.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  if (text.endsWith('==') ? !/[AQgw]==$/.test(text) : text.endsWith('=') && !/[AEIMQUYcgkosw048]=$/.test(text)) return null;
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return bytes;
};
/** The bytes of a text that a form has checked. */
export const bytesOf = (/** @type {string} */ text) => decode64(text) ?? fail('bad-base64');
/**
 * What a map holds where an earlier check has seen that it holds something; a TypeError, of this page, if it does not.
 * @type {<K, V>(map: Map<K, V>, key: K) => V}
 */
export const lookUp = (map, key) => {
  const value = map.get(key);
  if (value === undefined) throw new TypeError(`nothing stands at ${key}`);
  return value;
};
/** @type {(text: string) => number} */
export const codePoints = text => { let n = 0; for (const _ of text) n += 1; return n; };
/**
 * Order by code point (JavaScript's own is by UTF-16 unit, and differs beyond U+FFFF).
 * @type {(a: string, b: string) => number}
 */
export const byCodePoint = (a, b) => {
  const left = [...a], right = [...b];
  for (let i = 0; i < left.length && i < right.length; i += 1) {
    if (left[i] !== right[i]) return Number(left[i].codePointAt(0)) - Number(right[i].codePointAt(0));
  }
  return left.length - right.length;
};
/** @type {(list: string[]) => boolean} */
export const isAscending = list => list.every((item, i) => i === 0 || byCodePoint(list[i - 1], item) < 0);
/**
 * Let the browser draw and answer: long work calls it between steps.
 * @type {() => Promise<void>}
 */
export const breathe = () => new Promise(resolve => setTimeout(resolve, 0));
