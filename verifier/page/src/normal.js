// @ts-check
// ── Normal forms of cells, and when two rows are equal (docs/format.md §15) ──────────────────────────────────────────

import {areAssigned, toNfc} from './unicode.js';

/** @type {(value: string) => string} */
export const tidy = value => toNfc(value.replace(/\r\n?/g, '\n'));
/**
 * Digits without the zeros at their end; a pattern for it would take the square of their number.
 * @param {string} digits
 */
function withoutZeros(digits) {
  let end = digits.length;
  while (end > 0 && digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}
/**
 * `sign whole.fraction e exponent` as the shortest decimal without exponent; null where that is longer than `most`.
 * @type {(sign: string, whole: string, fraction: string, exponent: number, most: number) => string | null}
 */
export function exactDecimal(sign, whole, fraction, exponent, most) {
  let digits = (whole + fraction).replace(/^0+/, '');
  const point = digits.length - fraction.length + exponent;
  digits = withoutZeros(digits);
  if (!digits) return '0';
  if (Math.max(point, digits.length - point) > most) return null;
  const plain = point <= 0 ? `0.${'0'.repeat(-point)}${digits}`
    : point >= digits.length ? digits + '0'.repeat(point - digits.length) : `${digits.slice(0, point)}.${digits.slice(point)}`;
  const all = (sign === '-' ? '-' : '') + plain;
  return all.length <= most ? all : null;
}
export const NUMBER = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$/;

const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const MONTH = `(?<name>${[...MONTHS, ...MONTHS.map(month => month.slice(0, 3))].sort((a, b) => b.length - a.length).join('|')})`;
const [YEAR, MON, DAY] = ['(?<year>[0-9]{4})', '(?<month>[0-9]{1,2})', '(?<day>[0-9]{1,2})'];
const CLOCK =
  '(?:[ t](?<hour>[0-9]{2}):(?<minute>[0-9]{2})(?::(?<second>[0-9]{2})(?:\\.(?<fraction>[0-9]{1,9}))?)?(?:z|(?<sign>[+-])(?<offHour>[0-9]{2}):(?<offMinute>[0-9]{2}))?)?';
/** @type {(...forms: string[]) => RegExp[]} */
const dates = (...forms) =>
  [`${YEAR}(?<mark>[-/.])${MON}\\k<mark>${DAY}`, ...forms, `${DAY}(?<mark>[ -])${MONTH}\\k<mark>${YEAR}`, `${MONTH} ${DAY},? ${YEAR}`].map(
    form => new RegExp(`^${form}${CLOCK}$`),
  );
const DATES = {
  text: dates(),
  comma: dates(),
  dmy: dates(`${DAY}(?<mark>[-/.])${MON}\\k<mark>${YEAR}`),
  mdy: dates(`${MON}(?<mark>[-/.])${DAY}\\k<mark>${YEAR}`),
};
const IS_NUMBER = /^(?:[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?(?:e[+-]?[0-9]{1,3})?|[+-]?\.[0-9]+(?:e[+-]?[0-9]{1,3})?)$/;

/**
 * Whether a cell has a normal form, the same in every version of Unicode (§15.8).
 * @type {(cell: Cell | undefined) => boolean}
 */
export function isComparable(cell) {
  if (!areAssigned(cell ?? '')) return false;
  const whole = (cell ?? '').normalize('NFKC');
  return !whole.includes('\u03a3') || !/[\u0295\u{1171e}]/u.test(whole); // what is around a sigma decides its small form
}
/**
 * The normal form of a cell under a reading (§15.7); null for none, and false for a cell that is not comparable.
 * @type {(cell: Cell, reading?: Reading) => Cell | false}
 */
export function normalForm(cell, reading = 'text') {
  if (cell === null) return null;
  if (!isComparable(cell)) return false;
  const plain = cell.normalize('NFKC').toLowerCase().replace(/[\t-\r \x85\u1680\u2028\u2029]+/g, ' ').replace(/^ | $/g, '');
  if (!plain) return null;
  const swapped = reading === 'comma' ? plain.replace(/[.,]/g, mark => mark === '.' ? ',' : '.') : plain;
  if (IS_NUMBER.test(swapped)) {
    const [, sign, whole, fraction = '', exponent = '0'] = /** @type {RegExpExecArray} */ (NUMBER.exec(swapped.replaceAll(',', '')));
    return exactDecimal(sign, whole, fraction, Number(exponent), 100) ?? plain;
  }
  return (/[0-9z]$/.test(plain) && readDate(plain, reading)) || plain;
}
/** @type {(plain: string, reading: Reading) => string | null} */
function readDate(plain, reading) {
  const part = DATES[reading].map(form => form.exec(plain)).find(Boolean)?.groups;
  if (!part) return null;
  const month = part.name ? MONTHS.findIndex(name_ => name_.startsWith(part.name)) + 1 : Number(part.month), year = Number(part.year);
  const [day, hour, minute, second, offHour, offMinute] = ['day', 'hour', 'minute', 'second', 'offHour', 'offMinute'].map(unit =>
    Number(part[unit] ?? 0),
  );
  if (offMinute > 59 || offHour * 60 + offMinute > 840 || hour > 23 || minute > 59 || second > 59 || year < 1) return null;
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, day);
  if (moment.getUTCMonth() !== month - 1 || moment.getUTCDate() !== day) return null;
  moment.setUTCHours(hour, minute, second);
  moment.setTime(moment.getTime() + (part.sign === '-' ? 60000 : -60000) * (offHour * 60 + offMinute));
  if (moment.getUTCFullYear() < 1 || moment.getUTCFullYear() > 9999) return null;
  const iso = moment.toISOString(), fraction = (part.fraction ?? '').replace(/0+$/, ''), clock = iso.slice(11, 19);
  return iso.slice(0, 10) + (clock === '00:00:00' && !fraction ? '' : `t${clock}${fraction && `.${fraction}`}`);
}
/**
 * Whether a found row equals a record under a mapping; a column that was not opened equals nothing.
 * @type {(record: Cell[], found: Cell[], mapping: Mapping) => boolean}
 */
export const rowEquals = (record, found, mapping) => mapping.every(({column, found: at, reading}) => record[column] !== undefined
  && normalForm(record[column]) !== false && normalForm(record[column]) === normalForm(found[at], reading)) && mapping.some(({column}) => normalForm(record[column]) !== null);
