// @ts-check
// ── ML-DSA-44 (FIPS 204; docs/format.md §3.5): browsers have it or have it not, so that all compute it here ──────────

import {sameBytes} from './bytes.js';
import {shake, shake256} from './keccak.js';

// A polynomial is 256 integers in [0, Q); its products stay below 2^46 and their sums below 2^49, exact in doubles.

const Q = 8380417, TAU = 39, GAMMA1 = 2 ** 17, GAMMA2 = (Q - 1) / 88, BETA = 78, OMEGA = 80, ROWS = 4, COLUMNS = 4, DROPPED = 2 ** 13;
export const LASTING_KEY = 1312, LASTING_SIGNATURE = 2420;
/** @type {(x: number) => number} */
const positive = x => (x %= Q) < 0 ? x + Q : x;

/**
 * 256 integers of `width` bits each, the lowest first (algorithm 18, SimpleBitUnpack).
 * @type {(bytes: Uint8Array, width: number) => Int32Array}
 */
function unpack(bytes, width) {
  const values = new Int32Array(256);
  for (let i = 0, at = 0, held = 0, bits = 0; i < 256; i += 1, held >>>= width, bits -= width) {
    for (; bits < width; bits += 8) held |= bytes[at++] << bits;
    values[i] = held & 2 ** width - 1;
  }
  return values;
}
/**
 * The bytes of 256 integers of 6 bits each (algorithm 28, w1Encode, of one polynomial).
 * @type {(values: Int32Array) => Bytes}
 */
function pack6(values) {
  const bytes = new Uint8Array(192);
  for (let i = 0, at = 0; i < 256; i += 4, at += 3) {
    const word = values[i] | values[i + 1] << 6 | values[i + 2] << 12 | values[i + 3] << 18;
    bytes.set([word, word >> 8, word >> 16], at);
  }
  return bytes;
}
/**
 * ρ and the polynomials t1 of a public key (algorithm 23, pkDecode).
 * @type {(key: Bytes) => [seed: Bytes, t1: Int32Array[]]}
 */
const decodeLastingKey = key => [key.subarray(0, 32), Array.from({length: ROWS}, (_, row) => unpack(key.subarray(32 + 320 * row), 10))];
/**
 * c~, the polynomials z, centred, and the hints of a signature; no hints where they are not well formed (algorithm 27, sigDecode).
 * @type {(signature: Bytes) => [challenge: Bytes, z: Int32Array[], hints: Uint8Array[] | null]}
 */
const decodeLastingSignature = signature => [
  signature.subarray(0, 32),
  Array.from({length: COLUMNS}, (_, i) => unpack(signature.subarray(32 + 576 * i), 18).map(value => GAMMA1 - value)),
  unpackHints(signature.subarray(32 + 576 * COLUMNS)),
];
/**
 * For each row, 256 hints; null unless indices ascend strictly, counts never fall, and nothing stands behind them (algorithm 21, HintBitUnpack).
 * @type {(bytes: Uint8Array) => Uint8Array[] | null}
 */
function unpackHints(bytes) {
  const hints = [];
  let at = 0;
  for (let row = 0; row < ROWS; row += 1) {
    const end = bytes[OMEGA + row], own = new Uint8Array(256);
    if (end < at || end > OMEGA) return null;
    for (const first = at; at < end; at += 1) {
      if (at > first && bytes[at - 1] >= bytes[at]) return null;
      own[bytes[at]] = 1;
    }
    hints.push(own);
  }
  return bytes.subarray(at, OMEGA).every(byte => byte === 0) ? hints : null;
}
/**
 * A polynomial of uniform coefficients, in the NTT's domain (algorithm 30, RejNTTPoly, with 14, CoeffFromThreeBytes).
 * @type {(seed: Bytes, column: number, row: number) => Int32Array}
 */
function sampleUniform(seed, column, row) {
  const next = shake(168, seed, [column, row]), values = new Int32Array(256);
  for (let i = 0; i < 256;) {
    const value = next() | next() << 8 | (next() & 127) << 16;
    if (value < Q) values[i++] = value;
  }
  return values;
}
/**
 * The challenge, of TAU coefficients ±1 (algorithm 29, SampleInBall).
 * @type {(seed: Bytes) => Int32Array}
 */
function sampleInBall(seed) {
  const next = shake(136, seed), signs = Array.from({length: 8}, next), values = new Int32Array(256);
  for (let i = 256 - TAU, n = 0; i < 256; i += 1, n += 1) {
    let place = next();
    while (place > i) place = next();
    values[i] = values[place];
    values[place] = signs[n >> 3] >> (n & 7) & 1 ? Q - 1 : 1;
  }
  return values;
}
/** 1753 to the power of n's eight bits, reversed (FIPS 204, appendix B). */
const ZETAS = (() => {
  const powers = [1], reversed = (/** @type {number} */ n) => { let r = 0; for (let bit = 0; bit < 8; bit += 1) r |= (n >> bit & 1) << 7 - bit; return r; };
  while (powers.length < 256) powers.push(powers[powers.length - 1] * 1753 % Q);
  return Int32Array.from(powers, (_, n) => powers[reversed(n)]);
})();
/**
 * The number-theoretic transform of integers of any sign (algorithm 41, NTT).
 * @type {(polynomial: Int32Array) => Int32Array}
 */
function transform(polynomial) {
  const values = polynomial.map(positive);
  for (let length = 128, m = 1; length > 0; length >>= 1)
    for (let start = 0; start < 256; start += 2 * length, m += 1)
      for (let j = start; j < start + length; j += 1) {
        const term = ZETAS[m] * values[j + length] % Q;
        values[j + length] = positive(values[j] - term);
        values[j] = (values[j] + term) % Q;
      }
  return values;
}
/**
 * Its inverse, in place (algorithm 42, NTT⁻¹); 8347681 is the inverse of 256.
 * @type {(values: Int32Array) => Int32Array}
 */
function transformBack(values) {
  for (let length = 1, m = 255; length < 256; length *= 2)
    for (let start = 0; start < 256; start += 2 * length, m -= 1)
      for (let j = start; j < start + length; j += 1) {
        const left = values[j];
        values[j] = (left + values[j + length]) % Q;
        values[j + length] = ZETAS[m] * positive(values[j + length] - left) % Q;
      }
  return values.map(value => value * 8347681 % Q);
}
/**
 * The high bits of a coefficient, moved by one step where a hint says so (algorithm 40, UseHint, with 36, Decompose).
 * @type {(hint: number, value: number) => number}
 */
function useHint(hint, value) {
  let low = value % (2 * GAMMA2);
  if (low > GAMMA2) low -= 2 * GAMMA2;
  const high = (value - low) / (2 * GAMMA2) % 44; // the topmost, 44, stands with 0, and no sign of its low bits changes by that
  return hint ? (high + (low > 0 ? 1 : 43)) % 44 : high;
}
/**
 * Whether a signature over `message`, of the empty context, is valid (algorithms 3, ML-DSA.Verify, and 8, Verify_internal).
 * @type {(key: Bytes, message: Bytes, signature: Bytes) => boolean}
 */
export function isMlDsaSigned(key, message, signature) {
  if (key.length !== LASTING_KEY || signature.length !== LASTING_SIGNATURE) return false;
  const [seed, t1] = decodeLastingKey(key), [challenge, z, hints] = decodeLastingSignature(signature);
  if (hints === null || z.some(polynomial => polynomial.some(value => Math.abs(value) >= GAMMA1 - BETA))) return false;
  const mu = shake256(64, shake256(64, key), [0, 0], message), c = transform(sampleInBall(challenge)), zs = z.map(transform);
  const high = t1.map((polynomial, row) => {
    const t = transform(polynomial.map(value => value * DROPPED)), matrix = zs.map((_, column) => sampleUniform(seed, column, row)); // algorithm 32, ExpandA
    const sum = t.map((value, i) => positive(zs.reduce((total, own, column) => total + matrix[column][i] * own[i], 0) - c[i] * value));
    return pack6(transformBack(sum).map((value, i) => useHint(hints[row][i], value)));
  });
  return sameBytes(shake256(32, mu, ...high), challenge);
}
