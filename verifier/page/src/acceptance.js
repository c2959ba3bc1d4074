// @ts-check
// ── Acceptance: what the ledger had to refuse (docs/format.md §9, docs/statements.md), as far as a bundle tells ──────

import {bytesOf, hex, lookUp} from './bytes.js';
import {has} from './forms.js';
import {isSignedBy, keyId} from './keys.js';
import {REFERENCES} from './references.js';
import {RECOVERY, SIGNING, acceptanceFault, signatureFault} from './registry.js';

/** @type {(statement: Json) => IntroducedKey[]} */
const introducedKeys = statement => [
  ...(statement.recovery_keys ? statement.keys.map((/** @type {Json} */ key) => [key, SIGNING]) : []),
  ...(statement.recovery_keys ?? []).map((/** @type {Json} */ key) => [key, RECOVERY]),
  ...(statement.type === 'party.key_added' ? [[statement.key, statement.use]] : []),
].map(([{alg, public_key: key}, use]) => ({keyid: keyId(bytesOf(key), alg), use, alg, bytes: bytesOf(key)}));

/**
 * Check that a statement may stand at its entry (9.4–9.15), and return the keys that it brings along; throws a Fault, or a Doubt.
 * @type {(registry: Registry, entry: Entry, envelope: Envelope, statement: Json) => Promise<IntroducedKey[]>}
 */
export async function verifyAcceptance(registry, entry, envelope, statement) {
  const {type, issuer, signers} = statement, introduced = introducedKeys(statement);
  if (entry.index === 0 && type !== 'ledger.created') acceptanceFault('not-created', '/type');
  if (has(statement, 'ledger') && statement.ledger !== registry.ledger) acceptanceFault('wrong-ledger', '/ledger');
  if (registry.recorded.has(envelope.id)) acceptanceFault('duplicate-statement');
  const signed = envelope.signatures.map(([keyid]) => keyid);
  if (signers.some((/** @type {string} */ keyid) => !signed.includes(keyid))) signatureFault('missing-signature', '/signers');
  if (signed.some(keyid => !signers.includes(keyid))) signatureFault('extra-signature', '/signers');
  const keyOf = (/** @type {string} */ keyid) =>
    registry.keys.get(keyid) ?? introduced.find(key => key.keyid === keyid) ?? signatureFault('unknown-key', keyid);
  for (const keyid of signers) keyOf(keyid);
  for (const [keyid, signature] of envelope.signatures)
    if (!(await isSignedBy(keyOf(keyid), envelope.signed, signature))) signatureFault('wrong-signature', keyid);
  for (const keyid of signers) if (registry.keys.get(keyid)?.revoked !== undefined) signatureFault('revoked-key', keyid);
  if (!registry.parties.has(issuer) && type !== 'ledger.created' && type !== 'party.registered') acceptanceFault('unknown-party', '/issuer');
  verifySigners(registry, statement, entry.index, introduced.map(key => key.keyid));
  if (statement.issued_ms > entry.time + 300000) acceptanceFault('issued-in-future', '/issued_ms');
  if (entry.time > statement.not_after_ms) acceptanceFault('expired', '/not_after_ms');
  if (statement.seen) {
    const root = statement.seen.size <= entry.index ? registry.rootAt(statement.seen.size) : acceptanceFault('seen-mismatch', '/seen/size');
    if (root && hex(root) !== statement.seen.root) acceptanceFault('seen-mismatch', '/seen/root');
  }
  REFERENCES[type]?.(registry, statement, {...entry, introduced});
  if (!entry.fits) acceptanceFault('too-large');
  return introduced;
}
/**
 * 9.11: whose keys the signers are.
 * @type {(registry: Registry, statement: Json, index: number, introduced: string[]) => void}
 */
function verifySigners(registry, statement, index, introduced) {
  const {type, issuer} = statement, signers = /** @type {string[]} */ (statement.signers);
  /** @type {(keyid: string) => Partial<RegisteredKey>} */
  const key = keyid => registry.keys.get(keyid) ?? {};
  /** @type {(list: string[], owner: string, use: string) => boolean} */
  const areOf = (list, owner, use) => list.length > 0 && list.every(keyid => key(keyid).owner === owner && key(keyid).use === use);
  /** @type {(...owners: string[]) => boolean} */
  const areOfBoth = (...owners) => signers.every(keyid => key(keyid).use === SIGNING && owners.some(owner => key(keyid).owner === owner))
    && owners.every(owner => signers.some(keyid => key(keyid).owner === owner));
  const rest = signers.filter(keyid => !introduced.includes(keyid)), hasNew = introduced.every(keyid => signers.includes(keyid));
  /** @type {Record<string, () => boolean>} */
  const rules = {
    'ledger.created': () => hasNew && !rest.length,
    'ledger.rules_changed': () => areOf(signers, registry.operator, SIGNING),
    'ledger.log_key_added': () => areOf(signers, registry.operator, SIGNING),
    'ledger.log_key_retired': () => areOf(signers, registry.operator, SIGNING),
    'party.registered': () => hasNew && (registry.admission === 'operator' ? areOf(rest, registry.operator, SIGNING) : !rest.length),
    'party.key_added': () => hasNew && areOf(rest, issuer, RECOVERY),
    'party.key_revoked': () =>
      (signers.length === 1 && signers[0] === statement.keyid && areOf(signers, issuer, SIGNING)) || areOf(signers, issuer, RECOVERY),
    'license.agreed': () => areOfBoth(issuer, statement.licensee),
    'license.amended': () => {
      const {licensor, licensee} = registry.find('licenses', statement.license, '/license');
      return areOfBoth(licensor, licensee);
    },
  };
  const isRight = rules[type] ?? (type === 'claim.determined' && statement.outcome === 'settled'
    ? () => { const {claimant, respondent} = registry.find('claims', statement.claim, '/claim'); return areOfBoth(claimant, respondent); }
    : () => areOf(signers, issuer, SIGNING));
  if (!isRight()) signatureFault('wrong-signers', '/signers');
  verifyAlgorithms(registry, {type, signers: rest}, index); // a key that is new, or taken, is another step's
}
/**
 * 9.11, since version 5: who has keys of both algorithms signs with both, so that breaking one of them forges nothing.
 * @type {(registry: Registry, statement: {type: string, signers: string[]}, index: number) => void}
 */
function verifyAlgorithms(registry, {type, signers}, index) {
  const signing = signers.flatMap(keyid => registry.keys.get(keyid) ?? []);
  if (type === 'party.key_revoked' && signing[0].use === SIGNING) return; // a key ends itself, alone
  for (const {owner, use} of signing) {
    const inForce = lookUp(registry.keysOf, owner).filter(key => key.use === use && key.revoked === undefined);
    if (inForce.every(key => signing.some(own => own.owner === owner && own.use === use && own.alg === key.alg))) continue;
    if (registry.isWhole) signatureFault('wrong-signers', '/signers');
    registry.lacking.add(index); // a revocation that is not in the bundle would explain it: it counts, with a doubt
  }
}
