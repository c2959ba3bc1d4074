// @ts-check
// ── Whom the user trusts: policies, pinned parties (docs/format.md §10.5) ────────────────────────────────────────────

import {fail, hex, readUtf8} from './bytes.js';
import {parseVkey} from './keys.js';

/**
 * Whom to trust (§10.5).
 * @type {(bytes: Bytes) => Policy}
 */
export function parsePolicy(bytes) {
  const text = readUtf8(bytes) ?? fail('malformed', 'policy'), logs = [], witnesses = new Map(), groups = [], quorums = [];
  if (bytes.some(b => b < 9 || (b > 10 && b < 32) || b === 127)) fail('malformed', 'policy');
  const names = new Set(['none']), free = new Set(), keys = new Set();
  const key = (/** @type {string} */ vkey) => {
    const parsed = parseVkey(vkey);
    if (keys.has(hex(parsed.publicKey))) fail('malformed', `one public key twice: ${parsed.name}`); // it would count twice
    keys.add(hex(parsed.publicKey));
    return parsed;
  };
  const define = (/** @type {string} */ name) => { if (names.has(name)) fail('malformed', `name ${name} taken`); names.add(name); free.add(name); };
  for (const line of text.split('\n')) {
    const bare = line.replace(/^[ \t]+|[ \t]+$/g, ''), words = bare.split(/[ \t]+/), [word, name] = words;
    if (!bare || bare.startsWith('#')) continue;
    if (word === 'log' && (words.length === 2 || words.length === 3)) {
      const log = key(name);
      if (log.kind !== 1) fail('malformed', `log key ${log.name}`);
      logs.push(log);
    } else if (word === 'witness' && (words.length === 3 || words.length === 4)) {
      const witness = key(words[2]);
      if (witness.kind === 1) fail('malformed', `witness key ${name}`);
      define(name);
      witnesses.set(name, witness);
    } else if (word === 'group' && words.length > 3) {
      const [, , asked, ...members] = words;
      const k = asked === 'all' ? members.length : asked === 'any' ? 1 : /^[1-9][0-9]{0,8}$/.test(asked) ? Number(asked) : 0;
      for (const member of members) if (!free.delete(member)) fail('malformed', `member ${member}`);
      if (k < 1 || k > members.length) fail('malformed', `threshold of ${name}`);
      define(name);
      groups.push({name, k, members});
    } else if (word === 'quorum' && words.length === 2) {
      if (!names.has(name)) fail('malformed', `quorum ${name}`);
      quorums.push(name);
    } else fail('malformed', bare.slice(0, 60));
  }
  if (quorums.length !== 1 || !logs.length) fail('malformed', 'policy: one quorum, and a log');
  return {logs, witnesses, groups, quorum: quorums[0] === 'none' ? null : quorums[0]};
}
/**
 * Lines `party <name> <keyid>`.
 * @type {(bytes: Bytes) => string[][]}
 */
export function parseParties(bytes) {
  const text = readUtf8(bytes) ?? fail('malformed', 'parties file');
  const lines = text.split('\n').map(line => line.replace(/^[ \t\r]+|[ \t\r]+$/g, '')).filter(line => line && !line.startsWith('#'));
  return lines.map(line => (/^party[ \t]+([a-z0-9.-]{1,128})[ \t]+([0-9a-f]{64})$/.exec(line) ?? fail('malformed', line.slice(0, 60))).slice(1));
}
