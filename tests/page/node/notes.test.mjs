import assert from 'node:assert/strict';
import {readdirSync} from 'node:fs';
import {test} from 'node:test';

import {hex, sameBytes, utf8} from '../../../verifier/page/src/bytes.js';
import {isSigned} from '../../../verifier/page/src/ed25519.js';
import {parseVkey} from '../../../verifier/page/src/keys.js';
import {openCheckpoint, parseCheckpoint, parseNote, parseReceipt} from '../../../verifier/page/src/notes.js';
import {parsePolicy} from '../../../verifier/page/src/policy.js';
import {leafHash, rootByPath} from '../../../verifier/page/src/tree.js';
import {load, read, reasonOf} from './vectors.mjs';

const {note: NOTE, vkey: VKEY} = load('note-go-sumdb.json');

test('a checkpoint that Go signed', async () => {
  const note = parseNote(utf8(NOTE)), {origin, size, root} = parseCheckpoint(note.text);
  assert.deepEqual([origin, size, hex(root)], ['example.com/log', 1000, load('merkle-go-sumdb.json').roots[1000]]);
  const [log] = parsePolicy(utf8(`log ${VKEY}\nquorum none\n`)).logs;
  assert.equal(await isSigned(log.publicKey, utf8(note.text), note.signatures[0].signature), true);
  const opened = await openCheckpoint(utf8(NOTE), parsePolicy(utf8(`log ${VKEY}\nquorum none\n`)));
  assert.deepEqual([opened.size, opened.signedBy, opened.isQuorate], [1000, [VKEY], true]);
});

test('a checkpoint with another size, or by another log, is none', async () => {
  const policy = parsePolicy(utf8(`log ${VKEY}\nquorum none\n`));
  const refused = text => openCheckpoint(utf8(text), policy).then(() => null, error => error.reason);
  assert.equal(await refused(NOTE.replace('1000', '1001')), 'wrong-signature');
  assert.equal(await refused(NOTE.replaceAll('example.com/log', 'example.com/other')), 'wrong-origin');
  assert.equal(await refused(NOTE.replace('— example.com/log', '— example.com/other')), 'no-log-signature');
});

test('what is no note', () => {
  for (const text of [
    '', '\n', NOTE.slice(0, -1), NOTE.replace('\n\n', '\n'), NOTE.replace('—', '-'), NOTE.replace('log\n', 'log\r\n'), NOTE.replace('— ', '—  '),
    NOTE.replace('e6qz', 'e6q'), NOTE.replace('e6qz9Pj1', '').replace(/ [A-Za-z0-9+/]{40,}=*/, ' e6qz9A=='), `${NOTE}\n`, NOTE.replace('= \n', '\0\n') + '\0',
  ]) assert.equal(reasonOf(() => parseNote(utf8(text))), 'malformed', JSON.stringify(text));
  assert.equal(reasonOf(() => parseNote(Uint8Array.of(0xff, 10, 10, 0x80, 10))), 'malformed');
  const line = NOTE.slice(NOTE.indexOf('—'));
  assert.equal(reasonOf(() => parseNote(utf8(NOTE + line.repeat(64)))), 'too-large');
  assert.equal(parseNote(utf8(NOTE + line.repeat(63))).signatures.length, 64);
});

test('what is no checkpoint', () => {
  const {text} = parseNote(utf8(NOTE)), [origin, size, root] = text.split('\n');
  for (const lines of [[origin, size], [origin, `0${size}`, root], [origin, '-1', root], [origin, '9007199254740992', root], [origin, size, root.slice(4)],
    ['', size, root], [origin, size, root, '']])
    assert.equal(reasonOf(() => parseCheckpoint(`${lines.join('\n')}\n`)), 'malformed', JSON.stringify(lines));
  assert.equal(parseCheckpoint(`${[origin, '9007199254740991', root, 'extension'].join('\n')}\n`).size, Number.MAX_SAFE_INTEGER);
});

test('what is no key of a note', () => {
  assert.equal(parseVkey(VKEY).name, 'example.com/log');
  const [name, id, key] = VKEY.split('+', 2).concat(VKEY.split('+').slice(2).join('+'));
  for (const text of ['', name, `${name}+${id}`, `${name}+${id}+`, `${name}x+${id}+${key}`, `${name}+00000000+${key}`, `${name}+${id}+${key.slice(4)}`, ` ${VKEY}`, `${VKEY} `])
    assert.equal(reasonOf(() => parseVkey(text)), 'malformed', text);
});

for (const version of [1, 2, 3, 4]) {
  test(`the receipts of a ledger of version ${version}`, async () => {
    const folder = `ledger-v${version}/`, policy = parsePolicy(read(`${folder}policy.txt`));
    const names = readdirSync(new URL(`../../vectors/${folder}evidence/`, import.meta.url)).filter(name => name.endsWith('.tlog-proof'));
    assert.ok(names.length > 0);
    for (const name of names) {
      const receipt = parseReceipt(read(`${folder}evidence/${name}`)), entry = read(`${folder}evidence/${name.replace('.tlog-proof', '.entry')}`);
      const {size, root} = await openCheckpoint(receipt.checkpoint, policy);
      assert.ok(sameBytes(rootByPath(leafHash(entry), receipt.index, size, receipt.path), root), name);
      entry[0] ^= 1;
      assert.ok(!sameBytes(rootByPath(leafHash(entry), receipt.index, size, receipt.path), root), name);
    }
  });
}
