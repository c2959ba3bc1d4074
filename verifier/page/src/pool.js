// @ts-check
// ── Marks from a sealed pool: the draw, what it weighs, what the mapping costs (docs/marks.md §9) ────────────────────

import {breathe, bytesOf, codePoints, fail, hex, utf8} from './bytes.js';
import {base64, codes, count, exactly, integer, listOf, members} from './forms.js';
import {canonical} from './json.js';
import {seenPositions, upMillibits, wordOf, wordScores} from './marks.js';
import {normalForm} from './normal.js';
import {parseRecord} from './records.js';
import {hmacOf, sha256} from './sha256.js';
import {MAX_ZIP} from './zip.js';

/** @type {Check} */
const columnText = value => {
  if (typeof value !== 'string') fail('wrong-type');
  if (value.length > 2000000 || codePoints(value) > 1000000) fail('wrong-value');
};
const poolRow = base64(0, MAX_ZIP);
const poolCommon = {type: exactly('provenance-ledger.pool/v1'), columns: listOf(columnText, 4096), key: base64(32, 32)};
const poolOfRows = members({...poolCommon, method: codes('canary', 'omission'), draws: count, rows: listOf(poolRow, 10000)});
const poolOfPositions = members({...poolCommon, method: exactly('tardos'), colluders: count, positions: listOf(members({
  bias: integer(2 ** 22, 2 ** 32 - 2 ** 22),
  rows: value => { listOf(poolRow, 2)(value); if (value.length !== 2) fail('wrong-value'); },
}), 100000)});

/**
 * An opened pool, with its rows as canonical records; throws where §9.1 is not kept.
 * @type {(value: Json, preparation: Pick<RecordedPreparation, 'method'>) => Pool}
 */
export function readPool(value, {method}) {
  (value.method === 'tardos' ? poolOfPositions : poolOfRows)(value);
  if (value.method !== method) fail('marks-differ-from-the-open', '/method');
  /** @type {string[]} */
  const rows = method === 'tardos' ? value.positions.flatMap((/** @type {Json} */ position) => position.rows) : value.rows;
  if (method !== 'tardos' && value.draws >= rows.length) fail('wrong-value', '/draws');
  if (new Set(rows).size !== rows.length) fail('wrong-value', '/rows');
  const cells = rows.map(row => parseRecord(bytesOf(row)) ?? fail('wrong-value', '/rows'));
  if (cells.some(record => record.length !== value.columns.length)) fail('wrong-value', '/rows');
  return {method, columns: value.columns, draws: value.draws ?? 0, positions: value.positions ?? [], rows, cells, hmac: hmacOf(bytesOf(value.key))};
}
/**
 * What nobody chose: of the ids of the preparation and of its request, and the sender's coin (§9.2).
 * @type {(preparation: string, request: string, coin: string) => string}
 */
export const seedOf = (preparation, request, coin) => hex(sha256(utf8(canonical(['provenance-ledger/draw/v1', preparation, request, coin]))));
/**
 * The numbers of the rows that are drawn: those of the least rank (§9.2).
 * @type {(pool: Pick<Pool, 'hmac' | 'rows' | 'draws'>, seed: string) => Set<number>}
 */
export function drawnOf({hmac, rows, draws}, seed) {
  const ranks = rows.map((_, i) => hex(hmac(utf8(`draw\n${seed}\n${i}`)))); // hexadecimal stands in the order of its bytes
  const order = ranks.map((_, i) => i).sort((a, b) => ranks[a] < ranks[b] ? -1 : ranks[a] > ranks[b] ? 1 : a - b);
  return new Set(order.slice(0, draws));
}
/**
 * The marks of one copy: what was drawn for it of a pool, of a preparation that was requested. `isPlanted` tells of a row whether the copy was said to carry it.
 * @type {(pool: Pool, preparation: RecordedPreparation, marks: PoolMarks) => Draw}
 */
export function drawFrom(pool, preparation, {coin, file, retired: without = []}) {
  const {method, bound, recipients, id, request} = preparation, seed = seedOf(id, /** @type {string} */ (request), coin.value), retired = new Set(without);
  const common = {pool, seed, retired, file, method, bound, recipients, origin: /** @type {const} */ ('pool'), rows: pool.rows, columns: pool.columns};
  if (method === 'tardos') {
    const word = wordOf(pool, seed, pool.positions.keys());
    return {...common, drawn: new Set(), isPlanted: i => i % 2 === word[i >> 1] && !retired.has(i >> 1)};
  }
  const drawn = drawnOf(pool, seed);
  return {...common, drawn, isPlanted: i => method === 'canary' && drawn.has(i) && !retired.has(i)};
}

/** @type {(n: number, k: number) => bigint} */
const choose = (n, k) => {
  let product = 1n;
  for (let i = 1; i <= Math.min(k, n - k); i += 1) product = product * BigInt(n - i + 1) / BigInt(i);
  return product;
};
/** @type {(n: bigint) => number} */
const log2Of = n => {
  const digits = n.toString(16), some = digits.slice(0, 14); // as many as a number holds without loss
  return Math.log2(parseInt(some, 16)) + 4 * (digits.length - some.length);
};
/**
 * −log2 of the chance that, of `k + c` rows chosen without regard to the draw, `k` or more are among the `drawn`; `others` were not drawn (§9.3).
 * Exact, in integers, up to the last logarithm.
 * @type {(drawn: number, others: number, k: number, c: number) => number}
 */
export function tailBits(drawn, others, k, c) {
  const hits = k + c;
  let term = choose(drawn, k) * choose(others, c), sum = term;
  for (let j = k; j < Math.min(drawn, hits); j += 1) {
    term = term * BigInt((drawn - j) * (hits - j)) / BigInt((j + 1) * (others - hits + j + 1));
    sum += term;
  }
  return Math.max(0, log2Of(choose(drawn + others, hits)) - log2Of(sum));
}

const READINGS = /** @type {const} */ (['text', 'comma', 'dmy', 'mdy']);
// A reading changes numbers and dates alone, by these marks; what is not ASCII may become one of them.
const READ_APART = /[-.,/]|[^\x00-\x7f]/;
const NOT_COMPARABLE = 0;
/** Normal forms as numbers: the same one for equal forms. */
class FormNumbers {
  numbers = /** @type {Map<Cell, number>} */ (new Map());
  /** @param {Cell | false} form */
  of(form) {
    if (form === false) return NOT_COMPARABLE;
    let number = this.numbers.get(form);
    if (number === undefined) { number = this.numbers.size + 1; this.numbers.set(form, number); }
    return number;
  }
}
/**
 * The normal forms of one found column under each reading, row by row; the very same list where a reading changes nothing.
 * @type {(rows: Cell[][], column: number, forms: FormNumbers) => Promise<Uint32Array[]>}
 */
async function readingsOf(rows, column, forms) {
  const plain = new Uint32Array(rows.length), lists = READINGS.map(() => plain);
  /** @type {Map<Cell, number[]>} */
  const known = new Map();
  for (const [i, row] of rows.entries()) {
    const cell = row[column] ?? null;
    let read = known.get(cell);
    if (!read) {
      const form = normalForm(cell), isReadApart = cell && form && /[0-9]/.test(form) && READ_APART.test(cell);
      read = READINGS.map(reading => forms.of(isReadApart ? normalForm(cell, reading) : form));
      if (known.size > 200000) known.clear();
      known.set(cell, read);
    }
    plain[i] = read[0];
    for (let at = 1; at < READINGS.length; at += 1) {
      if (lists[at] === plain && read[at] !== read[0]) lists[at] = plain.slice();
      if (lists[at] !== plain) lists[at][i] = read[at];
    }
    if (i % 5000 === 4999) await breathe();
  }
  return lists;
}
/** @type {(a: Uint32Array, b: Uint32Array) => boolean} */
const areSame = (a, b) => a === b || a.every((number, i) => number === b[i]);
/**
 * What it costs that the mapping was chosen after looking, in bits: for each column of the pool, how many found columns and readings would fit it (§9.3).
 * @type {(records: Cell[][], rows: Cell[][], width: number) => Promise<number>}
 */
export async function paidBits(records, rows, width) {
  const forms = new FormNumbers(), columns = records[0]?.length ?? 0;
  /** @type {Uint32Array[]} */
  const alternatives = [];
  for (let found = 0; found < width; found += 1)
    for (const list of new Set(await readingsOf(rows, found, forms))) if (!alternatives.some(other => areSame(other, list))) alternatives.push(list);
  const values = alternatives.map(list => new Set(list));
  let sum = 0;
  for (let j = 0; j < columns; j += 1) {
    /** @type {Set<number>} */
    const wanted = new Set();
    for (const record of records) {
      const form = normalForm(record[j]), number = form === false ? undefined : forms.numbers.get(form);
      if (number !== undefined) wanted.add(number);
    }
    sum += Math.log2(1 + values.filter(held => [...wanted].some(number => held.has(number))).length);
    await breathe();
  }
  return sum;
}

/**
 * Everything that the marks of a copy say of the found rows (§9.3). What only the whole file tells is taken as it is `said` where nobody read the file:
 * the price of the mapping, and what it lacks.
 * @type {(draw: Draw, rows: import('./marks.js').FoundRows, paid: number, said?: {found: number, others: number}) => PoolScore}
 */
export function scoreDraw(draw, rows, paid, said) {
  const {pool, method, drawn, retired, isPlanted} = draw, isWide = rows.mapping.every(({column}) => column < pool.columns.length);
  const isFound = pool.cells.map(cells => isWide && rows.has(cells));
  /** @type {(test: (i: number) => boolean) => number} */
  const countOf = test => { let n = 0; for (let i = 0; i < isFound.length; i += 1) if (test(i)) n += 1; return n; };
  if (method === 'tardos') {
    // Retired ones too: a sender that knows the word would retire where it differs from an innocent file.
    const seen = seenPositions(pool.positions, isFound), words = wordScores(pool, isFound, seen);
    const word = words(draw.seed), scoreFor = (/** @type {string} */ name) => Math.max(0, words(name) - paid), planted = countOf(i => isPlanted(i));
    return {
      paid, isFound, isPlanted, planted, plantedFound: countOf(i => isFound[i] && isPlanted(i)), word, scoreFor,
      seen: seen.length, different: rows.different(seen.filter(i => !retired.has(i)).map(i => pool.cells[isFound[2 * i] ? 2 * i : 2 * i + 1])), bits: word, score: Math.max(0, word - paid),
    };
  }
  const isHit = (/** @type {number} */ i) => isFound[i] === (method === 'canary'), others = isFound.length - drawn.size;
  const planted = countOf(i => drawn.has(i) && !retired.has(i));
  // No more than there are: else the score, which is compared with what is said, would be of a pool that nobody sealed.
  const found = said ? Math.min(said.found, planted) : countOf(i => drawn.has(i) && !retired.has(i) && isHit(i));
  const othersFound = said ? Math.min(said.others, others) : countOf(i => !drawn.has(i) && isHit(i));
  const bits = tailBits(drawn.size, others, found, othersFound);
  return {
    paid, isFound, isPlanted, planted, plantedFound: found, drawn: drawn.size, found, others, othersFound,
    different: said ? found : rows.different(pool.cells.filter((_, i) => drawn.has(i) && !retired.has(i) && isHit(i))), bits, score: Math.max(0, bits - paid),
  };
}
/**
 * From how many draws a claimant could choose: the listing's marked hand-offs to the recipient, and the sender's preparations for it that none of these names (§9.4).
 * @type {(preparations: Iterable<RecordedPreparation>, offer: RecordedTransfer, marked: RecordedTransfer[]) => number}
 */
export function triesOf(preparations, {listing, sender, recipient}, marked) {
  const named = new Set(marked.flatMap(({marks}) => marks && 'prepared' in marks ? [marks.prepared] : []));
  const unused = [...preparations].filter(item => item.listing === listing && item.sender === sender && item.recipient === recipient && !named.has(item.id));
  return marked.length + unused.length;
}
/**
 * How much a score has to be, in millibits (§9.4).
 * @type {(draw: Pick<Draw, 'recipients' | 'bound'>, recipients: number, tries: number) => number}
 */
export const neededOfPool = (draw, recipients, tries) =>
  upMillibits(Math.log2(Math.max(draw.recipients, recipients) / Number(draw.bound))) + upMillibits(Math.log2(tries));
