// @ts-check
// ── Keys: their ids, and the verifier keys of notes (docs/format.md §3, §10.1) ───────────────────────────────────────

import {concat, decode64, fail, hex, utf8} from './bytes.js';
import {isSigned, isStrong} from './ed25519.js';
import {LASTING_KEY, isMlDsaSigned} from './mldsa.js';
import {sha256} from './sha256.js';

export const ED25519 = 'ed25519', ML_DSA_44 = 'ml-dsa-44';
/**
 * §3.2.
 * @type {(key: Bytes, alg?: string) => string}
 */
export const keyId = (key, alg = ED25519) => hex(sha256(concat(utf8(`${alg}\n`), key)));
/**
 * The keyid of a log's key, of type 0x01 or 0x06.
 * @type {(key: NoteKey) => string}
 */
export const logKeyId = ({kind, publicKey}) => keyId(publicKey, kind === 6 ? ML_DSA_44 : ED25519);
/**
 * Whether a party's key, which names its algorithm, signed; a signature of another length than its is none.
 * @type {(key: {alg: string, bytes: Bytes}, message: Bytes, signature: Bytes) => boolean | Promise<boolean>}
 */
export const isSignedBy = ({alg, bytes}, message, signature) => (alg === ML_DSA_44 ? isMlDsaSigned : isSigned)(bytes, message, signature);

/** @type {(text: string) => NoteKey} */
export function parseVkey(text) {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+(.*)$/su.exec(text) ?? fail('malformed', `vkey ${text.slice(0, 60)}`);
  const key = decode64(encoded);
  if (!key?.length || hex(sha256(concat(utf8(`${name}\n`), key)).subarray(0, 4)) !== id) fail('malformed', `vkey of ${name}`);
  const kind = key[0], publicKey = key.subarray(1);
  if (kind === 1 || kind === 4) {
    if (publicKey.length !== 32) fail('malformed', `vkey of ${name}`);
    if (!isStrong(publicKey)) fail('weak-key', name);
  }
  if (kind === 6 && publicKey.length !== LASTING_KEY) fail('malformed', `vkey of ${name}`);
  return {name, id, kind, publicKey, vkey: text};
}
