// @ts-check
// ── Keccak: SHAKE-128 and SHAKE-256 (FIPS 202) ───────────────────────────────────────────────────────────────────────

/** The constants of Keccak-f[1600] (FIPS 202 §3.2): where each step of π goes and how far ρ turns; ι's, two halves a round. */
const [TURNS, IOTA] = (() => {
  const turns = [], iota = new Int32Array(48);
  for (let t = 0, x = 1, y = 0, by = 1; t < 24; t += 1, by += t + 1) {
    [x, y] = [y, (2 * x + 3 * y) % 5];
    turns.push([2 * (x + 5 * y), by % 64]);
  }
  for (let round = 0, lfsr = 1; round < 24; round += 1)
    for (let j = 0; j < 7; j += 1, lfsr = lfsr << 1 ^ (lfsr >> 7) * 0x171) {
      const bit = 2 ** j - 1;
      if (lfsr & 1) iota[2 * round + (bit >> 5)] ^= 1 << bit;
    }
  return [turns, iota];
})();
const COLUMN = new Int32Array(10);
/**
 * Keccak-f[1600] (FIPS 202, algorithm 7); lane i is words 2i, its low half, and 2i + 1.
 * @type {(lanes: Int32Array) => void}
 */
function keccak(lanes) {
  for (let round = 0; round < 48; round += 2) {
    for (let x = 0; x < 10; x += 1) COLUMN[x] = lanes[x] ^ lanes[x + 10] ^ lanes[x + 20] ^ lanes[x + 30] ^ lanes[x + 40];
    for (let x = 0; x < 10; x += 2) {
      const left = (x + 8) % 10, right = (x + 2) % 10;
      const low = COLUMN[left] ^ (COLUMN[right] << 1 | COLUMN[right + 1] >>> 31), high = COLUMN[left + 1] ^ (COLUMN[right + 1] << 1 | COLUMN[right] >>> 31);
      for (let at = x; at < 50; at += 10) { lanes[at] ^= low; lanes[at + 1] ^= high; }
    }
    let low = lanes[2], high = lanes[3];
    for (const [at, by] of TURNS) { // never by 0 or 32
      if (by > 32) [low, high] = [high, low];
      const turnedLow = low << by | high >>> 32 - by, turnedHigh = high << by | low >>> 32 - by;
      low = lanes[at];
      high = lanes[at + 1];
      lanes[at] = turnedLow;
      lanes[at + 1] = turnedHigh;
    }
    for (let y = 0; y < 50; y += 10) {
      for (let x = 0; x < 10; x += 1) COLUMN[x] = lanes[y + x];
      for (let x = 0; x < 10; x += 1) lanes[y + x] ^= ~COLUMN[(x + 2) % 10] & COLUMN[(x + 4) % 10];
    }
    lanes[0] ^= IOTA[round];
    lanes[1] ^= IOTA[round + 1];
  }
}
/**
 * SHAKE128 (rate 168) or SHAKE256 (rate 136) of the parts, joined (FIPS 202 §6.2): a function that returns byte after byte.
 * @type {(rate: number, ...parts: ArrayLike<number>[]) => () => number}
 */
export function shake(rate, ...parts) {
  const lanes = new Int32Array(50);
  let at = 0;
  for (const part of parts)
    for (let i = 0; i < part.length; i += 1) {
      lanes[at >> 2] ^= part[i] << 8 * (at & 3);
      if ((at += 1) === rate) { keccak(lanes); at = 0; }
    }
  lanes[at >> 2] ^= 0x1f << 8 * (at & 3);
  lanes[rate - 1 >> 2] ^= 0x80 << 24;
  at = rate;
  return () => {
    if (at === rate) { keccak(lanes); at = 0; }
    at += 1;
    return lanes[at - 1 >> 2] >>> 8 * (at - 1 & 3) & 255;
  };
}
/**
 * H: so many bytes of SHAKE256 (FIPS 204 §3.7).
 * @type {(length: number, ...parts: ArrayLike<number>[]) => Bytes}
 */
export const shake256 = (length, ...parts) => { const next = shake(136, ...parts); return Uint8Array.from({length}, next); };
