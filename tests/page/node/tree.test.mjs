import assert from 'node:assert/strict';
import {test} from 'node:test';

import {decode64, hex, unhex, utf8} from '../../../verifier/page/src/bytes.js';
import {leafHash, rootByPath} from '../../../verifier/page/src/tree.js';
import {load} from './vectors.mjs';

test('paths of transparency-dev, happy and mutated', () => {
  const probes = load('merkle-probes.json').inclusion;
  for (const {case: name, leafHash: leaf, leafIdx, treeSize, root, proof, wantErr} of probes) {
    const found = rootByPath(decode64(leaf), leafIdx, treeSize, (proof ?? []).map(decode64));
    assert.equal(found !== null && hex(found) === hex(decode64(root)), !wantErr, name);
  }
  assert.ok(probes.length > 50);
});

test("paths of Go's sumdb lead to its roots, and to no other from another place", () => {
  const {inclusion, roots} = load('merkle-go-sumdb.json');
  for (const {Size: size, Index: index, Path: path} of inclusion) {
    const hashes = path.map(unhex), leaf = leafHash(utf8(`entry-${index}`));
    assert.equal(hex(rootByPath(leaf, index, size, hashes)), roots[size], `${index} of ${size}`);
    assert.notEqual(hex(rootByPath(leafHash(utf8('entry-x')), index, size, hashes)), roots[size]);
    assert.equal(rootByPath(leaf, index, size, [...hashes, leaf]), null, 'one hash too many');
    if (hashes.length) assert.equal(rootByPath(leaf, index, size, hashes.slice(1)), null, 'one hash too few');
  }
  assert.ok(inclusion.length > 50);
});

test('what is no place, and what is no hash, leads nowhere', () => {
  const leaf = leafHash(utf8('entry-0'));
  for (const [index, size] of [[-1, 1], [1, 1], [0, 0], [0, 2 ** 53], [NaN, 1], [0, NaN]]) assert.equal(rootByPath(leaf, index, size, []), null);
  for (const broken of [null, undefined, leaf.subarray(1)]) {
    assert.equal(rootByPath(leaf, 0, 2, [broken]), null);
    assert.equal(rootByPath(broken, 0, 1, []), null);
  }
});
