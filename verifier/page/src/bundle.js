// ── The bundle: its files, by their form alone (docs/bundle.md §1–§5) ────────────────────────────────────────────────

import {Fault, fail, isAscending} from './bytes.js';
import {disclosuresForm} from './disclosures.js';
import {
  FOR_PEOPLE, HISTORY_TYPE, caseForm, evidenceForm, historyForm, judgementForm, manifestForm,
} from './documents.js';
import {has} from './forms.js';
import {MAX_INTEGER, canonical, parseCanonical} from './json.js';
import {fileDigest} from './sha256.js';
import {openEnvelope} from './statements.js';
import {readZip} from './zip.js';

/** The value of a JSON file of a bundle: canonical, then LF, of a form. */
function parseDocument(files, path, form) {
  const bytes = files.get(path);
  try {
    if (bytes.at(-1) !== 10) fail('malformed', ' no line feed at its end');
    const value = parseCanonical(bytes.subarray(0, -1));
    form(value);
    return value;
  } catch (error) {
    if (error instanceof Fault) fail(error.reason, `${path}${error.where}`);
    throw error;
  }
}
const isRising = list => list.every((item, i) => i === 0 || list[i - 1] < item);
/** Everything that a bundle's bytes hold, by its form alone (§1–§5). */
export async function parseBundle(bytes, tell) {
  const files = await readZip(bytes), bundle = {files, entries: new Map(), receipts: new Map(), histories: [], tokens: 0};
  if (files.keys().next().value !== 'manifest.json') fail('missing', 'manifest.json, as the first member');
  const manifest = parseDocument(files, 'manifest.json', manifestForm), paths = manifest.files.map(item => item.path);
  if (!isAscending(paths)) fail('wrong-value', 'manifest.json/files');
  const listed = new Set(paths);
  for (const path of files.keys()) if (path !== 'manifest.json' && !listed.has(path)) fail('not-in-manifest', path);
  for (const {path, bytes: length, sha256: digest} of manifest.files) {
    const member = files.get(path);
    if (!member || path === 'manifest.json') fail('missing', path);
    if (member.length !== length || await fileDigest(member) !== digest) fail('wrong-digest', path);
  }
  for (const path of ['checkpoint.txt', 'entries/0.entry', 'case.json', 'evidence.json', 'judgement.json'])
    if (!files.has(path)) fail('missing', path);
  const found = [];
  for (const [path, member] of files) {
    const [, folder, n] = /^(entries|receipts|histories|timestamps)\/(0|[1-9][0-9]{0,15})\.(?:entry|tlog-proof|json|tsr)$/.exec(path) ?? [], isPath = folder && path === {
      entries: `entries/${n}.entry`, receipts: `receipts/${n}.tlog-proof`, histories: `histories/${n}.json`, timestamps: `timestamps/${n}.tsr`}[folder];
    if (isPath && (folder === 'entries' || folder === 'receipts') && Number(n) <= MAX_INTEGER) bundle[folder].set(Number(n), member);
    else if (isPath && folder === 'histories') bundle.histories.push(path);
    else if (isPath && folder === 'timestamps') bundle.tokens += 1;
    else if (/^found\/[a-z0-9._-]+$/.test(path)) found.push(path);
    // Older checkpoints bound times for whoever names roots of time-stamps; nothing here rests on them.
    else if (!/^timestamps\/(0|[1-9][0-9]{0,15})\.json$/.test(path) && !['manifest.json', 'checkpoint.txt', 'case.json', 'disclosures.json', 'evidence.json',
      'judgement.json', ...FOR_PEOPLE].includes(path)) fail('unknown-path', path);
  }
  for (const index of [...bundle.entries.keys(), ...bundle.receipts.keys()])
    if (!bundle.entries.has(index) || !bundle.receipts.has(index)) fail('missing', `entries/${index}.entry or its receipt`);
  await tell();
  bundle.made = manifest.made;
  bundle.case = parseDocument(files, 'case.json', caseForm);
  bundle.evidence = parseDocument(files, 'evidence.json', evidenceForm);
  bundle.judgement = parseDocument(files, 'judgement.json', judgementForm);
  bundle.signedHistories = new Map(bundle.histories.map(path => [path, parseHistory(files, path)]));
  if (files.get('disclosures.json')?.length > 2 ** 26) fail('too-large', 'disclosures.json');
  bundle.disclosures = files.has('disclosures.json') ? parseDocument(files, 'disclosures.json', disclosuresForm).disclosures : [];
  if (new Set(bundle.disclosures.map(item => `${item.statement_id} ${item.pointer}`)).size !== bundle.disclosures.length)
    fail('malformed', 'disclosures.json: a place twice');
  verifyEvidenceOrder(bundle.evidence);
  const named = bundle.evidence.found.path;
  if (canonical(found) !== canonical(named === undefined ? [] : [named])) fail('wrong-value', 'evidence.json/found/path');
  bundle.found = files.get(named);
  return bundle;
}
function parseHistory(files, path) {
  let read;
  parseDocument(files, path, envelope => {
    read = openEnvelope(envelope, HISTORY_TYPE);
    const history = parseCanonical(read.payload);
    historyForm(history);
    if (read.signatures.length !== 1 || read.signatures[0][1].length !== 64) fail('wrong-value'); // the service key stays Ed25519
    if (!isRising(history.indexes) || !isAscending(history.subjects)) fail('wrong-value');
    read.history = history;
  });
  return read;
}
function verifyEvidenceOrder({found_rows: rows, records, marks, controls, mapping, custody, found}) {
  const refuse = where => fail('wrong-value', `evidence.json/${where}`);
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
