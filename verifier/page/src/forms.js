// @ts-check
// ── Forms: what tables of fields are made of (docs/format.md §5, docs/statements.md §1) ──────────────────────────────

import {Fault, againAt, bytesOf, codePoints, decode64, fail, isAscending} from './bytes.js';
import {isStrong} from './ed25519.js';
import {MAX_INTEGER} from './json.js';
import {ED25519, ML_DSA_44} from './keys.js';
import {LASTING_KEY} from './mldsa.js';

/** @type {(value: Json) => boolean} */
export const isObject = value => value !== null && typeof value === 'object' && !Array.isArray(value);
/** @type {(object: object, name: PropertyKey) => boolean} */
export const has = (object, name) => Object.hasOwn(object, name);
/**
 * Run a check one place deeper, so that a fault names the whole pointer.
 * @type {(name: string | number, check: Check, value: Json) => void}
 */
export const within = (name, check, value) => {
  try { check(value); } catch (error) {
    if (error instanceof Fault) throw againAt(error, `/${name}${error.where}`);
    throw error;
  }
};
/** @type {(test: (text: string) => boolean) => Check} */
const ofText = test => value => {
  if (typeof value !== 'string') fail('wrong-type');
  if (!test(value)) fail('wrong-value');
};
/** @type {(pattern: RegExp) => Check} */
export const matching = pattern => ofText(value => pattern.test(value));
/** @type {(most: number) => Check} */
export const text = most => ofText(value => value.length >= 1 && value.length <= 2 * most && codePoints(value) <= most);
/** @type {(most: number) => Check} */
export const line = most => ofText(value => value.length >= 1 && value.length <= 2 * most && codePoints(value) <= most && !value.includes('\n'));
/** @type {(...words: string[]) => Check} */
export const codes = (...words) => ofText(value => words.includes(value));
/** @type {(least: number, most: number) => Check} */
export const integer = (least, most) => value => {
  if (typeof value !== 'number') fail('wrong-type');
  if (value < least || value > most) fail('wrong-value');
};
/** @type {Check} */
export const anyText = value => { if (typeof value !== 'string') fail('wrong-type'); };
/** @type {Check} */
export const bool = value => { if (typeof value !== 'boolean') fail('wrong-type'); };
/** @type {(least: number, most: number) => Check} */
export const base64 = (least, most) => value => {
  if (typeof value !== 'string') fail('wrong-type');
  const bytes = decode64(value) ?? fail('bad-base64');
  if (bytes.length < least || bytes.length > most) fail('wrong-value');
};
/** @type {(item: Check, most: number, least?: number) => Check} */
export const listOf = (item, most, least = 1) => value => {
  if (!Array.isArray(value)) fail('wrong-type');
  if (value.length < least || value.length > most) fail('wrong-value');
  value.forEach((member, i) => within(i, item, member));
};
/** @type {(item: Check, most: number) => Check} */
export const setOf = (item, most) => value => { listOf(item, most)(value); if (!isAscending(value)) fail('wrong-value'); };
/**
 * The same of numbers, which ascend as such.
 * @type {(item: Check, most: number) => Check}
 */
export const numbersOf = (item, most) => value => {
  listOf(item, most)(value);
  if (value.some((/** @type {number} */ number, /** @type {number} */ i) => i > 0 && value[i - 1] >= number)) fail('wrong-value');
};
/** @type {(...checks: Check[]) => Check} */
export const either = (...checks) => value => {
  let fault;
  for (const check of checks) { try { return check(value); } catch (error) { fault = error; } }
  throw fault;
};
/** @type {(expected: Json) => Check} */
export const exactly = expected => value => { if (value !== expected) fail('wrong-value'); };
/**
 * An object with exactly these members: `?` is optional, `†` may be sealed (docs/statements.md §1.2).
 * @type {(fields: Record<string, Check>, least?: number) => Check}
 */
export function members(fields, least = 0) {
  const table = new Map(Object.entries(fields).map(([name, check]) => [name.replace(/[?†]/g, ''), name.includes('†') ? sealable(check) : check]));
  const needed = Object.keys(fields).filter(name => !name.includes('?')).map(name => name.replace('†', ''));
  return value => {
    if (!isObject(value)) fail('wrong-type');
    for (const name of needed) if (!has(value, name)) fail('missing-field', `/${name}`);
    const checkOf = (/** @type {string} */ name) => table.get(name) ?? fail('unknown-field', `/${name}`);
    for (const name in value) checkOf(name);
    if (Object.keys(value).length < least) fail('missing-field');
    for (const name in value) within(name, checkOf(name), value[name]);
  };
}
/** @type {(check: Check) => Check} */
const sealable = check => value => (isObject(value) && has(value, 'sealed') ? sealed : check)(value);
/** @type {(item: Check, most: number) => Check} */
export const items = (item, most) => listOf(sealable(item), most);

export const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
export const name = matching(new RegExp(`^(?=.{1,128}$)${LABEL}(?:\\.${LABEL})*$`)), hex32 = matching(/^[0-9a-f]{64}$/);
export const id = matching(/^sha256:[0-9a-f]{64}$/), mediaType = matching(/^(?=.{1,127}$)[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/);
export const size = integer(0, MAX_INTEGER), time = size, count = integer(1, MAX_INTEGER);
export const sealed = members({sealed: hex32});
/** @type {(value: Json) => boolean} */
export const isSealed = value => isObject(value) && Object.keys(value).length === 1 && has(value, 'sealed');
const shortKey = members({alg: codes(ED25519), public_key: base64(32, 32)}), lastingKey = members({alg: codes(ML_DSA_44), public_key: base64(LASTING_KEY, LASTING_KEY)});
/** @type {Check} */
export const publicKey = value => { shortKey(value); if (!isStrong(bytesOf(value.public_key))) fail('weak-key'); };
/**
 * Since version 5 a party's key may be of either algorithm: `alg` decides which, never the length (§3.1).
 * @type {Check}
 */
export const partyKey = value => (isObject(value) && value.alg === ML_DSA_44 ? lastingKey : publicKey)(value);
