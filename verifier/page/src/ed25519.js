// @ts-check
// ── Ed25519 (docs/format.md §3): WebCrypto alone accepts weak keys, so points are checked here, in BigInt ────────────

import {concat, hex, sameBytes, unhex} from './bytes.js';
import {digestOf} from './sha256.js';

const P = 2n ** 255n - 19n, L = 2n ** 252n + 27742317777372353535851937790883648493n;
/** @type {(x: bigint) => bigint} */
const mod = x => (x %= P) < 0n ? x + P : x;
/** @type {(base: bigint, exponent: bigint) => bigint} */
const power = (base, exponent) => {
  let result = 1n;
  for (base = mod(base); exponent; exponent >>= 1n, base = base * base % P) if (exponent & 1n) result = result * base % P;
  return result;
};
const D = mod(-121665n * power(121666n, P - 2n)), ROOT = power(2n, (P - 1n) / 4n);
const IDENTITY = /** @type {Point} */ ([0n, 1n, 1n, 0n]);
/** @type {(bytes: Uint8Array) => bigint} */
const littleEndian = bytes => BigInt(`0x${hex(Uint8Array.from(bytes).reverse())}`);

/**
 * Extended coordinates of the point that 32 bytes are the canonical encoding of; null for anything else.
 * @type {(bytes: Uint8Array) => Point | null}
 */
function decodePoint(bytes) {
  const sign = bytes[31] >> 7, y = littleEndian(bytes) & 2n ** 255n - 1n;
  if (y >= P) return null;
  const u = mod(y * y - 1n), v = mod(D * y * y + 1n);
  let x = mod(u * v ** 3n * power(u * v ** 7n, (P - 5n) / 8n));
  if (mod(v * x * x) !== u) x = mod(x * ROOT);
  if (mod(v * x * x) !== u || (x === 0n && sign)) return null;
  if (Number(x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}
/** @type {(p: Point, q: Point) => Point} */
function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = (y1 - x1) * (y2 - x2) % P, b = (y1 + x1) * (y2 + x2) % P, c = 2n * t1 * t2 * D % P, d = 2n * z1 * z2 % P;
  const e = b - a, f = d - c, g = d + c, h = b + a;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}
/** @type {(point: Point, scalar: bigint) => Point} */
function multiply(point, scalar) {
  let result = IDENTITY;
  for (const bit of scalar.toString(2)) { result = add(result, result); if (bit === '1') result = add(result, point); }
  return result;
}
/** @type {(point: Point) => Bytes} */
const encodePoint = ([x, y, z]) => {
  const inverse = power(z, P - 2n), bytes = unhex(mod(y * inverse).toString(16).padStart(64, '0')).reverse();
  bytes[31] |= Number(mod(x * inverse) & 1n) << 7;
  return bytes;
};
/** @type {(point: Point) => boolean} */
const isIdentity = ([x, y, z]) => mod(x) === 0n && mod(y - z) === 0n;
const BASE = /** @type {Point} */ (decodePoint(unhex('5866666666666666666666666666666666666666666666666666666666666666')));

/** @type {Map<string, Point | null>} */
const strongKeys = new Map();
/**
 * §3.3: the canonical encoding of a point of the prime-order subgroup other than the identity.
 * @type {(key: Bytes) => boolean}
 */
export function isStrong(key) {
  const name = hex(key);
  if (!strongKeys.has(name)) {
    const point = key.length === 32 ? decodePoint(key) : null;
    strongKeys.set(name, point !== null && !isIdentity(point) && isIdentity(multiply(point, L)) ? point : null);
  }
  return strongKeys.get(name) !== null;
}
/** @type {Promise<boolean> | null} */
let nativeEd25519 = null;
/** @type {() => Promise<boolean>} */
const hasEd25519 = () =>
  (nativeEd25519 ??= crypto.subtle.importKey('raw', encodePoint(BASE), 'Ed25519', false, ['verify']).then(
    () => true,
    () => false,
  ));

/**
 * §3.4: S < L, R not of small order, and R = encode([S]B − [k]A) byte for byte.
 * @type {(key: Bytes, message: Bytes, signature: Bytes, isNative?: boolean) => Promise<boolean>}
 */
export async function isSigned(key, message, signature, isNative = true) {
  if (signature.length !== 64 || !isStrong(key) || littleEndian(signature.subarray(32)) >= L) return false;
  const r = decodePoint(signature.subarray(0, 32));
  if (r === null || isIdentity(multiply(r, 8n))) return false;
  if (isNative && await hasEd25519()) {
    const imported = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
    return crypto.subtle.verify('Ed25519', imported, signature, message);
  }
  const k = littleEndian(await digestOf('SHA-512', concat(signature.subarray(0, 32), key, message))) % L;
  const [x, y, z, t] = /** @type {Point} */ (strongKeys.get(hex(key)));
  const sum = add(multiply(BASE, littleEndian(signature.subarray(32))), multiply([-x, y, z, -t], k));
  return sameBytes(encodePoint(sum), signature.subarray(0, 32));
}
