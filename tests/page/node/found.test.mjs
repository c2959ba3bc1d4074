// Found files as tables, where a bundle leaves out how to read them (docs/bundle.md §4).

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {utf8} from '../../../verifier/page/src/bytes.js';
import {readTable} from '../../../verifier/page/src/found.js';

test('a csv file without a named delimiter has commas', async () => {
  const {columns, rows} = await readTable(utf8('name,state\nundefined,1\n'), {format: 'csv'});
  assert.deepEqual([columns, rows], [['name', 'state'], [['undefined', '1']]]);
});
