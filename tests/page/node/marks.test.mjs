// Marks, words and scores, against values that were computed to 60 digits (docs/marks.md §4).

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {decode64} from '../../../verifier/page/src/bytes.js';
import {FoundRows, millibits, needed, readSeal, scoreSeal, surpriseBits} from '../../../verifier/page/src/marks.js';
import {parseRecord} from '../../../verifier/page/src/records.js';
import {load} from './vectors.mjs';

const {cases, needed: NEEDED, surprises} = load('marks/scores.json');
const isNear = (said, expected, about) => assert.ok(Math.abs(said - expected) <= 2, `${about}: ${said} and not ${expected}`);

for (const {name, found_rows: raw, found_columns: width, mapping, marks, expected} of cases) {
  test(`scores: ${name}`, async () => {
    const rows = raw.map(row => parseRecord(decode64(row))), found = await new FoundRows(rows, mapping, rows.length, width).prepare();
    const score = scoreSeal(readSeal(marks, marks), found, 'nobody');
    assert.deepEqual([score.of, score.found], [expected.of, expected.found_count]);
    isNear(millibits(score.chance), expected.chance_millibits, 'chance');
    if (!expected.words) isNear(millibits(score.score), expected.score_millibits, 'score');
    for (const [party, word] of Object.entries(expected.words ?? {})) isNear(millibits(score.wordFor(party)), word.word_millibits, party);
  });
}

test('what is needed', () => {
  assert.ok(NEEDED.length);
  for (const {threshold_millibits, bound, n, seals, needed_millibits: expected} of NEEDED)
    assert.equal(needed({threshold_millibits, bound, recipients: 1}, n, seals), expected);
});

test('what surprises', () => {
  assert.ok(surprises.length);
  for (const item of surprises)
    isNear(millibits(surpriseBits(item.planted, item.found, item.records_found / item.records)), item.surprise_millibits, JSON.stringify(item));
});
