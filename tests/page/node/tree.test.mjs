import assert from 'node:assert/strict';
import {test} from 'node:test';

import {concat, decode64, hex, unhex, utf8} from '../../../verifier/page/src/bytes.js';
import {leafHash, nodeHash, rootByHashes, rootByPath} from '../../../verifier/page/src/tree.js';
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

/** Every level of the tree over some leaves, the last of an odd level a level higher. */
const levelsOf = leaves => {
  const levels = [leaves];
  for (let below = leaves; below.length > 1; below = levels.at(-1))
    levels.push(Array.from({length: Math.ceil(below.length / 2)}, (_, i) => 2 * i + 1 < below.length ? nodeHash(below[2 * i], below[2 * i + 1]) : below[2 * i]));
  return levels;
};
test('every choice of leaves is proved together, by exactly the hashes that are needed', () => {
  for (let size = 1; size < 9; size += 1) {
    const leaves = Array.from({length: size}, (_, i) => leafHash(utf8(`entry-${i}`))), levels = levelsOf(leaves), root = hex(levels.at(-1)[0]);
    for (let choice = 1; choice < 2 ** size; choice += 1) {
      const chosen = leaves.map((leaf, i) => [i, leaf]).filter(([i]) => choice >> i & 1), path = [];
      let known = new Set(chosen.map(([i]) => i));
      for (const level of levels) {
        path.push(...[...known].map(i => i ^ 1).filter(i => !known.has(i) && i < level.length).sort((a, b) => a - b).map(i => level[i]));
        known = new Set([...known].map(i => i >> 1));
      }
      const hashes = concat(...path), rootOf = (level, given) => { const found = rootByHashes(level, size, given); return found && hex(found); };
      assert.equal(rootOf(chosen, hashes), root);
      assert.equal(rootOf(chosen, concat(hashes, leaves[0])), null, 'one hash too many');
      assert.equal(rootOf(chosen, concat(hashes, Uint8Array.of(0))), null, 'a byte too many');
      if (path.length) assert.equal(rootOf(chosen, hashes.subarray(32)), null, 'one hash too few');
      if (path.length) assert.notEqual(rootOf(chosen, hashes.map((byte, i) => i ? byte : byte ^ 1)), root, 'a changed hash');
      assert.equal(rootOf([...chosen, [size, leaves[0]]], hashes), null, 'a leaf outside the tree');
    }
  }
  assert.equal(rootByHashes([], 0, new Uint8Array()), null);
});
