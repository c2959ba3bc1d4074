// @ts-check
// ── JSON: a reader that refuses (docs/format.md §1); JavaScript's own keeps the last of two equal names and rounds ───

import {fail, readUtf8} from './bytes.js';

export const MAX_INTEGER = Number.MAX_SAFE_INTEGER, MAX_DEPTH = 16;
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/, LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const TOKEN =
  /[\x20\t\n\r]*(?:([[\]{}:,])|("(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?)|(true|false|null))/y;
/** @type {Record<string, boolean | null>} */
const LITERAL = {true: true, false: false, null: null};

/** @type {(literal: string, isFloat: boolean) => number} */
const readInteger = (literal, isFloat) => {
  if (isFloat) fail('float', literal.slice(0, 40));
  const value = Number(literal);
  if (literal.length > 17 || !Number.isSafeInteger(value)) fail('integer-out-of-range', literal.slice(0, 40));
  return value + 0;
};
/** @type {(literal: string) => string} */
const readString = literal => {
  const text = JSON.parse(literal);
  if (LONE.test(text)) fail('lone-surrogate');
  if (CONTROL.test(text)) fail('control-character');
  return text;
};
/** @type {(literal: string) => string} */
export const readCellString = literal => {
  const text = JSON.parse(literal);
  return LONE.test(text) ? fail('lone-surrogate') : text;
};

/**
 * The value of one JSON text; objects have no prototype, so that `__proto__` is a name like any other.
 * @type {(text: string, options?: {string?: (literal: string) => string, number?: (literal: string, isFloat: boolean) => Json, depth?: number}) => Json}
 */
export function parseJson(text, {string = readString, number = readInteger, depth: most = MAX_DEPTH} = {}) {
  let at = 0;
  const next = () => {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) fail('not-json', `at ${at}`);
    at = TOKEN.lastIndex;
    return match;
  };
  /** @type {(token: RegExpExecArray, depth: number) => Json} */
  const value = (token, depth) => {
    if (token[2] !== undefined) return string(token[2]);
    if (token[3] !== undefined) return number(token[3], token[4] !== undefined || token[5] !== undefined);
    if (token[6] !== undefined) return LITERAL[token[6]];
    if (token[1] !== '[' && token[1] !== '{') fail('not-json', `at ${at}`);
    if (depth > most) fail('too-deep');
    const isList = token[1] === '[', end = isList ? ']' : '}', whole = isList ? [] : Object.create(null);
    let item = next();
    if (item[1] === end) return whole;
    for (;;) {
      if (isList) whole.push(value(item, depth + 1));
      else {
        if (item[2] === undefined || next()[1] !== ':') fail('not-json', `at ${at}`);
        const name = string(item[2]);
        if (name in whole) fail('duplicate-key', name.slice(0, 40));
        whole[name] = value(next(), depth + 1);
      }
      const after = next()[1];
      if (after === end) return whole;
      if (after !== ',') fail('not-json', `at ${at}`);
      item = next();
    }
  };
  const whole = value(next(), 1);
  if (/[^\x20\t\n\r]/.test(text.slice(at))) fail('not-json', `at ${at}`);
  return whole;
}
/**
 * Canonical text (RFC 8785): names by UTF-16 unit, which is JavaScript's own order; `JSON.stringify` escapes as it asks.
 * @type {(value: Json) => string}
 */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value).sort().map(name => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}
/**
 * The value that `bytes` are the one canonical form of.
 * @type {(bytes: Bytes, options?: Parameters<typeof parseJson>[1]) => Json}
 */
export function parseCanonical(bytes, options) {
  const text = readUtf8(bytes);
  if (text === null) fail('not-json', 'not UTF-8');
  const value = parseJson(text, options);
  if (canonical(value) !== text) fail('non-canonical');
  return value;
}
