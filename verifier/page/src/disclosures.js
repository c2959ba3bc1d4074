// @ts-check
// ── Disclosures (docs/format.md §8) ──────────────────────────────────────────────────────────────────────────────────

import {Fault, fail, hex, utf8} from './bytes.js';
import {
  anyText, base64, bool, codes, either, exactly, has, hex32, id, isObject, isSealed, line, listOf, mediaType,
  members, size,
} from './forms.js';
import {canonical} from './json.js';
import {sha256} from './sha256.js';
import {verifyFields} from './statements.js';
import {toNfc} from './unicode.js';

const fileForm = either(
  members({bytes: size, media_type: mediaType, sha256: hex32}),
  members({bytes: size, media_type: mediaType, sha256: hex32, records: value => either(
    members({canonicalisation: codes('rows/v1'), columns: listOf(columnName, 4096), count: size, redactable: bool, root: hex32}),
    members({canonicalisation: codes('chunks/v1'), count: size, root: hex32}))(value)}),
);
/** @type {Check} */
function columnName(value) {
  if (typeof value !== 'string') fail('wrong-type');
  if (/[\x00-\x1f\x7f-\x9f]/.test(value) || toNfc(value) !== value) fail('wrong-value');
}
const contentForm = members({files: listOf(fileForm, 10000)});
/** @type {(value: Json) => boolean} */
const holdsSeal = value =>
  Array.isArray(value) ? value.some(holdsSeal) : isObject(value) && (isSealed(value) || Object.values(value).some(holdsSeal));
const anyValue = () => {};
const disclosureForm = members({
  issuer: anyText, kind: codes('coin', 'content', 'field', 'marks', 'pool'), ledger: id, nonce: anyText, pointer: anyText, salt: base64(16, 16), statement_id: id,
  type: exactly('provenance-ledger.disclosure/v1'), value: anyValue,
});
export const disclosuresForm = members({disclosures: listOf(disclosureForm, 10000), 'for?': line(300), type: exactly('provenance-ledger.disclosures/v1')});
/**
 * What seals the value of a disclosure (§8.1).
 * @type {(item: Omit<Disclosure, 'statement_id'>) => string}
 */
export const commitment = item =>
  hex(sha256(utf8(canonical([`provenance-ledger/${item.kind}/v1`, item.ledger, item.issuer, item.nonce, item.pointer, item.salt, item.value]))));

/**
 * What holds the place of an RFC 6901 pointer, and its name there; nothing if there is no such place.
 * @type {(whole: Json, pointer: string) => [holder?: Json, token?: string]}
 */
function resolve(whole, pointer) {
  let holder, place = whole, token;
  if (!pointer.startsWith('/')) return [];
  for (const part of pointer.slice(1).split('/')) {
    holder = place;
    token = part.replace(/~1/g, '/').replace(/~0/g, '~');
    if (Array.isArray(holder) ? !/^(?:0|[1-9][0-9]{0,5})$/.test(token) || Number(token) >= holder.length : !isObject(holder) || !has(holder, token))
      return [];
    place = holder[token];
  }
  return [holder, token];
}
/**
 * The kind that stands at a place (§8.9–§8.11).
 * @type {(type: string, pointer: string) => string}
 */
const kindAt = (type, pointer) => pointer === '/content' ? 'content' : pointer === '/marks/seal' ? 'marks'
  : type !== 'transfer.prepared' ? 'field' : pointer === '/seal' ? 'pool' : pointer === '/coin' ? 'coin' : 'field';
/**
 * Put what is disclosed of a statement in its place, in `statement` itself; returns the faults of what opens nothing.
 * @type {(statement: Json, disclosures: Json[], rules: number) => {faults: [reason: string, where: string][], contents: Map<string, Json>}}
 */
export function openPlaces(statement, disclosures, rules) {
  /** @type {[reason: string, where: string][]} */
  const faults = [];
  const contents = new Map();
  for (const item of disclosures) {
    const [holder, token = ''] = resolve(statement, item.pointer), stands = holder?.[token], where = `${item.statement_id.slice(0, 15)}… ${item.pointer}`;
    if (item.ledger !== statement.ledger || item.issuer !== statement.issuer || item.nonce !== statement.nonce || !isSealed(stands) || stands.sealed !== commitment(item)) {
      faults.push(['disclosure-mismatch', where]);
      continue;
    }
    const kind = kindAt(statement.type, item.pointer);
    try {
      if (item.kind !== kind) fail('kind');
      if (kind === 'content') contentForm(item.value);
      if (kind === 'coin') base64(32, 32)(item.value);
      if ((kind === 'marks' || kind === 'pool') && !isObject(item.value)) fail('wrong-type');
      if (kind !== 'field') { contents.set(item.pointer, item.value); continue; }
      if (holdsSeal(item.value)) fail('sealed');
      holder[token] = item.value;
      verifyFields(statement, rules);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (error.reason === 'contradictory-terms') continue; // still of its type
      if (kind === 'field') holder[token] = stands;
      faults.push(['disclosure-malformed', where]);
    }
  }
  return {faults, contents};
}
