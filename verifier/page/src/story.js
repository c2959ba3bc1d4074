// @ts-check
// ── Parties, histories, the case, its disclosures (docs/bundle.md §6) ────────────────────────────────────────────────

import {Doubt, Fault, fail, hex, lookUp} from './bytes.js';
import {isSigned} from './ed25519.js';
import {isSealed} from './forms.js';
import {keyId} from './keys.js';
import {fileDigest} from './sha256.js';

/** @type {(context: Context) => void} */
export function verifyPins({report, story, registry}) {
  const pinned = new Set();
  story.pinned = pinned;
  const unsettled = new Set();
  for (const [party, keyid] of story.pins) {
    const owner = registry.keys.get(keyid)?.owner;
    if (owner === party) { pinned.add(party); continue; }
    if (owner !== undefined || (registry.parties.has(party) && story.isWhole)) report.note(new Fault('pin-mismatch', `${party} ${keyid}`), 'party');
    else if (registry.parties.has(party)) report.note(new Doubt('key-not-seen', `${party} ${keyid}`), 'party');
    else continue;
    unsettled.add(party);
  }
  for (const party of unsettled) pinned.delete(party);
}
/** @type {(context: Context) => Promise<void>} */
export async function verifyHistories({report, story, bundle, registry}) {
  story.histories = [];
  for (const path of bundle.histories) {
    await report.check('history', async () => {
      const {signed, signatures, history} = lookUp(bundle.signedHistories, path), {checkpoint} = story;
      if (signatures[0][0] !== keyId(registry.serviceKey) || !(await isSigned(registry.serviceKey, signed, signatures[0][1])))
        fail('wrong-signature', path);
      if (history.ledger !== registry.ledger) fail('wrong-ledger', path);
      if (history.size !== checkpoint.size || history.root !== hex(checkpoint.root)) fail('other-checkpoint', path);
      if (history.indexes.some(index => index >= history.size)) fail('wrong-value', path);
      const listed = new Set(history.indexes);
      for (const entry of story.accepted) {
        const concerns = history.subjects.some(subject => lookUp(story.about, entry.id).has(subject));
        if (concerns && !listed.has(entry.index)) fail('history-omits', `${path}: entry ${entry.index}`); // the operator signed it, and left it out
      }
      story.histories.push(history);
    });
  }
}
/** @type {(context: Context) => string} */
export const completenessOf = ({story, bundle}) => story.isWhole ? 'complete'
  : story.histories.some(history => history.subjects.includes(bundle.case.listing) && history.indexes.every(index => bundle.entries.has(index))) ? 'complete according to the operator' : 'omissions possible';

/** @type {(context: Context) => void} */
export function verifyCase({story, bundle: {case: {ledger, listing, transfer, license, claim, claimant, respondent, registration, acts}}, registry, byId}) {
  /** @type {(where: string) => never} */
  const refuse = where => fail('does-not-belong', `case.json/${where}`);
  /** @type {(where: string) => never} */
  const missing = where => fail('not-in-the-bundle', `case.json/${where}`);
  if (ledger !== registry.ledger) fail('wrong-ledger', 'case.json/ledger');
  const offer = registry.transfers.get(transfer) ?? missing('transfer');
  if (!registry.listings.has(listing)) missing('listing');
  if (offer.listing !== listing) refuse('listing');
  if (offer.recipient !== respondent) refuse('respondent');
  if (license !== undefined && !registry.licenses.has(license)) missing('license');
  if (offer.license !== license) refuse('license');
  if (claim !== undefined) {
    const opened = registry.claims.get(claim) ?? missing('claim');
    if (opened.subject !== transfer && opened.subject !== license) refuse('claim');
    if (opened.claimant !== claimant) refuse('claimant');
    if (opened.respondent !== respondent) refuse('respondent');
  }
  if (registration !== undefined && !registry.listings.has(registration)) missing('registration');
  for (const party of [claimant, respondent]) if (!registry.parties.has(party)) fail('unknown-party', `case.json: ${party}`);
  acts.forEach((act, i) => {
    const agreed = registry.licenses.has(act.license) ? lookUp(byId, act.license) : missing(`acts/${i}/license`);
    if (agreed.time > act.at_ms) refuse(`acts/${i}/at_ms`);
  });
  Object.assign(story, {offer, offerEntry: lookUp(byId, transfer)});
}
/** @type {(context: Context) => Promise<void>} */
export async function verifyDisclosures({report, bundle, registry, byId}) {
  for (const item of bundle.disclosures) {
    const where = `${item.statement_id.slice(0, 15)}… ${item.pointer}`;
    if (item.ledger !== registry.ledger) report.note(new Fault('disclosure-other-ledger', where), 'disclosure');
    else if (!byId.has(item.statement_id)) report.note(new Fault('disclosure-unknown-statement', where), 'disclosure');
  }
  const evidence = (bundle.case.claim === undefined ? undefined : byId.get(bundle.case.claim))?.statement.evidence;
  if (evidence === undefined || isSealed(evidence)) return;
  const trace = bundle.files.get('trace.json') ?? fail('missing', 'trace.json');
  if (!isSealed(evidence.bytes) && evidence.bytes !== trace.length) fail('wrong-size', 'trace.json');
  if (!isSealed(evidence.sha256) && evidence.sha256 !== await fileDigest(trace)) fail('wrong-digest', 'trace.json');
}
