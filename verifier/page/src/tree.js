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
