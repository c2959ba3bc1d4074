import assert from 'node:assert/strict';
import {createHash, createHmac} from 'node:crypto';
import {test} from 'node:test';

import {hex} from '../../../verifier/page/src/bytes.js';
import {shake, shake256} from '../../../verifier/page/src/keccak.js';
import {hmacOf, sha256} from '../../../verifier/page/src/sha256.js';

const LENGTHS = [0, 1, 3, 54, 55, 56, 63, 64, 65, 119, 120, 127, 128, 135, 136, 137, 167, 168, 169, 1000, 65536];
const message = length => Uint8Array.from({length}, (_, i) => (7 * i + length) % 251);

test('SHA-256 and HMAC say what OpenSSL says, of every length about a block', () => {
  for (const length of LENGTHS) {
    const bytes = message(length);
    assert.equal(hex(sha256(bytes)), createHash('sha256').update(bytes).digest('hex'), `${length} bytes`);
    for (const key of [0, 1, 32, 64])
      assert.equal(hex(hmacOf(message(key))(bytes)), createHmac('sha256', message(key)).update(bytes).digest('hex'), `${length} bytes`);
  }
});

test('SHAKE says what OpenSSL says, of every length about a block, and for outputs of several', () => {
  for (const length of LENGTHS) {
    const bytes = message(length), half = length >> 1;
    for (const outputLength of [1, 32, 136, 137, 500]) {
      const expected = createHash('shake256', {outputLength}).update(bytes).digest('hex');
      assert.equal(hex(shake256(outputLength, bytes.subarray(0, half), bytes.subarray(half))), expected, `${length} bytes`);
      const next = shake(168, bytes);
      assert.equal(hex(Uint8Array.from({length: outputLength}, next)), createHash('shake128', {outputLength}).update(bytes).digest('hex'));
    }
  }
});
