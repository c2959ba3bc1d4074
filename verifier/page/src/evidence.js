// @ts-check
// ── Records, the found file, matches, marks (docs/bundle.md §6) ──────────────────────────────────────────────────────

import {Doubt, Fault, byCodePoint, bytesOf, fail, hex, lookUp, sameBytes} from './bytes.js';
import {POOLED} from './documents.js';
import {NOT_READ} from './facts.js';
import {has} from './forms.js';
import {readTable} from './found.js';
import {canonical} from './json.js';
import {FoundRows, readSeal, scoreSeal} from './marks.js';
import {isComparable, rowEquals} from './normal.js';
import {drawFrom, paidBits, readPool, scoreDraw} from './pool.js';
import {openRecord, parseRecord, recordBytes} from './records.js';
import {fileDigest} from './sha256.js';
import {areAssigned} from './unicode.js';

const UNASSIGNED = 'unassigned-code-point';
/**
 * Note that two texts differ: as spellings of one may, if a later version of Unicode made either (docs/format.md §15.8).
 * @type {(report: Context['report'], cells: Cell[], reason: string, where: string) => void}
 */
const differ = (report, cells, reason, where) =>
  areAssigned(cells.join('')) ? fail(reason, where) : report.note(new Doubt(UNASSIGNED, where), 'found');

/** @type {(context: Context, tell: Tell) => Promise<void>} */
export async function verifyRecords(context, tell) {
  const {bundle: {evidence: {records}}, content} = context;
  context.records = new Map();
  if (!records.length) return;
  if (!content) fail('content-not-opened', 'disclosures.json');
  for (const [i, opened] of records.entries()) {
    const where = `evidence.json/records/${i}`, file = content.files[opened.file]?.records ?? fail('no-records', where);
    try {
      context.records.set(`${opened.file} ${opened.record}`, openRecord(opened, file));
    } catch (error) {
      if (error instanceof Fault) fail(error.reason, where);
      throw error;
    }
    if (i % 200 === 199) await tell(['record', i / records.length]);
  }
}
/** @type {(context: Context, file: Bytes | undefined) => Promise<void>} */
export async function verifyFound(context, file) {
  const {bundle: {evidence: {found, found_rows: named, mapping}}, report, story} = context, isTable = found.format !== 'chunks', columns = found.columns ?? [];
  /** @type {[row: number, said: {bytes: Bytes, cells: Cell[] | null}][]} */
  const told = named.map(({row, value}, i) => {
    const where = `evidence.json/found_rows/${i}`, bytes = bytesOf(value), cells = isTable ? parseRecord(bytes) : null;
    if (row >= found.count || (isTable && cells?.length !== columns.length)) fail('wrong-value', where);
    if (cells && !mapping.every(({found: at}) => isComparable(cells[at]))) report.note(new Doubt(UNASSIGNED, where), 'found');
    return [row, {bytes, cells}];
  });
  context.named = new Map(told);
  let rows = told.flatMap(([, {cells}]) => cells ? [cells] : []), unread = null;
  if (file) {
    if (file.length !== found.bytes || await fileDigest(file) !== found.sha256) fail('wrong-digest', found.name);
    if (!['csv', 'tsv', 'jsonl'].includes(found.format)) unread = new Doubt('format-not-read', found.format);
    else {
      try {
        const table = await readTable(file, found);
        if (canonical(table.columns) !== canonical(columns)) differ(report, [...table.columns, ...columns], 'wrong-columns', found.name);
        if (table.rows.length !== found.count) fail('wrong-count', found.name);
        for (const [row, {bytes, cells}] of told)
          if (!sameBytes(recordBytes(table.rows[row]), bytes)) differ(report, [...table.rows[row], ...cells ?? []], 'wrong-row', `row ${row}`);
        ({rows} = table);
      } catch (error) {
        if (!(error instanceof Doubt)) throw error;
        unread = error;
      }
    }
  }
  else unread = new Doubt(NOT_READ, 'evidence.json/found'); // else its marks, listed as its rows, would make any file at all derive from the copy
  story.isFoundRead = !unread;
  context.rows = isTable ? await new FoundRows(rows, mapping, found.count, columns.length).prepare() : null;
  if (unread) throw unread;
}
/** @type {(context: Context) => void} */
export function verifyMatches(context) {
  const {bundle: {evidence: {matches, mapping, found}}, records, named, content, report} = context;
  /** @type {NonNullable<Context['matched']>} */
  const matched = [];
  context.matched = matched;
  matches.forEach(({file, kind, record: number, row}, i) => {
    const where = `evidence.json/matches/${i}`,
      opened = records.get(`${file} ${number}`) ?? fail('record-not-opened', where),
      there = named.get(row) ?? fail('row-not-named', where);
    const isChunk = content?.files[file].records?.canonicalisation === 'chunks/v1';
    if (isChunk !== (found.format === 'chunks')) fail('no-match', where);
    const ours = opened.cells ?? [], theirs = there.cells ?? [];
    const compared = kind === 'exact' ? [...ours, ...theirs] : mapping.flatMap(({column, found: at}) => [ours[column], theirs[at]]);
    if (!compared.every(isComparable)) {
      report.note(new Doubt(UNASSIGNED, where), 'match');
      matched.push({file, whole: opened.whole});
      return;
    }
    const holds = kind === 'exact' ? opened.whole && sameBytes(opened.whole, there.bytes) : !isChunk && opened.cells && there.cells && rowEquals(opened.cells, there.cells, mapping);
    if (!holds) fail('no-match', where);
    matched.push({file, whole: opened.whole});
  });
}
/**
 * Read what is opened of marks; a fault names whose they are.
 * @type {<T>(kind: string, id: string, read: () => T) => T}
 */
const reading = (kind, id, read) => {
  try { return read(); } catch (error) {
    if (error instanceof Fault) fail(error.reason, `${kind} of ${id.slice(0, 15)}…${error.where}`);
    throw error;
  }
};
/**
 * The marks of every hand-off whose seal, or whose pool, is opened.
 * @type {(context: Context) => Map<string, Seal | Draw>}
 */
function openSeals({registry, byId}) {
  /** @type {Map<string, Pool>} */
  const pools = new Map();
  for (const preparation of registry.preparations.values()) {
    const value = lookUp(byId, preparation.id).contents.get('/seal');
    if (value) pools.set(preparation.id, reading('pool', preparation.id, () => readPool(value, preparation)));
  }
  /** @type {(transfer: RecordedTransfer) => Seal | Draw | undefined} */
  const sealOf = ({id, marks}) => {
    if (!marks || !('prepared' in marks)) {
      const value = lookUp(byId, id).contents.get('/marks/seal');
      return marks && value && reading('marks', id, () => readSeal(value, marks));
    }
    const pool = pools.get(marks.prepared);
    return pool && drawFrom(pool, lookUp(registry.preparations, marks.prepared), marks);
  };
  /** @type {Map<string, Seal | Draw>} */
  const seals = new Map();
  for (const transfer of registry.transfers.values()) {
    const seal = sealOf(transfer);
    if (!seal) continue;
    /** @type {Content | undefined} */
    const content = lookUp(byId, transfer.id).contents.get('/content');
    if (content) {
      const columns = content.files[seal.file]?.records?.columns;
      if (!columns || canonical(columns) !== canonical(seal.columns)) fail('other-columns', `marks of ${transfer.id.slice(0, 15)}…`);
    }
    seals.set(transfer.id, seal);
  }
  return seals;
}
/**
 * The members by which an item tells what marks it is of.
 * @type {(transfer: RecordedTransfer, seal: Seal | Draw | undefined) => string}
 */
const shapeOf = ({marks}, seal) => !seal ? 'status' : !marks || !('prepared' in marks) ? 'of' : seal.method === 'tardos' ? 'seen' : 'drawn';
/** @type {(context: Context) => Promise<void>} */
export async function verifyMarks(context) {
  const {bundle: {evidence: {type, marks}, case: case_}, registry, story, rows, matched = []} = context, seals = openSeals(context);
  const ofListing = [...registry.transfers.values()].filter(transfer => transfer.listing === case_.listing && transfer.marks);
  ofListing.sort((a, b) => byCodePoint(a.id, b.id));
  const toRespondent = ofListing.filter(transfer => transfer.recipient === case_.respondent);
  const status = (/** @type {string} */ transfer) => [transfer, seals.has(transfer) ? 'opened' : 'withheld'];
  if (canonical(marks.map(item => [item.transfer, item.status])) !== canonical(toRespondent.map(transfer => status(transfer.id))))
    fail('wrong-marks-listed', 'evidence.json/marks');
  if ((type === POOLED) !== toRespondent.some(({marks}) => marks && 'prepared' in marks)) fail('wrong-value', 'evidence.json/type');
  toRespondent.forEach((transfer, i) => { if (!has(marks[i], shapeOf(transfer, seals.get(transfer.id)))) fail('wrong-value', `evidence.json/marks/${i}`); });
  Object.assign(context, {seals, ofListing, toRespondent, own: seals.get(case_.transfer), scores: new Map()});
  Object.assign(story, {toRespondent, seals});
  if (!rows) return;
  await scoreAll(context, rows);
  const own = context.scores.get(case_.transfer), seal = context.own;
  if (!own || !seal) return;
  const shown = new Set(matched.flatMap(({file, whole}) => whole && file === seal.file ? [hex(whole)] : []));
  own.isFound.forEach((isFound, i) => {
    if (isFound && own.isPlanted(i) && !shown.has(hex(bytesOf(seal.rows[i])))) fail('mark-not-in-the-copy', `mark ${i}`);
  });
}
/**
 * Score what every opened seal of the listing says of the found rows.
 * @type {(context: Context, rows: FoundRows) => Promise<void>}
 */
async function scoreAll({bundle: {evidence: {marks}}, scores, seals, ofListing, story}, rows) {
  /** By pool: what the mapping costs. */
  const prices = /** @type {Map<Pool, number>} */ (new Map());
  for (const {id, recipient} of ofListing) {
    const seal = seals.get(id);
    if (!seal) continue;
    if (seal.origin !== 'pool') { scores.set(id, scoreSeal(seal, rows, recipient)); continue; }
    const {pool} = seal, item = marks.find(other => other.transfer === id);
    if (story.isFoundRead) {
      if (!prices.has(pool)) prices.set(pool, await paidBits(pool.cells, rows.rows, rows.width));
      scores.set(id, scoreDraw(seal, rows, lookUp(prices, pool)));
    } else { // what only the whole file tells is taken as it is written
      const paid = item && 'paid_millibits' in item ? item.paid_millibits / 1000 : 0;
      scores.set(id, scoreDraw(seal, rows, paid, item && 'drawn' in item && seal.method === 'omission' ? {found: item.found, others: item.others_found} : undefined));
    }
  }
}
