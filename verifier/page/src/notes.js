// @ts-check
// ── Notes, checkpoints, receipts (docs/format.md §10, §11.2) ─────────────────────────────────────────────────────────

import {concat, decode64, fail, hex, readUtf8, utf8} from './bytes.js';
import {isSigned} from './ed25519.js';
import {MAX_INTEGER} from './json.js';
import {isMlDsaSigned} from './mldsa.js';

/** @type {(text: string) => number | null} */
const decimal = text => /^(?:0|[1-9][0-9]{0,15})$/.test(text) && Number(text) <= MAX_INTEGER ? Number(text) : null;
const KEY_NAME = /^[^\s+]+$/u;
/** @type {(bytes: Bytes) => Note} */
export function parseNote(bytes) {
  const whole = readUtf8(bytes) ?? '', cut = whole.lastIndexOf('\n\n');
  if (bytes.length > 65536 || cut < 0 || !whole.endsWith('\n') || /[\x00-\x09\x0b-\x1f]/.test(whole)) fail('malformed', 'note');
  const lines = whole.slice(cut + 2, -1).split('\n');
  if (lines.length > 64) fail('too-large', 'note');
  const signatures = lines.map(line => {
    const [, name, encoded] = /^\u2014 ([^ ]*) (.*)$/su.exec(line) ?? fail('malformed', 'signature line'), blob = decode64(encoded);
    if (!KEY_NAME.test(name) || !blob || blob.length <= 4) fail('malformed', 'signature line');
    return {name, id: hex(blob.subarray(0, 4)), signature: blob.subarray(4)};
  });
  return {text: whole.slice(0, cut + 1), signatures};
}
/** @type {(text: string) => Checkpoint} */
export function parseCheckpoint(text) {
  const lines = text.slice(0, -1).split('\n'), size = decimal(lines[1] ?? ''), root = decode64(lines[2] ?? '');
  if (lines.length < 3 || lines.some(line => !line) || size === null || root?.length !== 32) fail('malformed', 'checkpoint');
  return {origin: lines[0], size, root};
}
/**
 * The index and path of a receipt, and the checkpoint's bytes in it.
 * @type {(bytes: Bytes) => Receipt}
 */
export function parseReceipt(bytes) {
  const text = readUtf8(bytes) ?? '', cut = text.indexOf('\n\n');
  const lines = cut < 0 ? [] : text.slice(0, cut).split('\n');
  if (lines.shift() !== 'c2sp.org/tlog-proof@v1') fail('malformed', 'receipt');
  if (/^extra /.test(lines[0] ?? '') && decode64(lines.shift()?.slice(6)) === null) fail('malformed', 'extra');
  const [, index] = /^index (.*)$/.exec(lines.shift() ?? '') ?? fail('malformed', 'index');
  const at = decimal(index), path = lines.map(line => decode64(line) ?? fail('malformed', 'path'));
  if (at === null || path.length > 53 || path.some(hash => hash.length !== 32)) fail('malformed', 'path');
  return {index: at, path, checkpoint: bytes.subarray(utf8(text.slice(0, cut + 2)).length)};
}
/**
 * Whether an ML-DSA-44 cosignature (type 0x06, C2SP tlog-cosignature) of a checkpoint is valid.
 * @type {(key: NoteKey, checkpoint: Checkpoint, time: Bytes, signature: Bytes) => boolean}
 */
function isLastingCosigned(key, {origin, size: size_, root}, time_, signature) {
  const name_ = utf8(key.name), log = utf8(origin), u64 = new Uint8Array(8);
  if (time_.length !== 8 || name_.length > 255 || log.length > 255) return false;
  new DataView(u64.buffer).setBigUint64(0, BigInt(size_));
  const message = concat(
    utf8('subtree/v1\n\0'), Uint8Array.of(name_.length), name_, time_, Uint8Array.of(log.length), log, new Uint8Array(8), u64, root,
  );
  return isMlDsaSigned(key.publicKey, message, signature);
}
/**
 * The checkpoint of a note that a log of the policy signed, its cosignature times (Unix seconds), and whether they suffice.
 * @type {(bytes: Bytes, policy: Policy) => Promise<OpenedCheckpoint>}
 */
export async function openCheckpoint(bytes, policy) {
  const note = parseNote(bytes), checkpoint = parseCheckpoint(note.text), cosigned = new Map();
  const log = policy.logs.find(item => item.name === checkpoint.origin) ?? fail('wrong-origin', checkpoint.origin);
  /** @type {Map<string, {key?: NoteKey, witness?: string}>} */
  const known = new Map(policy.logs.map(key => [`${key.name}+${key.id}`, {key}]));
  for (const [witness, key] of policy.witnesses) known.set(`${key.name}+${key.id}`, {key, witness});
  const signedBy = [];
  for (const line of note.signatures) {
    const {key, witness} = known.get(`${line.name}+${line.id}`) ?? {};
    if (key?.kind === 1) {
      if (!await isSigned(key.publicKey, utf8(note.text), line.signature)) fail('wrong-signature', line.name);
      if (key.name === log.name) signedBy.push(key.vkey); // a policy may list a key and its successor (§16.2)
    } else if (key?.kind === 4 || key?.kind === 6) {
      const time_ = line.signature.subarray(0, 8), seconds = BigInt(`0x0${hex(time_)}`);
      const isValid = key.kind === 4 ? isSigned(key.publicKey, utf8(`cosignature/v1\ntime ${seconds}\n${note.text}`), line.signature.subarray(8))
        : isLastingCosigned(key, checkpoint, time_, line.signature.subarray(8));
      if (seconds >= 2n ** 63n || !await isValid) fail('wrong-signature', line.name);
      cosigned.set(witness, Number(seconds));
    }
  }
  if (!signedBy.length) fail('no-log-signature', log.name);
  const isMet = (/** @type {Iterable<string>} */ witnesses) => {
    const satisfied = new Set(witnesses);
    for (const group of policy.groups) if (group.members.filter(member => satisfied.has(member)).length >= group.k) satisfied.add(group.name);
    return policy.quorum === null || satisfied.has(policy.quorum);
  };
  const own = [...policy.witnesses].filter(([, key]) => key.name === log.name).map(([witness]) => witness); // the log's second key: it counts, and is never independent
  return {...checkpoint, log, signedBy, cosigned, own, isQuorate: isMet(cosigned.keys()), isAlone: isMet(own)};
}
