// @ts-check
// ── What was found, registered on the ledger the day it was found, and a chain from there (docs/bundle.md §4.1) ──────

import {fail, hex, lookUp, utf8} from './bytes.js';
import {has} from './forms.js';
import {canonical} from './json.js';
import {sha256} from './sha256.js';

const CLOCKS_DIFFER_BY_MS = 600_000;

/** @type {(value: Json) => Bytes} */
const lineOf = value => utf8(`${canonical(value)}\n`);
/**
 * When the found file was in hand first, as custody and registration say; Infinity if neither says.
 * @type {(evidence: Evidence) => number}
 */
export const firstHandled = ({custody, registration}) => Math.min(custody[0]?.at_ms ?? Infinity, registration?.at_ms ?? Infinity);
/** @type {(context: Context) => void} */
export function verifyCustody({bundle: {evidence, case: case_}, byId, story}) {
  const {registration: link, custody, found} = evidence, where = 'evidence.json/registration';
  if (link === undefined || case_.registration === undefined) {
    if (link !== undefined || case_.registration !== undefined || custody.some(step => has(step, 'previous'))) fail('not-registered', where);
    return;
  }
  const entry = lookUp(byId, case_.registration), content = entry.contents.get('/content') ?? fail('content-not-opened', 'case.json/registration');
  const raw = lineOf(link), isBefore = entry.index < story.offerEntry.index;
  if (content.files.length !== 1 || content.files[0].bytes !== raw.length || content.files[0].sha256 !== hex(sha256(raw))) fail('other-registration', where);
  if (link.at_ms > Math.min(entry.time + CLOCKS_DIFFER_BY_MS, isBefore ? story.offerEntry.time - 1 : Infinity)) fail('later-than-entry', `${where}/at_ms`);
  verifyLinks(evidence, link, raw);
  if (link.file.sha256 === found.sha256 && link.file.bytes !== found.bytes) fail('other-file', 'evidence.json/found/bytes');
  story.registration = {entry, link, isBefore};
}
/**
 * Follow the file's digest and the hash of each step, from the registration to what the evidence is about.
 * @type {(evidence: Evidence, link: Link, first: Bytes) => void}
 */
function verifyLinks({custody, found}, link, first) {
  let previous = first, digest = link.file.sha256, isLinked = false;
  custody.forEach((step, i) => {
    const where = `evidence.json/custody/${i}`;
    if (step.previous === undefined) {
      // What somebody did before it was registered hangs on nothing, and nothing may hang on it.
      if (isLinked || step.at_ms > link.at_ms) fail('not-linked', where);
      return;
    }
    if (step.previous !== hex(sha256(previous)) || step.before !== digest) fail('broken-chain', where);
    if (step.at_ms < link.at_ms) fail('before-registration', where);
    previous = lineOf(step);
    digest = step.after ?? '';
    isLinked = true;
  });
  if (digest !== found.sha256) fail('other-file', 'evidence.json/found/sha256');
}
