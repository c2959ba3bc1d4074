// @ts-check
// ── What a statement refers to has to be there, and its issuer in the right role (docs/format.md §9.14) ──────────────

import {Doubt} from './bytes.js';
import {commitment} from './disclosures.js';
import {has} from './forms.js';
import {canonical} from './json.js';
import {ED25519, ML_DSA_44, logKeyId, parseVkey} from './keys.js';
import {acceptanceFault} from './registry.js';
import {PAYLOAD_TYPE, verifyTermsParties} from './statements.js';
import {ROTATION, RULES} from './tables.js';

// 9.14, one function a type.
/** @type {(statement: Json, ...names: (string | undefined)[]) => void} */
const mustBe = (statement, ...names) => { if (!names.includes(statement.issuer)) acceptanceFault('wrong-role', '/issuer'); };
/** @type {(index: number | undefined) => void} */
const undecided = index => { if (index !== undefined) acceptanceFault('already-decided', `entry ${index}`); };
/** @type {(registry: Registry, party: string, where: string) => void} */
const registered = (registry, party, where) => { if (!registry.parties.has(party)) acceptanceFault('unknown-party', where); };
/** @type {(registry: Registry, statement: Json, party: string, where: string) => void} */
const otherParty = (registry, statement, party, where) => {
  registered(registry, party, where);
  if (party === statement.issuer) acceptanceFault('same-party', where);
};
/** @type {Refers} */
const keysFree = (registry, _statement, {introduced}) => {
  for (const {keyid} of introduced) if (registry.keys.has(keyid) || registry.reserved.has(keyid)) acceptanceFault('key-taken', keyid);
};
/** @type {(registry: Registry, statement: Json) => void} */
const describedThings = (registry, statement) => {
  (statement.derived_from ?? []).forEach((/** @type {string} */ source, /** @type {number} */ i) => registry.find('listings', source, `/derived_from/${i}`));
  if (statement.venue?.party !== undefined) registered(registry, statement.venue.party, '/venue/party');
};
/** @type {(registry: Registry, statement: Json) => void} */
const changedListing = (registry, statement) => {
  const listing = registry.find('listings', statement.listing, '/listing');
  mustBe(statement, listing.issuer);
  undecided(listing.withdrawn);
};
/** @type {Refers} */
const endedLicense = (registry, statement) => {
  const license = registry.find('licenses', statement.license, '/license');
  mustBe(statement, license.licensor, license.licensee);
  undecided(license.ended);
};
/** @type {Refers} */
const decidedTransfer = (registry, statement) => {
  const transfer = registry.find('transfers', statement.transfer, '/transfer');
  mustBe(statement, transfer.recipient);
  undecided(transfer.decided);
};
/**
 * That marks are of a pool that was prepared for this very hand-off, and requested; and that they open the sender's coin (since version 6).
 * @type {(registry: Registry, statement: Json) => void}
 */
const markedFromAPool = (registry, {listing, recipient, issuer, marks}) => {
  if (!has(marks, 'prepared')) return;
  const preparation = registry.find('preparations', marks.prepared, '/marks/prepared'), {salt, value} = marks.coin;
  const isOfThis = preparation.sender === issuer && preparation.listing === listing && preparation.recipient === recipient;
  if (!isOfThis || preparation.request === undefined) acceptanceFault('wrong-value', '/marks/prepared');
  if (commitment({...preparation.sealing, kind: 'coin', pointer: '/coin', salt, value}) !== preparation.coin) acceptanceFault('wrong-value', '/marks/coin');
};
/**
 * The parties to the license or transfer that a statement names, the giving one first.
 * @type {(registry: Registry, statement: Json) => string[]}
 */
const partiesTo = (registry, statement) => {
  if (has(statement, 'license')) {
    const {licensor, licensee} = registry.find('licenses', statement.license, '/license');
    return [licensor, licensee];
  }
  const {sender, recipient} = registry.find('transfers', statement.transfer, '/transfer');
  return [sender, recipient];
};
/** @type {Record<string, Refers>} */
export const REFERENCES = {
  'ledger.created': (_registry, _statement, {index}) => { if (index !== 0) acceptanceFault('already-created', '/type'); },
  'ledger.rules_changed': (registry, statement) => {
    mustBe(statement, registry.operator);
    if (statement.rules !== registry.rules + 1) acceptanceFault('wrong-rules-version', '/rules');
    if (!RULES[statement.rules]) return;
    const forms = statement.rules < ROTATION ? [ED25519] : [ED25519, ML_DSA_44];
    const isAllowed = canonical(statement.payload_types) === canonical([PAYLOAD_TYPE]) && canonical(statement.signature_forms) === canonical(forms);
    if (!isAllowed || statement.statement_types.some((/** @type {string} */ type) => !has(RULES[statement.rules], type))) acceptanceFault('wrong-value', '/statement_types');
  },
  'ledger.log_key_added': (registry, statement) => {
    mustBe(statement, registry.operator);
    const key = parseVkey(statement.log_key);
    if (key.name !== registry.origin) acceptanceFault('wrong-value', '/log_key');
    if (registry.keys.has(logKeyId(key)) || registry.reserved.has(logKeyId(key))) acceptanceFault('key-taken', '/log_key');
    if (registry.logKeys.length >= 8) acceptanceFault('wrong-value', '/log_key');
  },
  'ledger.log_key_retired': (registry, statement) => {
    mustBe(statement, registry.operator);
    if (!registry.logKeys.includes(statement.log_key)) acceptanceFault('unknown-reference', '/log_key');
    if (!registry.logKeys.some(vkey => vkey !== statement.log_key && parseVkey(vkey).kind === 1)) acceptanceFault('wrong-value', '/log_key');
  },
  'party.registered': (registry, statement, entry) => {
    if (registry.parties.has(statement.issuer)) acceptanceFault('name-taken', '/issuer');
    keysFree(registry, statement, entry);
  },
  'party.key_added': keysFree,
  'party.key_revoked': (registry, statement) => {
    const key = registry.keys.get(statement.keyid);
    if (key?.owner !== statement.issuer) acceptanceFault('unknown-reference', '/keyid');
    undecided(key?.revoked);
  },
  'listing.registered': describedThings,
  'listing.amended': (registry, statement) => { changedListing(registry, statement); describedThings(registry, statement); },
  'listing.withdrawn': changedListing,
  'classification.changed': changedListing,
  'license.agreed': (registry, statement) => {
    const listing = registry.find('listings', statement.listing, '/listing'),
      parent = has(statement, 'parent') ? registry.find('licenses', statement.parent, '/parent') : null;
    if (parent && parent.listing !== statement.listing) acceptanceFault('wrong-value', '/listing');
    mustBe(statement, parent ? parent.licensee : listing.issuer);
    otherParty(registry, statement, statement.licensee, '/licensee');
  },
  'license.amended': (registry, statement) => {
    const license = registry.find('licenses', statement.license, '/license');
    if (license.rules < 2) acceptanceFault('wrong-value', '/license');
    mustBe(statement, license.licensor, license.licensee);
    undecided(license.ended);
    if ((statement.valid_until_ms ?? license.until) <= (statement.valid_from_ms ?? license.from)) {
      if (registry.isWhole) acceptanceFault('wrong-value', '/valid_until_ms');
      throw new Doubt('wrong-value', '/valid_until_ms', 'acceptance'); // an amendment that is not in the bundle would explain it
    }
    if (has(statement, 'terms')) verifyTermsParties(statement.terms, license.listing, license.licensor, license.licensee);
  },
  'license.ended': endedLicense,
  'transfer.prepared': (registry, statement) => {
    registry.find('listings', statement.listing, '/listing');
    otherParty(registry, statement, statement.recipient, '/recipient');
  },
  'transfer.requested': (registry, statement) => {
    const preparation = registry.find('preparations', statement.prepared, '/prepared');
    mustBe(statement, preparation.recipient);
    if (preparation.request !== undefined) acceptanceFault('already-decided', preparation.request);
    // Who adds its coin has a checkpoint over the sender's: neither can be chosen by the other.
    if (!(statement.seen?.size > preparation.index)) acceptanceFault('wrong-value', '/seen');
  },
  'transfer.offered': (registry, statement) => {
    registry.find('listings', statement.listing, '/listing');
    if (has(statement, 'license')) registry.find('licenses', statement.license, '/license');
    otherParty(registry, statement, statement.recipient, '/recipient');
    if (has(statement, 'marks')) markedFromAPool(registry, statement);
  },
  'transfer.acknowledged': (registry, statement, entry) => {
    decidedTransfer(registry, statement, entry);
    if (has(statement, 'opens') && statement.opens !== registry.find('transfers', statement.transfer, '/transfer').content) acceptanceFault('wrong-value', '/opens');
  },
  'transfer.refused': decidedTransfer,
  'transfer.forwarded': (registry, statement) => {
    mustBe(statement, registry.find('transfers', statement.transfer, '/transfer').recipient);
    if (has(statement, 'license')) registry.find('licenses', statement.license, '/license');
    if (has(statement, 'disclosure') && !registry.disclosures.has(statement.disclosure)) acceptanceFault('unknown-reference', '/disclosure');
    if (has(statement, 'recipient')) otherParty(registry, statement, statement.recipient, '/recipient');
  },
  'disclosure.compelled': (registry, statement) => {
    mustBe(
      statement,
      ...(has(statement, 'transfer') ? partiesTo(registry, statement) : [registry.find('listings', statement.listing, '/listing').issuer]),
    );
  },
  'usage.reported': (registry, statement) => {
    mustBe(statement, registry.find('licenses', statement.license, '/license').licensee);
    if (has(statement, 'transfer')) mustBe(statement, registry.find('transfers', statement.transfer, '/transfer').recipient);
  },
  'venue.status': (registry, statement) => registered(registry, statement.venue, '/venue'),
  'claim.opened': (registry, statement) => {
    mustBe(statement, ...partiesTo(registry, statement));
    otherParty(registry, statement, statement.respondent, '/respondent');
    if (!has(statement, 'tribunal')) return;
    otherParty(registry, statement, statement.tribunal, '/tribunal');
    if (statement.tribunal === statement.respondent) acceptanceFault('same-party', '/tribunal');
  },
  'claim.answered': (registry, statement) => {
    const claim = registry.find('claims', statement.claim, '/claim');
    mustBe(statement, claim.respondent);
    undecided(claim.answered);
    undecided(claim.determined);
  },
  'claim.determined': (registry, statement) => {
    const claim = registry.find('claims', statement.claim, '/claim');
    mustBe(statement, ['withdrawn', 'settled'].includes(statement.outcome) ? claim.claimant : claim.tribunal);
    undecided(claim.determined);
  },
  'erasure.requested': (registry, statement) => mustBe(statement, partiesTo(registry, statement)[0]),
  'erasure.attested': (registry, statement) => {
    const named = statement.license ?? statement.transfer ?? statement.statement;
    if (has(statement, 'statement')) { if (!registry.recorded.has(named)) acceptanceFault('unknown-reference', '/statement'); }
    else mustBe(statement, ...partiesTo(registry, statement));
    if (has(statement, 'request') && (registry.requests.get(statement.request) ?? acceptanceFault('unknown-reference', '/request')) !== named)
      acceptanceFault('wrong-value', '/request');
    if (!registry.isHeld(named)) return;
    if (registry.isWhole) acceptanceFault('legal-hold');
    throw new Doubt('legal-hold', '', 'acceptance'); // a determination that is not in the bundle would explain it
  },
};
