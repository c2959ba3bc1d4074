// @ts-check
// ── The tree (RFC 9162 §2.1, docs/format.md §2) ──────────────────────────────────────────────────────────────────────

import {concat} from './bytes.js';
import {MAX_INTEGER} from './json.js';
import {sha256} from './sha256.js';

/** @type {(bytes: Uint8Array) => Bytes} */
export const leafHash = bytes => sha256(concat(Uint8Array.of(0), bytes));
/** @type {(left: Bytes, right: Bytes) => Bytes} */
export const nodeHash = (left, right) => sha256(concat(Uint8Array.of(1), left, right));
/**
 * The root that leaf hashes lead to together (docs/bundle.md §2.2), `level` being [index, hash] ascending; null where
 * indexes, size and the number of hashes do not fit together.
 * @type {(level: [number, Bytes][], size: number, hashes: Bytes) => Bytes | null}
 */
export function rootByHashes(level, size, hashes) {
  if (!level.length || !(level[level.length - 1][0] < size && size <= MAX_INTEGER) || hashes.length % 32) return null;
  let used = 0;
  const take = () => hashes.subarray(used, used += 32); // shorter past the end, which is refused below
  for (let width = size; width > 1; width = Math.ceil(width / 2)) {
    /** @type {[number, Bytes][]} */
    const above = [];
    for (let i = 0; i < level.length; i += 1) {
      const [position, own] = level[i], next = level[i + 1];
      let hash = own;
      if (position % 2 === 1) hash = nodeHash(take(), own);
      else if (next?.[0] === position + 1) { hash = nodeHash(own, next[1]); i += 1; }
      else if (position + 1 < width) hash = nodeHash(own, take());
      above.push([Math.floor(position / 2), hash]); // else the last of an odd level, which stands a level higher
    }
    level = above;
  }
  return used === hashes.length ? level[0][1] : null;
}
/**
 * The root that a leaf leads to by its path; null where index, size and the path's length do not fit together.
 * @type {(leaf: Bytes, index: number, size: number, path: Bytes[]) => Bytes | null}
 */
export function rootByPath(leaf, index, size, path) {
  if (!(index >= 0 && index < size && size <= MAX_INTEGER) || [leaf, ...path].some(hash => hash?.length !== 32)) return null;
  let at = index, last = size - 1, hash = leaf, used = 0;
  while (last > 0) {
    const isRight = at % 2 === 1;
    if (isRight || at < last) {
      if (used === path.length) return null;
      hash = isRight ? nodeHash(path[used], hash) : nodeHash(hash, path[used]);
      used += 1;
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return used === path.length ? hash : null;
}
