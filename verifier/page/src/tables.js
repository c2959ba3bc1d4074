// @ts-check
// ── The tables of statements, versions 1 to 6 (docs/format.md §6, docs/statements.md) ────────────────────────────────

import {Fault, fail} from './bytes.js';
import {
  base64, bool, codes, count, hex32, id, integer, isObject, items, line, listOf, matching, mediaType, members, name,
  numbersOf, partyKey, publicKey, sealed, setOf, size, text, time,
} from './forms.js';
import {MAX_INTEGER} from './json.js';
import {parseVkey} from './keys.js';
import {ACTIONS} from './vocabulary.js';

const document_ = members({'bytes†': count, 'media_type†': mediaType, 'sha256†': hex32});
const dsp = members({'agreement?†': line(500), 'provider_pid?†': line(500), 'consumer_pid?†': line(500)}, 1);
const basis = codes('contract', 'court-order', 'gdpr-17', 'other', 'pipl-47');
const classification = members({'level†': line(100), 'authority†': line(200), 'as_of_ms†': time});
const described = {
  'description?†': text(4000), 'publisher?†': line(300), 'rights_holder?†': line(300), 'version?†': line(50), 'keywords?†': items(line(100), 20),
  'spatial?†': items(line(200), 20), 'temporal?†': members({from_ms: time, until_ms: time}), 'conforms_to?†': items(line(500), 20),
  'distributions?†': items(
    members({'media_type†': mediaType, 'bytes?†': size, 'title?†': line(300), 'sha256?†': hex32, 'access_url?†': line(2000)}),
    100,
  ),
  'sources?†': items(members({'title†': line(300), 'publisher?†': line(300), 'uri?†': line(2000), 'retrieved_ms?†': time}), 50),
  'derived_from?': setOf(id, 50), 'classification?†': classification,
  'use?†': members(Object.fromEntries([
    ...['classification', 'consents', 'copyright', 'license', 'patent', 'privacy_enhancing', 'trademark'].map(field => [`${field}?†`, line(500)]),
    ...['intended_purpose', 'processing_excluded', 'processing_included', 'storage_allowed', 'storage_forbidden'].map(field => [
      `${field}?†`,
      items(line(300), 20),
    ]),
  ]), 1),
  'venue?': members({'party?': name, 'name?†': line(300), 'registration?†': line(200)}, 1),
};
const identity = members({
  'legal_name?†': line(300), 'jurisdiction?†': line(100), 'registration?†': members({'authority†': line(300), 'number†': line(100)}),
  'certificates?†': members({chain: listOf(base64(1, 4096), 4), signature: base64(1, 1024)}),
}, 1);
const keys = listOf(publicKey, 8),
  allowed = setOf(line(200), 64),
  contract = {'text?†': document_, 'governing_law?†': line(300), 'forum?†': line(300), 'marking_consent?': bool};
/** @type {(kinds: number[]) => Check} */
const vkeyOf = kinds => value => {
  if (typeof value !== 'string') fail('wrong-type');
  let key;
  try { key = parseVkey(value); } catch (error) { fail(error instanceof Fault && error.reason === 'weak-key' ? 'weak-key' : 'wrong-value'); }
  if (!kinds.includes(key.kind)) fail('wrong-value');
};
const logKey = vkeyOf([1]), anyLogKey = vkeyOf([1, 6]);
/** @type {Check} */
export const anyObject = value => { if (!isObject(value)) fail('wrong-type'); };

const VERSION_1 = {
  'ledger.created': {
    origin: matching(/^[!-*,-~]{1,255}$/),
    keys,
    recovery_keys: keys,
    log_keys: (/** @type {Json} */ value) => {
      listOf(logKey, 8)(value);
      if (new Set(value).size !== value.length) fail('wrong-value');
    },
    service_key: publicKey,
    rules: count,
    relation: text(1000),
    admission: codes('open', 'operator'),
    'predecessor?': members({ledger: id, root: hex32, size: count}),
  },
  'ledger.rules_changed': {rules: integer(2, MAX_INTEGER), payload_types: allowed, statement_types: allowed, signature_forms: allowed},
  'party.registered': {keys, recovery_keys: keys},
  'party.key_added': {key: publicKey, use: codes('signing', 'recovery')},
  'party.key_revoked': {keyid: hex32, 'compromised_since_ms?': time, 'reason?': text(1000)},
  'listing.registered': {title: line(300), 'description?': text(4000), content: sealed},
  'listing.withdrawn': {listing: id, 'reason?': text(1000)},
  'license.agreed': {listing: id, licensee: name, terms: members({
    purposes: listOf(line(200), 20), 'text?': members({bytes: count, media_type: mediaType, sha256: hex32}), valid_from_ms: time, valid_until_ms: time})},
  'license.ended': {license: id, 'reason?': text(1000)},
  'transfer.offered': {listing: id, 'license?': id, recipient: name, content: sealed},
  'transfer.acknowledged': {transfer: id, content: sealed},
  'transfer.refused': {transfer: id, reason: text(1000), 'content?': sealed},
};
const VERSION_2 = {
  ...VERSION_1,
  'party.registered': {...VERSION_1['party.registered'], 'identity?†': identity},
  'party.key_revoked': {keyid: hex32, 'compromised_since_ms?': time, 'reason?†': text(1000)},
  'listing.registered': {'title†': line(300), content: sealed, ...described},
  'listing.amended': {listing: id, 'title?†': line(300), 'content?': sealed, ...described},
  'listing.withdrawn': {listing: id, 'reason?†': text(1000)},
  'classification.changed': {listing: id, 'classification†': classification, 'reason?†': text(1000)},
  'license.agreed': {
    listing: id,
    licensee: name,
    valid_from_ms: time,
    valid_until_ms: time,
    terms: anyObject,
    ...contract,
    'parent?': id,
    'dsp?†': dsp,
  },
  'license.amended': {license: id, 'valid_from_ms?': time, 'valid_until_ms?': time, 'terms?': anyObject, ...contract},
  'license.ended': {
    license: id, code: codes('breach', 'convenience', 'expired', 'insolvency', 'other', 'regulatory'), 'effective_ms?': time,
    'notice?†': members({'channel†': line(200), 'sent_ms†': time}), 'reason?†': text(1000),
  },
  'transfer.offered': {...VERSION_1['transfer.offered'], 'acknowledge_by_ms?': time, 'dsp?†': dsp},
  'transfer.refused': {
    transfer: id,
    code: codes('digest-mismatch', 'not-received', 'not-wanted', 'other'),
    'reason?†': text(1000),
    'content?': sealed,
  },
  'transfer.forwarded': {
    transfer: id,
    'recipient?': name,
    'outsider?†': line(300),
    'license?': id,
    'disclosure?': id,
    'purpose?†': line(200),
    'spatial?†': line(200),
    'content?': sealed,
  },
  'disclosure.compelled': {
    'transfer?': id,
    'listing?': id,
    'authority†': line(300),
    'instrument†': line(500),
    'scope?†': text(4000),
    'demanded_ms?†': time,
  },
  'usage.reported': {
    license: id,
    'transfer?': id,
    action: codes(...ACTIONS),
    'purpose?†': line(200),
    'spatial?†': line(200),
    'industry?†': line(200),
    'product?†': line(200),
    'recipient?†': line(200), 'count?†': count, 'from_ms?†': time, 'until_ms?†': time, 'fulfils?': setOf(codes(...ACTIONS), 20),
    'derivatives?†': items(members({'title†': line(300), 'listing?': id, 'sha256?†': hex32}), 50),
  },
  'venue.status': {venue: name, status: codes('closed', 'operating', 'suspended'), 'note?†': text(1000)},
  'claim.opened': {
    'license?': id, 'transfer?': id, respondent: name, 'clause†': line(500), 'demand?†': text(4000), 'evidence?†': document_, 'answer_by_ms?': time,
    'legal_hold?': bool, 'tribunal?': name,
  },
  'claim.answered': {claim: id, position: codes('admitted', 'denied', 'partly-admitted'), 'answer?†': text(4000)},
  'claim.determined': {
    claim: id,
    outcome: codes('dismissed', 'partly-upheld', 'settled', 'upheld', 'withdrawn'),
    'decision?†': text(4000),
    'document?†': document_,
  },
  'erasure.requested': {'license?': id, 'transfer?': id, basis, erase_by_ms: time, 'authority?†': line(300), 'scope?†': text(4000)},
  'erasure.attested': {
    'license?': id, 'transfer?': id, 'statement?': id, 'request?': id, basis, destroyed: setOf(codes('data', 'derivatives', 'keys', 'salts'), 4),
    'method?†': line(300), 'pointers?': setOf(line(500), 64),
  },
};
export const bound = matching(/^0\.(?!0*$)[0-9]{1,30}$/);
const marksInTheOpen = members({
  bound,
  method: codes('canary', 'tardos'),
  seal: sealed,
  threshold_millibits: count,
});
const VERSION_3 = {...VERSION_2, 'transfer.offered': {...VERSION_2['transfer.offered'], 'marks?': marksInTheOpen}};
const VERSION_4 = {...VERSION_3, 'ledger.log_key_added': {log_key: anyLogKey}, 'ledger.log_key_retired': {log_key: anyLogKey}};
const partyKeys = listOf(partyKey, 8);
const VERSION_5 = {
  ...VERSION_4,
  'ledger.created': {...VERSION_4['ledger.created'], keys: partyKeys, recovery_keys: partyKeys},
  'party.registered': {...VERSION_4['party.registered'], keys: partyKeys, recovery_keys: partyKeys},
  'party.key_added': {...VERSION_4['party.key_added'], key: partyKey},
};
const method = codes('canary', 'omission', 'tardos'), coin = base64(32, 32);
const marking = members({bound, method, recipients: count});
const marksOfAPool = members({prepared: id, coin: members({salt: base64(16, 16), value: coin}), file: size, 'retired?': numbersOf(size, 1000)});
const VERSION_6 = {
  ...VERSION_5,
  'license.agreed': {...VERSION_5['license.agreed'], 'marking?': marking},
  'license.amended': {...VERSION_5['license.amended'], 'marking?': marking},
  'transfer.prepared': {listing: id, recipient: name, bound, recipients: count, method, coin: sealed, seal: sealed},
  'transfer.requested': {prepared: id, coin},
  'transfer.offered': {...VERSION_5['transfer.offered'], 'marks?': marksOfAPool},
  'transfer.acknowledged': {...VERSION_5['transfer.acknowledged'], opens: hex32},
};
/** @type {Record<number, Record<string, Record<string, Check>>>} */
export const RULES = {1: VERSION_1, 2: VERSION_2, 3: VERSION_3, 4: VERSION_4, 5: VERSION_5, 6: VERSION_6};
export const NEWEST_RULES = 6;
export const ROTATION = 4; // since this version the log's keys may change (§16)
export const LASTING_KEYS = 5; // since this version parties may have keys of ML-DSA-44 (§3.1)
const COMMON = {type: line(200), issuer: name, signers: setOf(hex32, 16), nonce: base64(16, 16), issued_ms: time, not_after_ms: time};
const IN_A_LEDGER = {ledger: id, 'seen?': members({root: hex32, size: count})};
export const COMMON_NAMES = [...Object.keys(COMMON), 'ledger', 'seen'];
export const TABLES = Object.fromEntries(Object.entries(RULES).map(([version, tables]) => [version, Object.fromEntries(
  Object.entries(tables).map(([kind, own]) => [kind, members({...COMMON, ...(kind === 'ledger.created' ? {} : IN_A_LEDGER), ...own})]))]));
/** @type {Record<string, string[]>} */
export const EXACTLY_ONE = {
  'transfer.forwarded': ['recipient', 'outsider'], 'disclosure.compelled': ['transfer', 'listing'], 'claim.opened': ['license', 'transfer'],
  'erasure.requested': ['license', 'transfer'], 'erasure.attested': ['license', 'transfer', 'statement'],
};
