import assert from 'node:assert/strict';
import {test} from 'node:test';

import {unhex} from '../../../verifier/page/src/bytes.js';
import {isSigned, isStrong} from '../../../verifier/page/src/ed25519.js';
import {isMlDsaSigned} from '../../../verifier/page/src/mldsa.js';
import {load} from './vectors.mjs';

for (const [by, isNative] of [['WebCrypto', true], ['own arithmetic', false]]) {
  test(`Ed25519: Project Wycheproof, by ${by}`, async () => {
    let cases = 0;
    for (const {publicKey, tests} of load('ed25519-wycheproof.json').testGroups) {
      for (const {tcId, msg, sig, result} of tests) {
        assert.equal(await isSigned(unhex(publicKey.pk), unhex(msg), unhex(sig), isNative), result === 'valid', `case ${tcId}`);
        cases += 1;
      }
    }
    assert.equal(cases, 151);
  });
}

test('Ed25519: keys with which one signature fits every message are weak', () => {
  const weak = [
    `01${'00'.repeat(31)}`, `ec${'ff'.repeat(30)}7f`, '00'.repeat(32), 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    `ee${'ff'.repeat(30)}7f`, // another spelling of 1
  ];
  for (const key of weak) assert.equal(isStrong(unhex(key)), false, key);
  assert.equal(isStrong(unhex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')), true);
});

test('ML-DSA-44: Project Wycheproof; what is valid under a context alone is not valid here', () => {
  let cases = 0;
  for (const {publicKey, tests} of load('mldsa44-wycheproof.json').testGroups) {
    for (const {tcId, msg, sig, ctx, result} of tests) {
      assert.equal(isMlDsaSigned(unhex(publicKey), unhex(msg), unhex(sig)), result === 'valid' && !ctx, `case ${tcId}`);
      cases += 1;
    }
  }
  assert.equal(cases, 46);
});
