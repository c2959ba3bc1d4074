// ── The registry: what accepted statements have brought about (docs/format.md §9, §12.3) ─────────────────────────────

import {decode64, fail} from './bytes.js';
import {has} from './forms.js';
import {keyId, logKeyId, parseVkey} from './keys.js';
import {NEWEST_RULES, RULES} from './tables.js';
import {nodeHash} from './tree.js';

export const SIGNING = 'signing', RECOVERY = 'recovery';
export const signatureFault = (reason, where = '') => fail(reason, where, 'signature');
export const acceptanceFault = (reason, where = '') => fail(reason, where, 'acceptance');

export class Registry {
  constructor(isWhole) {
    Object.assign(this, {
      isWhole, ledger: null, operator: '', admission: 'open', rules: NEWEST_RULES, types: Object.keys(RULES[NEWEST_RULES]), reserved: new Set(),
      parties: new Map(), keys: new Map(), keysOf: new Map(), listings: new Map(), licenses: new Map(), transfers: new Map(), claims: new Map(), disclosures: new Set(),
      requests: new Map(), recorded: new Set(), lacking: new Set(), roots: new Map(), leaves: [],
    });
  }
  find(kind, id, where) { return this[kind].get(id) ?? acceptanceFault('unknown-reference', where); }
  /** Whether a hold is on a license or transfer: claims on it, on the license it was offered under, or on transfers under it. */
  isHeld(subject) {
    const license = this.transfers.get(subject)?.license;
    return [...this.claims.values()].some(claim => claim.isHold && claim.determined === undefined
      && (claim.subject === subject || claim.subject === license || this.transfers.get(claim.subject)?.license === subject));
  }
  /** The root over the first entries; null where not all of them are in the bundle. */
  rootAt(size) {
    for (let i = 0; i < size; i += 1) if (!this.leaves[i]) return null;
    const over = (from, to) => {
      if (to - from === 1) return this.leaves[from];
      const name = `${from} ${to}`;
      if (!this.roots.has(name)) {
        let k = 1;
        while (2 * k < to - from) k *= 2;
        this.roots.set(name, nodeHash(over(from, from + k), over(from + k, to)));
      }
      return this.roots.get(name);
    };
    return over(0, size);
  }
}
/** Let an accepted statement take effect. */
export function record(registry, {index, time}, {id: own}, statement, introduced) {
  const {type, issuer} = statement;
  registry.recorded.add(own);
  for (const {keyid, ...key} of introduced) {
    const own = {...key, owner: issuer, index};
    registry.keys.set(keyid, own);
    registry.keysOf.set(issuer, [...(registry.keysOf.get(issuer) ?? []), own]);
  }
  const effect = {
    'ledger.created': () => {
      Object.assign(registry, {
        ledger: own,
        operator: issuer,
        admission: statement.admission,
        rules: statement.rules,
        types: Object.keys(RULES[statement.rules] ?? {}),
      });
      Object.assign(registry, {origin: statement.origin, logKeys: statement.log_keys, serviceKey: decode64(statement.service_key.public_key)});
      registry.reserved = new Set([...statement.log_keys.map(vkey => keyId(parseVkey(vkey).publicKey)), keyId(registry.serviceKey)]);
      registry.parties.set(issuer, index);
    },
    'ledger.rules_changed': () => { registry.rules = statement.rules; registry.types = statement.statement_types; },
    'ledger.log_key_added': () => {
      registry.logKeys = [...registry.logKeys, statement.log_key];
      registry.reserved.add(logKeyId(parseVkey(statement.log_key)));
    },
    'ledger.log_key_retired': () => { registry.logKeys = registry.logKeys.filter(vkey => vkey !== statement.log_key); },
    'party.registered': () => registry.parties.set(issuer, index),
    'party.key_revoked': () => { registry.keys.get(statement.keyid).revoked = index; },
    'listing.registered': () => registry.listings.set(own, {index, issuer}),
    'listing.withdrawn': () => { registry.listings.get(statement.listing).withdrawn = index; },
    'license.agreed': () => {
      const term = registry.rules === 1 ? statement.terms : statement;
      const {listing, licensee} = statement;
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
      const license = registry.licenses.get(statement.license);
      license.from = statement.valid_from_ms ?? license.from;
      license.until = statement.valid_until_ms ?? license.until;
    },
    'license.ended': () => { registry.licenses.get(statement.license).ended = index; },
    'transfer.offered': () => {
      const {listing, license, recipient, marks} = statement;
      registry.transfers.set(own, {id: own, index, listing, license, sender: issuer, recipient, marks, time});
    },
    'transfer.acknowledged': () => { Object.assign(registry.transfers.get(statement.transfer), {decided: index, acknowledged: index}); },
    'transfer.refused': () => { registry.transfers.get(statement.transfer).decided = index; },
    'disclosure.compelled': () => registry.disclosures.add(own),
    'claim.opened': () => {
      const {respondent, tribunal, legal_hold: isHold} = statement;
      registry.claims.set(own, {index, subject: statement.license ?? statement.transfer, claimant: issuer, respondent, tribunal, isHold});
    },
    'claim.answered': () => { registry.claims.get(statement.claim).answered = index; },
    'claim.determined': () => { registry.claims.get(statement.claim).determined = index; },
    'erasure.requested': () => registry.requests.set(own, statement.license ?? statement.transfer),
  }[type];
  effect?.();
}
/** The subjects that an entry concerns (§12.3); `about` maps the ids of earlier entries to theirs. */
export function subjectsOf(registry, about, {id: own}, statement) {
  const subjects = new Set([own, statement.issuer]);
  const fields = {
    'license.agreed': ['licensee'], 'transfer.offered': ['recipient'], 'transfer.forwarded': ['recipient'],
    'claim.opened': ['respondent', 'tribunal'], 'venue.status': ['venue'],
  }[statement.type] ?? [];
  for (const field of fields) if (has(statement, field)) subjects.add(statement[field]);
  if (statement.venue?.party !== undefined) subjects.add(statement.venue.party);
  for (const keyid of statement.signers) if (registry.keys.has(keyid)) subjects.add(registry.keys.get(keyid).owner);
  for (const field of ['listing', 'license', 'transfer', 'claim']) {
    if (typeof statement[field] === 'string') {
      subjects.add(statement[field]);
      for (const subject of about.get(statement[field]) ?? []) subjects.add(subject);
    }
  }
  for (const field of ['parent', 'disclosure', 'request', 'statement']) if (typeof statement[field] === 'string') subjects.add(statement[field]);
  for (const source of statement.derived_from ?? []) subjects.add(source);
  return subjects;
}
