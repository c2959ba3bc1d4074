// @ts-check
// ── Found files, as tables (docs/format.md §15.3) ────────────────────────────────────────────────────────────────────

import {Doubt, breathe, byCodePoint, fail} from './bytes.js';
import {isObject} from './forms.js';
import {MAX_DEPTH, canonical, parseJson, readCellString} from './json.js';
import {NUMBER, exactDecimal, tidy} from './normal.js';

// Other encodings than these differ between decoders; of them this page says that it could not tell.
const ENCODINGS = new Set(['gb18030', 'gbk', 'koi8-r', 'macintosh', 'iso-8859-2', 'iso-8859-4', 'iso-8859-5', 'iso-8859-10', 'iso-8859-13', 'iso-8859-14', 'iso-8859-15',
  'iso-8859-16', ...[0, 1, 2, 4, 7, 8].map(n => `windows-125${n}`), 'utf-16le', 'utf-16be']);
/** @type {(bytes: Bytes, encoding: string | undefined) => string} */
function decodeText(bytes, encoding) {
  const named = encoding && encoding !== 'utf-8' && encoding !== 'utf-16';
  if (named && !ENCODINGS.has(encoding) && encoding !== 'iso-8859-1' && encoding !== 'us-ascii') throw new Doubt('unknown-encoding', encoding);
  if (encoding === 'iso-8859-1' || encoding === 'us-ascii') {
    if (encoding === 'us-ascii' && bytes.some(byte => byte > 127)) fail('malformed', 'encoding');
    const parts = [];
    for (let at = 0; at < bytes.length; at += 0x8000) parts.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
    return parts.join('');
  }
  /** @type {[length: number, name: string]} */
  const mark = named ? [0, encoding] : bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? [3, 'utf-8']
    : bytes[0] === 0xff && bytes[1] === 0xfe ? [2, 'utf-16le'] : bytes[0] === 0xfe && bytes[1] === 0xff ? [2, 'utf-16be'] : [0, 'utf-8'];
  let read;
  try { read = new TextDecoder(mark[1], {fatal: true, ignoreBOM: true}).decode(bytes.subarray(mark[0])); } catch { fail('malformed', 'encoding'); }
  if (encoding?.startsWith('windows-') && /[\x80-\x9f]/.test(read)) fail('malformed', 'encoding');
  return read;
}
/**
 * The columns and rows of a csv, tsv or jsonl file.
 * @type {(bytes: Bytes, how: {format: string, delimiter?: string, encoding?: string}) => Promise<{columns: string[], rows: Cell[][]}>}
 */
export async function readTable(bytes, {format, delimiter = ',', encoding}) {
  const read = decodeText(bytes, format === 'jsonl' ? undefined : encoding),
    table = format === 'jsonl' ? await readLines(read) : await readDelimited(read, format === 'tsv' ? '\t' : delimiter);
  if (table.columns.some(column => /[\x00-\x1f\x7f-\x9f]/.test(column))) fail('malformed', 'a control character in the name of a column');
  return table;
}
/** @type {(whole: string, delimiter: string) => Promise<{columns: string[], rows: Cell[][]}>} */
async function readDelimited(whole, delimiter) {
  const edge = delimiter === '|' ? '\\|' : delimiter,
    cell = new RegExp(`(?:"([^"]*(?:""[^"]*)*)"|([^"\\r\\n${edge}]*))(${edge}|\\r\\n|\\n|\\r|$)`, 'y');
  let at = 0, row = [], columns = null;
  const rows = [];
  while (at < whole.length || row.length) {
    cell.lastIndex = at;
    const match = cell.exec(whole) ?? fail('malformed', `character ${at}: a quote that does not belong there`), [, quoted, bare, end] = match;
    row.push(quoted === undefined ? tidy(bare) || null : tidy(quoted.replace(/""/g, '"')));
    at = cell.lastIndex;
    if (end === delimiter) continue;
    if (row.length > 1 || quoted !== undefined || bare) {
      if (columns === null) columns = row.map(column => column ?? '');
      else if (rows.push(row) && row.length !== columns.length) fail('malformed', `row ${rows.length - 1} has ${row.length} cells`);
      if (rows.length % 20000 === 19999) await breathe();
    }
    row = [];
  }
  return columns ? {columns, rows} : fail('malformed', 'no first line');
}
/** @type {(whole: string) => Promise<{columns: string[], rows: Cell[][]}>} */
async function readLines(whole) {
  const objects = [], names = new Set();
  // Strings come from the parser in tidy form, numbers as exact decimals: what has no members is a string by then.
  const string = (/** @type {string} */ literal) => tidy(readCellString(literal));
  const number = (/** @type {string} */ literal) => {
    const [, sign, digits, fraction = '', exponent = '0'] = /** @type {RegExpExecArray} */ (NUMBER.exec(literal));
    return {number: exactDecimal(sign, digits, fraction, Number(exponent), 1000) ?? fail('malformed', 'a long number')};
  };
  /** @type {(value: Json) => Json} */
  const plain = value => value === null ? null : typeof value === 'boolean' ? String(value) : typeof value !== 'object' ? value
    : Array.isArray(value) ? value.map(plain) : value instanceof Object ? value.number
      : Object.assign(Object.create(null), Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)])));
  for (const [i, one] of whole.split('\n').entries()) {
    if (/^[ \t\r]*$/.test(one)) continue;
    const value = parseJson(one, {string, number, depth: MAX_DEPTH + 1}); // the object, and depth 1 … 16 in it
    if (!isObject(value) || value instanceof Object) fail('malformed', `line ${i} is not an object`);
    for (const key in value) {
      names.add(key);
      const member = plain(value[key]);
      value[key] = member === null || typeof member === 'string' ? member : canonical(member);
    }
    objects.push(value);
    if (i % 20000 === 19999) await breathe();
  }
  const columns = [...names].sort(byCodePoint);
  if (!columns.length) fail('malformed', 'no column');
  return {columns, rows: objects.map(object => columns.map(column => object[column] ?? null))};
}
