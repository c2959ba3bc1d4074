// @ts-check
// ── Receipts, entries, signatures, acceptance (docs/bundle.md §6) ────────────────────────────────────────────────────

import {verifyAcceptance} from './acceptance.js';
import {Doubt, Fault, againAt, fail, hex, lookUp, sameBytes} from './bytes.js';
import {openPlaces} from './disclosures.js';
import {isObject} from './forms.js';
import {parseCanonical} from './json.js';
import {ML_DSA_44} from './keys.js';
import {parseReceipt} from './notes.js';
import {Registry, record, subjectsOf} from './registry.js';
import {PAYLOAD_TYPE, openEnvelope, parseEntry, parseStatement} from './statements.js';
import {LASTING_KEYS, NEWEST_RULES, ROTATION, RULES} from './tables.js';
import {leafHash, rootByHashes, rootByPath} from './tree.js';

/** @type {(report: BundleReport, bundle: Bundle) => Promise<void>} */
export async function verifyReceipts(report, {receipts, entries, files, inclusion}) {
  const {size: size_, root} = report.story.checkpoint, note = lookUp(files, 'checkpoint.txt');
  if (inclusion) {
    await report.check('receipt', () => {
      const computed = rootByHashes(Array.from(entries, ([index, bytes]) => [index, leafHash(bytes)]), size_, inclusion);
      if (!computed || !sameBytes(computed, root)) fail('wrong-path', 'inclusion.bin');
    });
  }
  for (const [index, bytes] of receipts) {
    await report.check('receipt', () => {
      const where = `receipts/${index}.tlog-proof`, receipt = parseReceipt(bytes);
      if (!sameBytes(receipt.checkpoint, note)) fail('other-checkpoint', where);
      if (receipt.index !== index) fail('wrong-index', where);
      const computed = rootByPath(leafHash(lookUp(entries, index)), index, size_, receipt.path);
      if (!computed || !sameBytes(computed, root)) fail('wrong-path', where);
    });
  }
}
/**
 * Entries, signatures and acceptance, in the order of the indexes; what is accepted takes effect.
 * @type {(report: BundleReport, bundle: Bundle, tell: Tell) => Promise<void>}
 */
export async function verifyEntries(report, bundle, tell) {
  const {story} = report,
    indexes = [...bundle.entries.keys()].sort((a, b) => a - b),
    isWhole = indexes.length === story.checkpoint.size;
  /** @type {Map<number, Entry>} */
  const parsed = new Map();
  const registry = new Registry(isWhole), about = new Map();
  let newest = 0;
  Object.assign(story, {registry, isWhole, isReadable: true, indexes, about});
  for (const index of indexes) {
    await report.check('entry', () => {
      const where = `entry ${index} `;
      let entry;
      try {
        entry = parseEntry(lookUp(bundle.entries, index));
      } catch (error) {
        if (error instanceof Fault) fail(error.reason, where + error.where);
        throw error;
      }
      const last = parsed.get(index - 1), before = index === 0 ? '0'.repeat(64) : last ? hex(last.leaf) : entry.previous;
      if (entry.index !== index) fail('wrong-index', where);
      if (entry.previous !== before) fail('wrong-previous', where);
      if (entry.time < newest) fail('time-decreased', where);
      newest = entry.time;
      registry.leaves[index] = entry.leaf;
      parsed.set(index, entry);
    });
  }
  if (report.stopped) return;
  const disclosedOf = (/** @type {string} */ own) => bundle.disclosures.filter(item => item.statement_id === own);
  const unreadable = (/** @type {number} */ index) => {
    story.isReadable = false;
    report.note(new Doubt('unknown-rules', `entry ${index} and those behind it`), 'entry');
  };
  for (const [position, index] of indexes.entries()) {
    const entry = lookUp(parsed, index);
    if (position % 20 === 0) await tell(['signature', position / indexes.length]);
    try {
      const envelope = openEnvelope(entry.statement, PAYLOAD_TYPE);
      if (index === 0) {
        const first = firstRules(envelope.payload);
        if (first > NEWEST_RULES) return unreadable(0);
        if (RULES[first]) Object.assign(registry, {rules: first, types: Object.keys(RULES[first])});
      }
      const {rules} = registry;
      if (rules < LASTING_KEYS && envelope.signatures.some(([, signature]) => signature.length !== 64)) fail('malformed-signature', '/signatures');
      const statement = parseStatement(envelope.payload, rules, registry.types),
        introduced = await verifyAcceptance(registry, entry, envelope, statement);
      record(registry, entry, envelope, statement, introduced);
      about.set(envelope.id, subjectsOf(registry, about, envelope, statement));
      const opened = parseStatement(envelope.payload, rules, [statement.type]),
        {faults, contents} = openPlaces(opened, disclosedOf(envelope.id), rules);
      for (const [reason, where] of faults) {
        report.note(new Fault(reason, where), reason === 'disclosure-malformed' && /\/seal$/.test(where) ? 'marks' : 'disclosure');
      }
      const signing = /** @type {string[]} */ (statement.signers).map(keyid => lookUp(registry.keys, keyid));
      story.accepted.push({
        index,
        time: entry.time,
        id: envelope.id,
        raw: statement,
        statement: opened,
        contents,
        signers: signing.map(key => key.owner),
        lasting: signing.filter(key => key.alg === ML_DSA_44).map(key => key.owner),
      });
      if (!RULES[registry.rules] && index !== indexes.at(-1)) return unreadable(index + 1);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      report.note(againAt(error, `entry ${index} ${error.where}`), 'acceptance');
    }
    if (registry.ledger === null) return;
  }
  for (const index of registry.lacking) report.note(new Doubt('wrong-signers', `entry ${index} /signers`), 'signature');
  const {log, cosigned} = story.checkpoint;
  if (registry.origin !== log.name) report.note(new Fault('wrong-origin', 'entry 0 /origin'), 'acceptance');
  if (!story.checkpoint.signedBy.some(vkey => registry.logKeys.includes(vkey))) {
    const mayBeElsewhere = registry.rules >= ROTATION && !registry.isWhole; // the entry that brought it may have been left out
    report.note(mayBeElsewhere ? new Doubt('log-key-unknown', log.vkey) : new Fault('wrong-log-key', 'entry 0 /log_keys'), 'acceptance');
  }
  for (const [witness, seconds] of cosigned)
    if (seconds < Math.ceil(newest / 1000) - 300) report.note(new Fault('older-than-entry', witness), 'acceptance');
}
/**
 * The version that entry 0 puts in force, read before all other fields (docs/format.md §6.2).
 * @type {(payload: Bytes) => number}
 */
const firstRules = payload => {
  try {
    const value = parseCanonical(payload);
    return isObject(value) && value.type === 'ledger.created' && typeof value.rules === 'number' ? value.rules : 0;
  } catch (error) { if (error instanceof Fault) return 0; throw error; }
};
