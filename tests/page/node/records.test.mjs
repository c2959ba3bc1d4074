import assert from 'node:assert/strict';
import {test} from 'node:test';

import {unhex} from '../../../verifier/page/src/bytes.js';
import {normalForm, rowEquals} from '../../../verifier/page/src/normal.js';
import {chunkEnds, openRecord, openedForm} from '../../../verifier/page/src/records.js';
import {load, reasonOf} from './vectors.mjs';

test('normal forms, and rows that are equal', () => {
  for (const {cell, reading, normal} of load('records/normal.json')) assert.equal(normalForm(cell, reading), normal, JSON.stringify([cell, reading]));
  for (const {name, record, found, mapping, equal} of load('records/equal.json')) assert.equal(rowEquals(record, found, mapping), equal, name);
});

test('an opened record is of its content; of none with another root, at another place, or with another salt', () => {
  const reason = (opened, records) => reasonOf(() => { openedForm(opened); openRecord(opened, records); });
  let count = 0;
  for (const {name, opened, records} of load('records/roots.json')) {
    for (const item of opened) {
      assert.equal(reason(item, records), null, name);
      assert.notEqual(reason(item, {...records, root: 'cd'.repeat(32)}), null, name);
      assert.notEqual(reason({...item, record: item.record + 1}, records), null, name);
      assert.notEqual(reason({...item, salt: `${'A'.repeat(22)}==`}, records), null, name);
      count += 1;
    }
  }
  assert.ok(count > 1);
});

test('where the chunks of a file end', () => {
  const files = load('records/chunks.json').files.filter(({parts}) => parts.every(part => 'bytes' in part));
  assert.ok(files.length > 1);
  for (const {parts, ends} of files) assert.deepEqual(chunkEnds(unhex(parts.map(({bytes, times}) => bytes.repeat(times)).join(''))), ends);
});
