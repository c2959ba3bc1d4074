// @ts-check
// ── Records: canonical rows, chunks, what is opened of them (docs/format.md §15) ─────────────────────────────────────

import {Fault, bytesOf, concat, fail, hex, readUtf8, unhex, utf8} from './bytes.js';
import {base64, has, integer, isObject, listOf, members, size} from './forms.js';
import {canonical, parseJson, readCellString} from './json.js';
import {sha256} from './sha256.js';
import {leafHash, rootByPath} from './tree.js';
import {MAX_ZIP} from './zip.js';

/** @type {(cells: Cell[]) => Bytes} */
export const recordBytes = cells => utf8(JSON.stringify(cells));
/**
 * The value of canonical bytes in which control characters are allowed; undefined for anything else.
 * @type {(bytes: Bytes) => Json}
 */
const parseCells = bytes => {
  const read = readUtf8(bytes);
  if (read === null) return undefined;
  try {
    const value = parseJson(read, {string: readCellString, depth: 1});
    return canonical(value) === read ? value : undefined;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
};
/**
 * The cells of a canonical record; null for bytes that are none.
 * @type {(bytes: Bytes) => Cell[] | null}
 */
export const parseRecord = bytes => {
  const cells = parseCells(bytes);
  return Array.isArray(cells) && cells.every(cell => cell === null || typeof cell === 'string') ? cells : null;
};

/** The length of every chunk of a file (§15.4). */
const GEAR = () =>
  Uint32Array.from({length: 256}, (_, byte) =>
    new DataView(sha256(concat(utf8('provenance-ledger/gear/v1'), Uint8Array.of(byte))).buffer).getUint32(0),
  );
/** @type {(bytes: Bytes) => number[]} */
export function chunkEnds(bytes) {
  const gear = GEAR(), ends = [];
  let h = 0, start = 0;
  for (let i = 0; i < bytes.length; i += 1) {
    h = (h << 1) + gear[bytes[i]] >>> 0; // what is 32 bytes back has been shifted out
    const length = i + 1 - start;
    if (length === 65536 || (length >= 2048 && h % 8192 === 0)) { ends.push(i + 1); start = i + 1; }
  }
  if (start < bytes.length) ends.push(bytes.length);
  return ends;
}
const path64 = listOf(base64(32, 32), 53, 0);
/** @type {Check} */
export const openedForm = value => (isObject(value) && has(value, 'cells')
  ? members({cells: value_ => {
    listOf(members({column: integer(1, 4096), path: path64, salt: base64(16, 16), value: base64(0, MAX_ZIP)}), 4096)(value_);
    if (value_.some((/** @type {Json} */ cell, /** @type {number} */ i) => i && value_[i - 1].column >= cell.column)) fail('wrong-value');
  }, file: size, path: path64, record: size, salt: base64(16, 16)})
  : members({file: size, path: path64, record: size, salt: base64(16, 16), value: base64(0, MAX_ZIP)}))(value);
/**
 * Check that an opened record is of a file's `records`; returns its cells by column (null for a chunk) and bytes, if whole.
 * @type {(opened: Json, records: Json) => {cells: Cell[] | null, whole: Bytes | null}}
 */
export function openRecord(opened, records) {
  const isRows = records.canonicalisation === 'rows/v1',
    path = opened.path.map(bytesOf),
    leaf = (/** @type {string} */ salt, /** @type {Bytes} */ value) => leafHash(concat(bytesOf(salt), value));
  let value, cells = null, whole = null;
  if (isRows && records.redactable) {
    if (!has(opened, 'cells')) fail('cells');
    const roots = new Set();
    cells = [];
    for (const cell of opened.cells) {
      const bytes = bytesOf(cell.value), parsed = parseCells(bytes);
      if (parsed !== null && typeof parsed !== 'string') fail('not-a-cell');
      cells[cell.column - 1] = parsed;
      roots.add(hex(rootByPath(leaf(cell.salt, bytes), cell.column - 1, records.columns.length, cell.path.map(bytesOf)) ?? fail('cell-path')));
    }
    if (roots.size !== 1) fail('cell-path');
    value = unhex([...roots][0]);
    if (opened.cells.length === records.columns.length) whole = recordBytes(cells);
  } else {
    if (!has(opened, 'value')) fail('cells');
    value = whole = bytesOf(opened.value);
    if (isRows) { cells = parseRecord(value); if (cells?.length !== records.columns.length) fail('not-a-record'); }
    else if (value.length < 1 || value.length > 65536) fail('not-a-chunk');
  }
  const root = rootByPath(leaf(opened.salt, value), opened.record, records.count, path);
  if (!root || hex(root) !== records.root) fail('record-path');
  return {cells, whole};
}
