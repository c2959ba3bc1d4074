import assert from 'node:assert/strict';
import {readdirSync} from 'node:fs';
import {test} from 'node:test';

import {hex, utf8} from '../../../verifier/page/src/bytes.js';
import {canonical, parseCanonical, parseJson} from '../../../verifier/page/src/json.js';
import {read, reasonOf} from './vectors.mjs';

test('the examples of RFC 8785 that are without floats', () => {
  const sorting = {'\u20ac': 'Euro Sign', '\r': 'Carriage Return', '\ufb33': 'Hebrew Letter Dalet With Dagesh', 1: 'One', '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control', '\u00f6': 'Latin Small Letter O With Diaeresis'};
  const words = ['Carriage Return', 'One', 'Control', 'Latin Small Letter O With Diaeresis', 'Euro Sign', 'Emoji: Grinning Face', 'Hebrew Letter Dalet With Dagesh'];
  assert.deepEqual(Object.values(JSON.parse(canonical(sorting))).sort(), [...words].sort());
  assert.deepEqual(canonical(sorting).match(/:"[^"]*"/g).map(item => item.slice(2, -1)), words);
  assert.equal(hex(utf8(canonical({string: '\u20ac$\u000f\nA\'B"\\\\"/', literals: [null, true, false]}))),
    '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d');
});

test('every entry of every earlier version is canonical, and with a byte more is not', () => {
  for (const version of [1, 2, 3, 4]) {
    const folder = `ledger-v${version}/evidence/`, names = readdirSync(new URL(`../../vectors/${folder}`, import.meta.url)).filter(name => name.endsWith('.entry'));
    assert.ok(names.length > 0);
    for (const name of names) {
      const bytes = read(folder + name);
      assert.equal(typeof parseCanonical(bytes).index, 'number', name);
      assert.equal(reasonOf(() => parseCanonical(Uint8Array.of(...bytes, 32))), 'non-canonical', name);
    }
  }
});

test('what is refused, and why', () => {
  for (const [text, reason] of [
    ['{"a":1,"a":2}', 'duplicate-key'], ['{"__proto__":1,"__proto__":2}', 'duplicate-key'], ['{"a":1,"\\u0061":2}', 'duplicate-key'], ['1.0', 'float'], ['1e5', 'float'],
    ['9007199254740992', 'integer-out-of-range'], ['-9007199254740992', 'integer-out-of-range'], ['"\\ud800"', 'lone-surrogate'], ['"\\u0000"', 'control-character'],
    ['"\\u007f"', 'control-character'], ['"\\t"', 'control-character'], ['"\n"', 'not-json'], ['', 'not-json'], ['{', 'not-json'], ['[1,]', 'not-json'], ['{"a":}', 'not-json'],
    ['01', 'not-json'], ['NaN', 'not-json'], ['1 2', 'not-json'], ['\ufeff1', 'not-json'], ['\u00a01', 'not-json'], ["'a'", 'not-json'],
    [`${'['.repeat(17)}${']'.repeat(17)}`, 'too-deep'],
  ]) assert.equal(reasonOf(() => parseJson(text)), reason, text);
  assert.deepEqual(parseJson(`${'['.repeat(16)}${']'.repeat(16)}`).length, 1);
  for (const text of [' 1', '{"b":1,"a":2}', '[1, 2]', '"\\u0041"', '"\\/"', '-0'])
    assert.equal(reasonOf(() => parseCanonical(utf8(text))), 'non-canonical', text);
  assert.equal(reasonOf(() => parseCanonical(Uint8Array.of(0x22, 0xff, 0x22))), 'not-json');
});

test('a name that every object has is a name like any other', () => {
  const value = parseJson('{"__proto__":{"a":1},"constructor":2,"toString":3}');
  assert.equal(Object.getPrototypeOf(value), null);
  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor', 'toString']);
  assert.equal(canonical(value), '{"__proto__":{"a":1},"constructor":2,"toString":3}');
  assert.equal(value.a, undefined);
});
