// @ts-check
// ── SHA-256 and HMAC, for the many small hashes (WebCrypto answers only asynchronously; it hashes the files) ─────────

import {concat, hex} from './bytes.js';

const PRIMES = (() => {
  const found = [2];
  for (let n = 3; found.length < 64; n += 1) if (found.every(p => n % p)) found.push(n);
  return found;
})();
/** @type {(x: number) => number} */
const fraction = x => (x - Math.floor(x)) * 2 ** 32 | 0;
const K256 = Int32Array.from(PRIMES, p => fraction(Math.cbrt(p)));
const H256 = Int32Array.from(PRIMES.slice(0, 8), p => fraction(Math.sqrt(p)));
const W = new Int32Array(64);

/** @type {(state: Int32Array, bytes: Uint8Array, at: number) => void} */
function compress(state, bytes, at) {
  for (let i = 0; i < 16; i += 1, at += 4) W[i] = bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
  for (let i = 16; i < 64; i += 1) {
    const x = W[i - 15], y = W[i - 2];
    const s0 = (x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3, s1 = (y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10;
    W[i] = W[i - 16] + s0 + W[i - 7] + s1 | 0;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (let i = 0; i < 64; i += 1) {
    const s1 = (e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7);
    const t1 = h + s1 + (e & f ^ ~e & g) + K256[i] + W[i] | 0;
    const s0 = (a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10);
    const t2 = s0 + (a & b ^ a & c ^ b & c) | 0;
    h = g; g = f; f = e; e = d + t1 | 0; d = c; c = b; b = a; a = t1 + t2 | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

const TAIL = new Uint8Array(128);
/** @type {(bytes: Uint8Array, at: number, n: number) => void} */
const put = (bytes, at, n) => { bytes[at] = n >>> 24; bytes[at + 1] = n >>> 16; bytes[at + 2] = n >>> 8; bytes[at + 3] = n; };

/**
 * SHA-256 of `bytes`, going on from `state`, which `before` bytes (a multiple of 64) led to.
 * @type {(bytes: Uint8Array, state?: Int32Array, before?: number) => Bytes}
 */
export function sha256(bytes, state = H256.slice(), before = 0) {
  const whole = bytes.length & ~63, rest = bytes.length - whole, end = rest > 55 ? 128 : 64, bits = (before + bytes.length) * 8;
  for (let at = 0; at < whole; at += 64) compress(state, bytes, at);
  TAIL.fill(0);
  for (let i = 0; i < rest; i += 1) TAIL[i] = bytes[whole + i];
  TAIL[rest] = 0x80;
  put(TAIL, end - 8, Math.floor(bits / 2 ** 32));
  put(TAIL, end - 4, bits >>> 0);
  for (let at = 0; at < end; at += 64) compress(state, TAIL, at);
  const digest = new Uint8Array(32);
  for (let i = 0; i < 8; i += 1) put(digest, 4 * i, state[i]);
  return digest;
}
/**
 * HMAC-SHA-256 under a key of at most 64 bytes: a function of the message.
 * @type {(key: Uint8Array) => (message: Uint8Array) => Bytes}
 */
export function hmacOf(key) {
  const padded = concat(key, new Uint8Array(64 - key.length)), inner = H256.slice(), outer = H256.slice();
  compress(inner, padded.map(byte => byte ^ 0x36), 0);
  compress(outer, padded.map(byte => byte ^ 0x5c), 0);
  return message => sha256(sha256(message, inner.slice(), 64), outer.slice(), 64);
}
/** @type {(algorithm: string, bytes: Bytes) => Promise<Bytes>} */
export const digestOf = async (algorithm, bytes) => new Uint8Array(await crypto.subtle.digest(algorithm, bytes));
/** @type {(bytes: Bytes) => Promise<string>} */
export const fileDigest = async bytes => hex(await digestOf('SHA-256', bytes));
