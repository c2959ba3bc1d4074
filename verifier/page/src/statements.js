// @ts-check
// ── Statements, envelopes and entries (docs/format.md §4, §7, §9.3) ──────────────────────────────────────────────────

import {Fault, bytesOf, concat, encode64, fail, hex, isAscending, utf8} from './bytes.js';
import {anyText, base64, has, hex32, isObject, listOf, members, size, time, within} from './forms.js';
import {parseCanonical} from './json.js';
import {parseVkey} from './keys.js';
import {LASTING_SIGNATURE} from './mldsa.js';
import {sha256} from './sha256.js';
import {COMMON_NAMES, EXACTLY_ONE, TABLES, anyObject} from './tables.js';
import {URN, parseTerms} from './terms.js';
import {leafHash} from './tree.js';

/**
 * Check all fields of a statement (docs/format.md §9.3).
 * @type {(statement: Json, rules: number) => void}
 */
export function verifyFields(statement, rules) {
  TABLES[rules][statement.type](statement);
  const {type, issued_ms: issued} = statement;
  if (statement.not_after_ms < issued || statement.not_after_ms > issued + 7776000000) fail('lifetime-too-long', '/not_after_ms');
  if (has(statement, 'recovery_keys')) {
    const all = [...statement.keys, ...statement.recovery_keys].map(key => key.public_key);
    if (type === 'ledger.created') {
      const vkeys = statement.log_keys.map(parseVkey);
      if (vkeys.some((/** @type {NoteKey} */ key) => key.name !== statement.origin)) fail('wrong-value', '/log_keys');
      all.push(...vkeys.map((/** @type {NoteKey} */ key) => encode64(key.publicKey)), statement.service_key.public_key);
    }
    if (new Set(all).size !== all.length) fail('wrong-value', '/keys');
  }
  const term = rules === 1 ? statement.terms ?? {} : statement;
  if (type === 'license.agreed' && term.valid_until_ms <= term.valid_from_ms) fail('wrong-value', '/valid_until_ms');
  if (rules === 1) return;
  const present = EXACTLY_ONE[type]?.filter(field => has(statement, field));
  if (present && present.length !== 1) fail(present.length ? 'unknown-field' : 'missing-field', `/${present[1] ?? EXACTLY_ONE[type][0]}`);
  if (
    (type === 'listing.amended' || type === 'license.amended') &&
    !Object.keys(statement).some(field => !COMMON_NAMES.includes(field) && field !== type.slice(0, 7))
  )
    fail('missing-field');
  if (type === 'erasure.attested') {
    const isOfStatement = has(statement, 'statement');
    if (isOfStatement !== has(statement, 'pointers')) fail(isOfStatement ? 'missing-field' : 'unknown-field', '/pointers');
    if (isOfStatement && has(statement, 'request')) fail('unknown-field', '/request');
  }
  if (has(statement, 'marking') && statement.marking_consent !== true) fail('wrong-value', '/marking');
  if (has(statement, 'terms')) {
    within('terms', parseTerms, statement.terms);
    if (type === 'license.agreed') verifyTermsParties(statement.terms, statement.listing, statement.issuer, statement.licensee);
  }
}
/** @type {(terms: Json, listing: string, licensor: string, licensee: string) => void} */
export function verifyTermsParties(terms, listing, licensor, licensee) {
  const expected = {target: URN + listing, assigner: `${URN}party:${licensor}`, assignee: `${URN}party:${licensee}`};
  for (const [field, value] of Object.entries(expected)) if (terms[field] !== value) fail('wrong-value', `/terms/${field}`);
}

const MAX_ENVELOPE = 2 ** 26;
export const PAYLOAD_TYPE = 'application/vnd.provenance-ledger.statement.v1+json';
/** @type {(type: string, payload: Bytes) => Bytes} */
const preAuthentication = (type, payload) => concat(utf8(`DSSEv1 ${utf8(type).length} ${type} ${payload.length} `), payload);
/** @type {(check: Check) => Check} */
const malformedSignature = check => value => {
  try { check(value); } catch (error) {
    if (!(error instanceof Fault)) throw error;
    fail(error.reason === 'wrong-value' ? 'malformed-signature' : error.reason);
  }
};
/** @type {Check} */
const signatureBytes = value => { base64(64, LASTING_SIGNATURE)(value); if (![64, LASTING_SIGNATURE].includes(bytesOf(value).length)) fail('wrong-value'); };
const signatureForm = members({keyid: malformedSignature(hex32), sig: malformedSignature(signatureBytes)});
const envelopeForm = members({payload: base64(0, MAX_ENVELOPE), payloadType: anyText, signatures: listOf(signatureForm, 16)});

/**
 * The payload, id and signatures of a recorded envelope (§4).
 * @type {(value: Json, payloadType: string) => Envelope}
 */
export function openEnvelope(value, payloadType) {
  envelopeForm(value);
  if (value.payloadType !== payloadType) fail('wrong-payload-type');
  const keyids = value.signatures.map((/** @type {Json} */ item) => item.keyid);
  if (new Set(keyids).size !== keyids.length) fail('duplicate-signature');
  if (!isAscending(keyids)) fail('non-canonical', '/signatures');
  const payload = bytesOf(value.payload), signed = preAuthentication(payloadType, payload);
  return {payload, signed, id: `sha256:${hex(sha256(signed))}`, signatures: value.signatures.map((/** @type {Json} */ item) => [item.keyid, bytesOf(item.sig)])};
}
const entryForm = members({index: size, previous: hex32, statement: anyObject, time});
/** @type {(bytes: Bytes) => Entry} */
export function parseEntry(bytes) {
  if (bytes.length > 65535) fail('too-large');
  const entry = parseCanonical(bytes);
  entryForm(entry);
  const fits = bytes.length - String(entry.index).length - String(entry.time).length + 32 <= 65535;
  return {...entry, fits, leaf: leafHash(bytes)};
}
/**
 * The statement in a payload, by the version of the rules in force and the types that it allows (§9.2, §9.3).
 * @type {(payload: Bytes, rules: number, types: string[]) => Json}
 */
export function parseStatement(payload, rules, types) {
  if (payload.length > 32768) fail('too-large');
  const statement = parseCanonical(payload);
  if (!isObject(statement)) fail('not-an-object');
  if (!has(statement, 'type')) fail('missing-field', '/type');
  if (typeof statement.type !== 'string') fail('wrong-type', '/type');
  if (!types.includes(statement.type)) fail('unknown-type', statement.type.slice(0, 80));
  verifyFields(statement, rules);
  return statement;
}
