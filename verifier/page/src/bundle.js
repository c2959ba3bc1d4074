// @ts-check
// ── The bundle: its files, by their form alone (docs/bundle.md §1–§5) ────────────────────────────────────────────────

import {Fault, fail, isAscending, lookUp} from './bytes.js';
import {disclosuresForm} from './disclosures.js';
import {
  FOR_PEOPLE, HISTORY_TYPE, VERSIONS, caseForm, evidenceForm, historyForm, judgementForm, manifestForm,
} from './documents.js';
import {has} from './forms.js';
import {MAX_INTEGER, canonical, parseCanonical} from './json.js';
import {fileDigest} from './sha256.js';
import {openEnvelope} from './statements.js';
import {readZip} from './zip.js';

/**
 * What is read of a JSON file of a bundle: canonical, then LF.
 * @type {<T>(files: Map<string, Bytes>, path: string, read: (value: Json) => T) => T}
 */
function readDocument(files, path, read) {
  const bytes = lookUp(files, path);
  try {
    if (bytes.at(-1) !== 10) fail('malformed', ' no line feed at its end');
    return read(parseCanonical(bytes.subarray(0, -1)));
  } catch (error) {
    if (error instanceof Fault) fail(error.reason, `${path}${error.where}`);
    throw error;
  }
}
/**
 * Its value, of a form.
 * @type {(files: Map<string, Bytes>, path: string, form: Check) => Json}
 */
const parseDocument = (files, path, form) => readDocument(files, path, value => { form(value); return value; });
const TOGETHER = ['entries.bin', 'inclusion.bin'];
/**
 * The entries of the one file that holds them, by index, up to its very end (§2.2).
 * @type {(bytes: Bytes) => Map<number, Bytes>}
 */
function splitEntries(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), entries = new Map();
  let last = -1;
  for (let at = 0; at < bytes.length;) {
    if (at + 10 > bytes.length) fail('malformed', 'entries.bin');
    const index = 2 ** 32 * view.getUint32(at) + view.getUint32(at + 4), from = at + 10;
    at = from + view.getUint16(at + 8);
    if (index <= last || index > MAX_INTEGER || at > bytes.length) fail('malformed', 'entries.bin');
    entries.set(index, bytes.subarray(from, at));
    last = index;
  }
  return entries;
}
/** @type {<T extends number | string>(list: T[]) => boolean} */
const isRising = list => list.every((item, i) => i === 0 || list[i - 1] < item);
/**
 * Everything that a bundle's bytes hold, by its form alone (§1–§5).
 * @type {(bytes: Bytes, tell: Tell) => Promise<Bundle>}
 */
export async function parseBundle(bytes, tell) {
  const files = await readZip(bytes);
  /** @type {Pick<Bundle, 'files' | 'entries' | 'receipts' | 'inclusion' | 'histories' | 'tokens'>} */
  const bundle = {files, entries: new Map(), receipts: new Map(), inclusion: undefined, histories: [], tokens: 0};
  if (files.keys().next().value !== 'manifest.json') fail('missing', 'manifest.json, as the first member');
  /** @type {Manifest} */
  const manifest = parseDocument(files, 'manifest.json', manifestForm);
  const paths = manifest.files.map(item => item.path);
  if (!isAscending(paths)) fail('wrong-value', 'manifest.json/files');
  const listed = new Set(paths);
  for (const path of files.keys()) if (path !== 'manifest.json' && !listed.has(path)) fail('not-in-manifest', path);
  for (const {path, bytes: length, sha256: digest} of manifest.files) {
    const member = files.get(path);
    if (!member || path === 'manifest.json') fail('missing', path);
    if (member.length !== length || await fileDigest(member) !== digest) fail('wrong-digest', path);
  }
  const isTogether = VERSIONS[manifest.type] > 1;
  for (const path of ['checkpoint.txt', 'case.json', 'evidence.json', 'judgement.json', ...(isTogether ? TOGETHER : [])])
    if (!files.has(path)) fail('missing', path);
  const found = [];
  for (const [path, member] of files) {
    const [, folder, n] = /^(entries|receipts|histories|timestamps)\/(0|[1-9][0-9]{0,15})\.(?:entry|tlog-proof|json|tsr)$/.exec(path) ?? [], isPath = folder && path === {
      entries: `entries/${n}.entry`, receipts: `receipts/${n}.tlog-proof`, histories: `histories/${n}.json`, timestamps: `timestamps/${n}.tsr`}[folder];
    if (isPath && !isTogether && (folder === 'entries' || folder === 'receipts') && Number(n) <= MAX_INTEGER) bundle[folder].set(Number(n), member);
    else if (isPath && folder === 'histories') bundle.histories.push(path);
    else if (isPath && folder === 'timestamps') bundle.tokens += 1;
    else if (/^found\/[a-z0-9._-]+$/.test(path)) found.push(path);
    // Older checkpoints bound times for whoever names roots of time-stamps; nothing here rests on them.
    else if (!/^timestamps\/(0|[1-9][0-9]{0,15})\.json$/.test(path) && !['manifest.json', 'checkpoint.txt', 'case.json', 'disclosures.json', 'evidence.json',
      'judgement.json', ...FOR_PEOPLE, ...(isTogether ? TOGETHER : [])].includes(path)) fail('unknown-path', path);
  }
  for (const index of [...bundle.entries.keys(), ...bundle.receipts.keys()])
    if (!bundle.entries.has(index) || !bundle.receipts.has(index)) fail('missing', `entries/${index}.entry or its receipt`);
  if (isTogether) Object.assign(bundle, {entries: splitEntries(lookUp(files, 'entries.bin')), inclusion: lookUp(files, 'inclusion.bin')});
  if (!bundle.entries.has(0)) fail('missing', 'entry 0');
  await tell();
  const {made} = manifest, case_ = parseDocument(files, 'case.json', caseForm);
  /** @type {Evidence} */
  const evidence = parseDocument(files, 'evidence.json', evidenceForm);
  const judgement = parseDocument(files, 'judgement.json', judgementForm);
  const signedHistories = new Map(bundle.histories.map(path => [path, parseHistory(files, path)]));
  if ((files.get('disclosures.json')?.length ?? 0) > 2 ** 26) fail('too-large', 'disclosures.json');
  /** @type {Disclosure[]} */
  const disclosures = files.has('disclosures.json') ? parseDocument(files, 'disclosures.json', disclosuresForm).disclosures : [];
  if (new Set(disclosures.map(item => `${item.statement_id} ${item.pointer}`)).size !== disclosures.length)
    fail('malformed', 'disclosures.json: a place twice');
  verifyEvidenceOrder(evidence);
  const named = evidence.found.path;
  if (canonical(found) !== canonical(named === undefined ? [] : [named])) fail('wrong-value', 'evidence.json/found/path');
  return {...bundle, made, case: case_, evidence, judgement, signedHistories, disclosures, found: named === undefined ? undefined : files.get(named)};
}
/** @type {(files: Map<string, Bytes>, path: string) => SignedHistory} */
const parseHistory = (files, path) => readDocument(files, path, value => {
  const envelope = openEnvelope(value, HISTORY_TYPE);
  /** @type {Subjects} */
  const history = parseCanonical(envelope.payload);
  historyForm(history);
  if (envelope.signatures.length !== 1 || envelope.signatures[0][1].length !== 64) fail('wrong-value'); // the service key stays Ed25519
  if (!isRising(history.indexes) || !isAscending(history.subjects)) fail('wrong-value');
  return {...envelope, history};
});
/** @type {(evidence: Evidence) => void} */
function verifyEvidenceOrder({found_rows: rows, records, marks, controls, mapping, custody, found}) {
  const refuse = (/** @type {string} */ where) => fail('wrong-value', `evidence.json/${where}`);
  if (!isRising(rows.map(item => item.row))) refuse('found_rows');
  if (
    records.some((item, i) => i && !(records[i - 1].file < item.file || (records[i - 1].file === item.file && records[i - 1].record < item.record)))
  )
    refuse('records');
  if (!isRising(marks.map(item => item.transfer))) refuse('marks');
  if (!isRising(controls.others.map(item => item.transfer))) refuse('controls/others');
  if (custody.some((item, i) => i && custody[i - 1].at_ms > item.at_ms)) refuse('custody');
  const isChunked = found.format === 'chunks', width = found.columns?.length ?? 0;
  if (isChunked === has(found, 'columns') || (has(found, 'delimiter') && found.format !== 'csv')) refuse('found');
  if (
    !isRising(mapping.map(item => item.column)) ||
    new Set(mapping.map(item => item.found)).size !== mapping.length ||
    mapping.some(item => item.found >= width)
  )
    refuse('mapping');
}
