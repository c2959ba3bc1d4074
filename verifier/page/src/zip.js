// @ts-check
// ── The ZIP (docs/bundle.md §1): every byte accounted for, so that two readers cannot see two bundles ────────────────

import {Fault, fail, sameBytes} from './bytes.js';

export const MAX_ZIP = 2 ** 30, MAX_MEMBERS = 10000;
const CRC = Uint32Array.from({length: 256}, (_, n) => { for (let k = 0; k < 8; k += 1) n = n & 1 ? n >>> 1 ^ 0xedb88320 : n >>> 1; return n; });
/** @type {(bytes: Bytes) => number} */
const crc32 = bytes => { let c = ~0; for (const b of bytes) c = CRC[(c ^ b) & 255] ^ c >>> 8; return ~c >>> 0; };

/** @type {(bytes: Bytes, size: number, name: string) => Promise<Bytes>} */
async function inflate(bytes, size, name) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader(), whole = new Uint8Array(size);
  let at = 0;
  try {
    for (;;) {
      const {done, value} = await reader.read();
      if (done) break;
      if (at + value.length > size) { reader.cancel().catch(() => {}); fail('zip-size', name); } // a bomb says less than it holds
      whole.set(value, at);
      at += value.length;
    }
  } catch (error) {
    if (error instanceof Fault) throw error;
    fail('zip-deflate', name);
  }
  return at === size ? whole : fail('zip-size', name);
}
/**
 * The members of a bundle, in their order: a Map of path to bytes.
 * @type {(bytes: Bytes) => Promise<Map<string, Bytes>>}
 */
export async function readZip(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    u16 = (/** @type {number} */ at) => view.getUint16(at, true),
    u4 = (/** @type {number} */ at) => view.getUint32(at, true);
  const end = bytes.length - 22;
  if (bytes.length > MAX_ZIP) fail('zip-too-large');
  if (end < 0 || u4(end) !== 0x06054b50 || u16(end + 20) !== 0) fail('zip-end');
  const count = u16(end + 10), start = u4(end + 16);
  if (u16(end + 4) || u16(end + 6) || u16(end + 8) !== count || start + u4(end + 12) !== end) fail('zip-end');
  if (count > MAX_MEMBERS) fail('zip-members', String(count));
  const members = new Map();
  let at = start, local = 0, unpacked = 0;
  for (let i = 0; i < count; i += 1) {
    if (at + 46 > end || u4(at) !== 0x02014b50) fail('zip-directory');
    const flags = u16(at + 8), method = u16(at + 10), crc = u4(at + 16), packed = u4(at + 20), size = u4(at + 24);
    const nameLength = u16(at + 28), attributes = u4(at + 38), type = bytes[at + 5] === 3 ? attributes >>> 16 & 0xf000 : 0;
    const raw = bytes.subarray(at + 46, at + 46 + nameLength), path = String.fromCharCode(...raw);
    if (!/^[a-z0-9._\/-]+$/.test(path) || path.split('/').some(part => ['', '.', '..'].includes(part))) fail('zip-path', path.slice(0, 80));
    if (members.has(path)) fail('zip-duplicate', path);
    if (flags & ~0x0806 || (method !== 0 && method !== 8) || packed === 0xffffffff || size === 0xffffffff) fail('zip-method', path);
    if (attributes & 0x10 || (type !== 0 && type !== 0x8000)) fail('zip-link', path);
    if (u16(at + 6) >= 45 || u16(at + 30) || u16(at + 32) || u16(at + 34) || u4(at + 42) !== local) fail('zip-directory', path);
    if (local + 30 + nameLength + packed > start || u4(local) !== 0x04034b50) fail('zip-member', path);
    const says = (/** @type {number} */ from, /** @type {number} */ length) => bytes.subarray(from, from + length); // a local header says what the central one says
    if (!sameBytes(says(local + 4, 26), says(at + 6, 26)) || !sameBytes(says(local + 30, nameLength), raw)) fail('zip-member', path);
    if ((unpacked += size) > MAX_ZIP) fail('zip-too-large', path);
    const from = local + 30 + nameLength, stored = bytes.subarray(from, from + packed);
    if (method === 0 && packed !== size) fail('zip-size', path);
    const data = method === 0 ? stored : await inflate(stored, size, path);
    if (crc32(data) !== crc) fail('zip-crc', path);
    members.set(path, data);
    local = from + packed;
    at += 46 + nameLength;
  }
  if (at !== end || local !== start) fail('zip-gap');
  return members;
}
