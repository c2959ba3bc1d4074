// @ts-check
// ── The registry: what accepted statements have brought about (docs/format.md §9, §12.3) ─────────────────────────────

import {bytesOf, fail, lookUp} from './bytes.js';
import {has} from './forms.js';
import {keyId, logKeyId, parseVkey} from './keys.js';
import {NEWEST_RULES, RULES} from './tables.js';
import {nodeHash} from './tree.js';

export const SIGNING = 'signing', RECOVERY = 'recovery';
/** @type {(reason: string, where?: string) => never} */
export const signatureFault = (reason, where = '') => fail(reason, where, 'signature');
/** @type {(reason: string, where?: string) => never} */
export const acceptanceFault = (reason, where = '') => fail(reason, where, 'acceptance');

export class Registry {
  ledger = /** @type {string | null} */ (null);
  operator = '';
  admission = 'open';
  rules = NEWEST_RULES;
  types = Object.keys(RULES[NEWEST_RULES]);
  origin = '';
  /** The vkeys of the log's keys in force. */
  logKeys = /** @type {string[]} */ ([]);
  serviceKey = new Uint8Array(0);
  /** Keyids that no party's key may have. */
  reserved = /** @type {Set<string>} */ (new Set());
  /** Names of parties, and where they were registered. */
  parties = /** @type {Map<string, number>} */ (new Map());
  keys = /** @type {Map<string, RegisteredKey>} */ (new Map());
  keysOf = /** @type {Map<string, RegisteredKey[]>} */ (new Map());
  listings = /** @type {Map<string, RecordedListing>} */ (new Map());
  licenses = /** @type {Map<string, RecordedLicense>} */ (new Map());
  preparations = /** @type {Map<string, RecordedPreparation>} */ (new Map());
  transfers = /** @type {Map<string, RecordedTransfer>} */ (new Map());
  claims = /** @type {Map<string, RecordedClaim>} */ (new Map());
  /** Compelled disclosures, and who says so. */
  disclosures = /** @type {Map<string, string>} */ (new Map());
  /** Listing and party, of all who are or were licensees. */
  granted = /** @type {Set<string>} */ (new Set());
  /** Requests for erasure, and what they are about. */
  requests = /** @type {Map<string, string>} */ (new Map());
  /** The ids of all statements. */
  recorded = /** @type {Set<string>} */ (new Set());
  /** Entries that count although a signature of theirs may lack. */
  lacking = /** @type {Set<number>} */ (new Set());
  roots = /** @type {Map<string, Bytes>} */ (new Map());
  /** Leaf hashes; holes where an entry is not in the bundle. */
  leaves = /** @type {Bytes[]} */ ([]);

  /** @param {boolean} isWhole whether every entry is in the bundle */
  constructor(isWhole) { this.isWhole = isWhole; }
  /**
   * What a statement refers to.
   * @template {keyof Recorded} K
   * @param {K} kind
   * @param {string} id
   * @param {string} where
   */
  find(kind, id, where) { return /** @type {Map<string, Recorded[K]>} */ (this[kind]).get(id) ?? acceptanceFault('unknown-reference', where); }
  /**
   * Whether a hold is on a license or transfer: claims on it, on the license it was offered under, or on transfers under it.
   * @param {string} subject
   */
  isHeld(subject) {
    const license = this.transfers.get(subject)?.license;
    return [...this.claims.values()].some(claim => claim.isHold && claim.determined === undefined
      && (claim.subject === subject || claim.subject === license || this.transfers.get(claim.subject)?.license === subject));
  }
  /**
   * The root over the first entries; null where not all of them are in the bundle.
   * @param {number} size
   */
  rootAt(size) {
    for (let i = 0; i < size; i += 1) if (!this.leaves[i]) return null;
    /** @type {(from: number, to: number) => Bytes} */
    const over = (from, to) => {
      if (to - from === 1) return this.leaves[from];
      const name = `${from} ${to}`;
      let root = this.roots.get(name);
      if (!root) {
        let k = 1;
        while (2 * k < to - from) k *= 2;
        root = nodeHash(over(from, from + k), over(from + k, to));
        this.roots.set(name, root);
      }
      return root;
    };
    return over(0, size);
  }
}
/**
 * Let an accepted statement take effect.
 * @type {(registry: Registry, entry: Entry, envelope: Envelope, statement: Json, introduced: IntroducedKey[]) => void}
 */
export function record(registry, {index, time}, {id: own}, statement, introduced) {
  const {type, issuer} = statement;
  registry.recorded.add(own);
  for (const {keyid, ...key} of introduced) {
    const own = {...key, owner: issuer, index};
    registry.keys.set(keyid, own);
    registry.keysOf.set(issuer, [...(registry.keysOf.get(issuer) ?? []), own]);
  }
  /** @type {Record<string, () => void>} */
  const effects = {
    'ledger.created': () => {
      Object.assign(registry, {
        ledger: own,
        operator: issuer,
        admission: statement.admission,
        rules: statement.rules,
        types: Object.keys(RULES[statement.rules] ?? {}),
      });
      Object.assign(registry, {origin: statement.origin, logKeys: statement.log_keys, serviceKey: bytesOf(statement.service_key.public_key)});
      registry.reserved = new Set([...statement.log_keys.map((/** @type {string} */ vkey) => keyId(parseVkey(vkey).publicKey)), keyId(registry.serviceKey)]);
      registry.parties.set(issuer, index);
    },
    'ledger.rules_changed': () => { registry.rules = statement.rules; registry.types = statement.statement_types; },
    'ledger.log_key_added': () => {
      registry.logKeys = [...registry.logKeys, statement.log_key];
      registry.reserved.add(logKeyId(parseVkey(statement.log_key)));
    },
    'ledger.log_key_retired': () => { registry.logKeys = registry.logKeys.filter(vkey => vkey !== statement.log_key); },
    'party.registered': () => registry.parties.set(issuer, index),
    'party.key_revoked': () => { lookUp(registry.keys, statement.keyid).revoked = index; },
    'listing.registered': () => registry.listings.set(own, {index, issuer}),
    'listing.withdrawn': () => { lookUp(registry.listings, statement.listing).withdrawn = index; },
    'license.agreed': () => {
      const term = registry.rules === 1 ? statement.terms : statement;
      const {listing, licensee} = statement;
      registry.granted.add(`${listing} ${licensee}`);
      registry.licenses.set(own, {
        index,
        listing,
        licensor: issuer,
        licensee,
        from: term.valid_from_ms,
        until: term.valid_until_ms,
        rules: registry.rules,
      });
    },
    'license.amended': () => {
      const license = lookUp(registry.licenses, statement.license);
      license.from = statement.valid_from_ms ?? license.from;
      license.until = statement.valid_until_ms ?? license.until;
    },
    'license.ended': () => { lookUp(registry.licenses, statement.license).ended = index; },
    'transfer.prepared': () => {
      const {ledger, nonce, listing, recipient, bound, recipients, method, coin: {sealed: coin}} = statement;
      registry.preparations.set(own, {id: own, index, sealing: {ledger, issuer, nonce}, listing, sender: issuer, recipient, bound, recipients, method, coin});
    },
    'transfer.requested': () => { lookUp(registry.preparations, statement.prepared).request = own; },
    'transfer.offered': () => {
      const {listing, license, recipient, marks, content: {sealed: content}} = statement;
      registry.transfers.set(own, {id: own, index, listing, license, sender: issuer, recipient, marks, content, time});
    },
    'transfer.acknowledged': () => { Object.assign(lookUp(registry.transfers, statement.transfer), {decided: index, acknowledged: index}); },
    'transfer.refused': () => { lookUp(registry.transfers, statement.transfer).decided = index; },
    'disclosure.compelled': () => registry.disclosures.set(own, issuer),
    'claim.opened': () => {
      const {respondent, tribunal, legal_hold: isHold} = statement;
      registry.claims.set(own, {index, subject: statement.license ?? statement.transfer, claimant: issuer, respondent, tribunal, isHold});
    },
    'claim.answered': () => { lookUp(registry.claims, statement.claim).answered = index; },
    'claim.determined': () => { lookUp(registry.claims, statement.claim).determined = index; },
    'erasure.requested': () => registry.requests.set(own, statement.license ?? statement.transfer),
  };
  effects[type]?.();
}
/** @type {Record<string, string[]>} */
const SUBJECT_FIELDS = {
  'license.agreed': ['licensee'], 'transfer.prepared': ['recipient'], 'transfer.offered': ['recipient'], 'transfer.forwarded': ['recipient'],
  'claim.opened': ['respondent', 'tribunal'], 'venue.status': ['venue'],
};
const PARTIES_ONLY = 6; // since this version what anybody may name counts only if a party of it names it (§12.4)
/**
 * The fields in which anybody may name anything.
 * @type {Record<string, string[]>}
 */
const OPEN_FIELDS = {
  'erasure.attested': ['statement'], 'listing.amended': ['derived_from'], 'listing.registered': ['derived_from'],
  'transfer.forwarded': ['license', 'disclosure'], 'transfer.offered': ['listing', 'license'], 'transfer.prepared': ['listing'],
};
/**
 * The parties of what an id stands for (§12.4), but for the licensees of a listing.
 * @type {(registry: Registry, id: string) => (string | undefined)[]}
 */
function partiesOf(registry, id) {
  const license = registry.licenses.get(id), transfer = registry.transfers.get(id), claim = registry.claims.get(id), request = registry.requests.get(id);
  if (request !== undefined) return partiesOf(registry, request);
  if (license) return [license.licensor, license.licensee];
  if (transfer) return [transfer.sender, transfer.recipient];
  if (claim) return [claim.claimant, claim.respondent, claim.tribunal];
  return [registry.listings.get(id)?.issuer, registry.disclosures.get(id)];
}
/**
 * The subjects that an entry concerns (§12.3); `about` maps the ids of earlier entries to theirs.
 * @type {(registry: Registry, about: Map<string, Set<string>>, envelope: Envelope, statement: Json) => Set<string>}
 */
export function subjectsOf(registry, about, {id: own}, statement) {
  const subjects = new Set([own, statement.issuer]);
  for (const field of SUBJECT_FIELDS[statement.type] ?? []) if (has(statement, field)) subjects.add(statement[field]);
  if (statement.venue?.party !== undefined) subjects.add(statement.venue.party);
  for (const keyid of statement.signers) if (registry.keys.has(keyid)) subjects.add(lookUp(registry.keys, keyid).owner);
  const counts = (/** @type {string} */ field, /** @type {string} */ named) => registry.rules < PARTIES_ONLY
    || !OPEN_FIELDS[statement.type]?.includes(field) || partiesOf(registry, named).includes(statement.issuer) || registry.granted.has(`${named} ${statement.issuer}`);
  for (const field of ['listing', 'license', 'transfer', 'claim', 'prepared']) {
    if (typeof statement[field] === 'string' && counts(field, statement[field])) {
      subjects.add(statement[field]);
      for (const subject of about.get(statement[field]) ?? []) subjects.add(subject);
    }
  }
  for (const field of ['parent', 'disclosure', 'request', 'statement'])
    if (typeof statement[field] === 'string' && counts(field, statement[field])) subjects.add(statement[field]);
  for (const source of statement.derived_from ?? []) if (counts('derived_from', source)) subjects.add(source);
  return subjects;
}
