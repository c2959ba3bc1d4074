// @ts-check
// ── Marks (docs/marks.md) ────────────────────────────────────────────────────────────────────────────────────────────

import {breathe, bytesOf, fail, utf8} from './bytes.js';
import {anyText, base64, codes, count, exactly, has, integer, listOf, matching, members, size} from './forms.js';
import {normalForm} from './normal.js';
import {parseRecord} from './records.js';
import {hmacOf} from './sha256.js';

export const MOST_MILLIBITS = 2 ** 31;
/** @type {(bits: number) => number} */
export const millibits = bits => Math.min(MOST_MILLIBITS, Math.floor(1000 * bits + 1e-6));
/** @type {(bits: number) => number} */
export const upMillibits = bits => Math.ceil(1000 * bits - 1e-6);
/** @type {(said: number, computed: number) => boolean} */
export const isClose = (said, computed) => Math.abs(said - computed) <= 2;
const markRows = listOf(base64(0, 65536), 10000);
const marksCommon = {
  type: exactly('provenance-ledger.marks/v1'), bound: matching(/^0\.(?!0*$)[0-9]{1,30}$/), threshold_millibits: count, recipients: count, file: size,
  columns: listOf(anyText, 4096), bits: listOf(integer(0, 1000), 4096), origin: codes('brought', 'drawn'), key: base64(32, 32),
};
/** @type {Record<string, Check>} */
const marksForms = {
  canary: members({...marksCommon, method: exactly('canary'), rows: markRows, controls: listOf(base64(0, 65536), 10000, 0)}),
  tardos: members({...marksCommon, method: exactly('tardos'), colluders: count,
    positions: listOf(members({bias: integer(2 ** 22, 2 ** 32 - 2 ** 22), rows: value => { listOf(base64(0, 65536), 2)(value); if (value.length !== 2) fail('wrong-value'); }}), 100000)}),
};
/**
 * An opened seal, with its rows as canonical records; throws where marks.md §3 is not kept.
 * @type {(value: Json, open: OpenMarks) => Seal}
 */
export function readSeal(value, open) {
  (has(marksForms, value.method) ? marksForms[value.method] : () => fail('wrong-value', '/method'))(value);
  for (const field of /** @type {const} */ (['method', 'bound', 'threshold_millibits'])) if (value[field] !== open[field]) fail('marks-differ-from-the-open', `/${field}`);
  if (value.bits.length !== value.columns.length) fail('wrong-value', '/bits');
  if (value.threshold_millibits < upMillibits(Math.log2(value.recipients / Number(value.bound)))) fail('wrong-value', '/threshold_millibits');
  const isCanary = value.method === 'canary';
  /** @type {string[]} */
  const rows = isCanary ? value.rows : value.positions.flatMap((/** @type {TardosSeal['positions'][0]} */ position) => position.rows);
  if (isCanary && value.controls.length !== (value.origin === 'drawn' ? rows.length : 0)) fail('wrong-value', '/controls');
  const all = [...rows, ...(isCanary ? value.controls : [])];
  if (new Set(all).size !== all.length) fail('wrong-value', '/rows');
  const cells = all.map(row => parseRecord(bytesOf(row)) ?? fail('wrong-value', '/rows'));
  if (cells.some(record_ => record_.length !== value.columns.length)) fail('wrong-value', '/rows');
  return {...value, rows, cells: cells.slice(0, rows.length), controlCells: cells.slice(rows.length), hmac: hmacOf(bytesOf(value.key))};
}
/**
 * The bits of a name at the positions asked for (§3 *Words*).
 * @type {(seal: Pick<TardosSeal, 'hmac' | 'positions'>, name: string, positions: Iterable<number>) => number[]}
 */
export function wordOf(seal, name_, positions) {
  const bits = [];
  let block = -1, digest = new Uint8Array(0);
  for (const i of positions) {
    if (i >> 3 !== block) { block = i >> 3; digest = seal.hmac(utf8(`word\n${name_}\n${block}`)); }
    const at = 4 * (i & 7), u = (digest[at] << 24 | digest[at + 1] << 16 | digest[at + 2] << 8 | digest[at + 3]) >>> 0;
    bits.push(u < seal.positions[i].bias ? 1 : 0);
  }
  return bits;
}
/** @type {(n: number, k: number) => number} */
const log2Choose = (n, k) => { let sum = 0; for (let i = 1; i <= k; i += 1) sum += Math.log2((n - k + i) / i); return sum; };
/** @type {(p: number, x: number, y: number) => number} */
const agreement = (p, x, y) => x === y ? Math.sqrt(y ? (1 - p) / p : p / (1 - p)) : -Math.sqrt(y ? p / (1 - p) : (1 - p) / p);

/** The rows of a found file under a mapping: `has` answers whether some row equals a record. */
export class FoundRows {
  /** The rows that are not empty under the mapping, in their normal form; null until `prepare` has read them. */
  keys = /** @type {Set<string> | null} */ (null);

  /**
   * `rows` may be some of the `count` that the file has.
   * @param {Cell[][]} rows
   * @param {Mapping} mapping
   * @param {number} count_
   * @param {number} columns
   */
  constructor(rows, mapping, count_, columns) {
    this.rows = rows;
    this.mapping = mapping;
    this.count = count_;
    this.width = columns;
  }
  async prepare() {
    /** @type {Map<Cell, Cell | false>[]} */
    const caches = this.mapping.map(() => new Map()), keys = new Set();
    for (const [i, row] of this.rows.entries()) {
      const key = this.mapping.map(({found, reading}, at) => {
        const cell = row[found] ?? null;
        if (!caches[at].has(cell)) { if (caches[at].size > 200000) caches[at].clear(); caches[at].set(cell, normalForm(cell, reading)); }
        return caches[at].get(cell) ?? null;
      });
      if (!key.includes(false) && key.some(part => part !== null)) keys.add(JSON.stringify(key));
      if (i % 5000 === 4999) await breathe();
    }
    this.keys = keys;
    return this;
  }
  /**
   * What a record is compared by.
   * @param {Cell[]} cells
   */
  keyOf(cells) { return JSON.stringify(this.mapping.map(({column}) => normalForm(cells[column] ?? null))); }
  /**
   * A cell that is not comparable gives `false`, which is in no key.
   * @param {Cell[]} cells
   */
  has(cells) { return /** @type {Set<string>} */ (this.keys).has(this.keyOf(cells)); }
  /**
   * How many different rows of the file show these records: what the mapped columns do not tell apart is one.
   * @param {Cell[][]} records
   */
  different(records) { return new Set(records.map(cells => this.keyOf(cells))).size; }
}
/** @type {(seal: Seal, rows: FoundRows) => number[]} */
const mappedBits = (seal, rows) =>
  rows.mapping.some(({column}) => column >= seal.bits.length) ? [] : rows.mapping.map(({column}) => seal.bits[column]);
/**
 * Which of these records are found; none where the mapped columns hold too little chance (§4).
 * @type {(seal: Seal, rows: FoundRows, records: Cell[][]) => boolean[]}
 */
export const findMarks = (seal, rows, records) =>
  mappedBits(seal, rows).reduce((a, b) => a + b, 0) < 8 ? records.map(() => false) : records.map(cells => rows.has(cells));
/**
 * The chance score: `found` of `all` rows of a seal are in the file (§4 *Chance*).
 * @type {(seal: Seal, rows: FoundRows, all: number, found: number) => number}
 */
export function chanceBits(seal, rows, all, found) {
  if (!found) return 0;
  const bits = mappedBits(seal, rows), total = bits.reduce((a, b) => a + b, 0), drawn = seal.bits.filter(b => b > 0).length;
  return Math.max(
    0,
    total * found - found * Math.log2(rows.count) - log2Choose(all, found) - bits.filter(b => b > 0).length * Math.log2(4 * rows.width) - drawn,
  );
}
/**
 * The positions that are seen: those of which one row is found, and not the other (§4 *Word*).
 * @type {(positions: TardosSeal['positions'], isFound: boolean[]) => number[]}
 */
export const seenPositions = (positions, isFound) => [...positions.keys()].filter(i => isFound[2 * i] !== isFound[2 * i + 1]);
/**
 * A function from names to their word score over the positions seen, in bits (§4 *Word*).
 * @type {(seal: Pick<TardosSeal, 'hmac' | 'positions'>, isFound: boolean[], positions: number[]) => (name: string) => number}
 */
export function wordScores(seal, isFound, positions) {
  const seen = positions.map(i => ({i, p: seal.positions[i].bias / 2 ** 32, y: isFound[2 * i + 1] ? 1 : 0}));
  const costs = Array.from({length: 256}, (_, step) => {
    const lambda = (step + 1) / 64;
    return seen.reduce(
      (sum, {p, y}) => sum + Math.log2(p * Math.exp(lambda * agreement(p, 1, y)) + (1 - p) * Math.exp(lambda * agreement(p, 0, y))),
      0,
    );
  });
  return name_ => {
    const bits = wordOf(seal, name_, positions), sum = seen.reduce((all, {p, y}, at) => all + agreement(p, bits[at], y), 0);
    return costs.reduce((most, cost, step) => Math.max(most, (step + 1) / 64 * sum * Math.LOG2E - cost), 0);
  };
}
/**
 * Everything that an opened seal says of the found rows, for the recipient of its copy.
 * @type {(seal: Seal, rows: FoundRows, recipient: string) => Score}
 */
export function scoreSeal(seal, rows, recipient) {
  const isFound = findMarks(seal, rows, seal.cells), found = isFound.filter(Boolean).length, of = seal.cells.length;
  const chance = chanceBits(seal, rows, of, found);
  if (seal.method === 'canary') return {found, of, chance, bits: chance, score: chance, planted: of, plantedFound: found, isFound, isPlanted: () => true,
    different: rows.different(seal.cells.filter((_, i) => isFound[i]))};
  const wordFor = wordScores(seal, isFound, seenPositions(seal.positions, isFound)), word = wordFor(recipient), own = wordOf(seal, recipient, seal.positions.keys());
  const isPlanted = (/** @type {number} */ i) => i % 2 === own[i >> 1];
  const plantedFound = isFound.filter((isIt, i) => isIt && isPlanted(i)).length;
  const different = rows.different(seal.cells.filter((_, i) => isFound[i] && !isFound[i ^ 1])); // of positions that are seen
  return {found, of, chance, bits: chance, word, wordFor, scoreFor: name_ => Math.min(wordFor(name_), chance), score: Math.min(word, chance),
    planted: own.length, plantedFound, isFound, isPlanted, different};
}
/**
 * How much a score has to be, in millibits (§5).
 * @type {(seal: Pick<Seal, 'threshold_millibits' | 'recipients' | 'bound'>, recipients: number, seals: number) => number}
 */
export const needed = (seal, recipients, seals) =>
  Math.max(seal.threshold_millibits, upMillibits(Math.log2(Math.max(seal.recipients, recipients) / Number(seal.bound)))) +
  upMillibits(Math.log2(seals));
/**
 * How surprising k of n is where each is there with probability s (§5 *Hypotheses*), in bits.
 * @type {(n: number, k: number, s: number) => number}
 */
export function surpriseBits(n, k, s) {
  const term = (/** @type {number} */ i) => (i ? (s ? i * Math.log2(s) : -Infinity) : 0) + (n - i ? (s < 1 ? (n - i) * Math.log2(1 - s) : -Infinity) : 0) + log2Choose(n, i);
  const tail = (/** @type {number} */ from, /** @type {number} */ to) => {
    const logs = Array.from({length: to - from + 1}, (_, i) => term(from + i)), top = Math.max(...logs);
    return top === -Infinity ? -Infinity : top + Math.log2(logs.reduce((sum, x) => sum + 2 ** (x - top), 0));
  };
  return -Math.min(0, 1 + Math.min(tail(0, k), tail(k, n)));
}
