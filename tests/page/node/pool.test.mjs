// Marks from a sealed pool: form, draw, tail, price of the mapping, scores (docs/marks.md §9). The known answers are of another program, to 24 digits.

import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {test} from 'node:test';

import {encode64, utf8} from '../../../verifier/page/src/bytes.js';
import {FoundRows, millibits} from '../../../verifier/page/src/marks.js';
import {drawFrom, drawnOf, neededOfPool, paidBits, readPool, scoreDraw, seedOf, tailBits, triesOf} from '../../../verifier/page/src/pool.js';
import {hmacOf} from '../../../verifier/page/src/sha256.js';
import {reasonOf} from './vectors.mjs';

const PREPARED = `sha256:${'11'.repeat(32)}`, REQUESTED = `sha256:${'22'.repeat(32)}`, COIN = encode64(Uint8Array.from({length: 32}, (_, i) => i));
const KEY = Uint8Array.from({length: 32}, (_, i) => 100 + i), SEED = 'dda037fff2102c877333cfda550ace6699e4b16cc6376f7efd3c19e5809ae53b';
const record = (...cells) => encode64(utf8(JSON.stringify(cells)));
const rowsOf = n => Array.from({length: n}, (_, i) => record(`row ${i}`, String(i)));
const ofRows = more => ({type: 'provenance-ledger.pool/v1', method: 'canary', columns: ['a', 'b'], key: encode64(KEY), draws: 5, rows: rowsOf(20), ...more});
const ofPositions = (n, more) => ({type: 'provenance-ledger.pool/v1', method: 'tardos', columns: ['a'], key: encode64(KEY), colluders: 2,
  positions: Array.from({length: n}, (_, i) => ({bias: 2 ** 31, rows: [record(`zero ${i}`), record(`one ${i}`)]})), ...more});
const preparation = {id: PREPARED, request: REQUESTED, bound: '0.000001', recipients: 20};
const draw = (value, more) => drawFrom(readPool(value, value), {...preparation, method: value.method}, {coin: {salt: '', value: COIN}, file: 0, ...more});
const MAPPING = [{column: 0, found: 0, reading: 'text'}, {column: 1, found: 1, reading: 'text'}];
const found = (rows, mapping = MAPPING) => new FoundRows(rows, mapping, rows.length, 2).prepare();
const cellsOf = (...numbers) => numbers.map(i => [`Row  ${i}`, `${i}.0`]);

test('the seed, and what it draws', () => {
  assert.equal(seedOf(PREPARED, REQUESTED, COIN), SEED);
  const {drawn} = draw(ofRows());
  assert.deepEqual([...drawn].sort((a, b) => a - b), [0, 7, 9, 12, 18]);
  assert.deepEqual([...drawnOf({hmac: () => new Uint8Array(32), rows: rowsOf(9), draws: 3}, SEED)], [0, 1, 2], 'of equal ranks the smaller numbers');
});

test('every row of a pool is drawn about as often as any other', () => {
  const times = new Array(40).fill(0), pool = {hmac: hmacOf(KEY), rows: rowsOf(40), draws: 10};
  for (let i = 0; i < 1000; i += 1) for (const row of drawnOf(pool, String(i))) times[row] += 1;
  assert.ok(Math.min(...times) > 180 && Math.max(...times) < 320, times.join(' ')); // 250, and five standard deviations
});

test('what is no pool', () => {
  const reason = (value, method = value.method) => reasonOf(() => readPool(value, {method}));
  assert.deepEqual([reason(ofRows()), reason(ofRows({method: 'omission'})), reason(ofPositions(3)), reason(ofRows({columns: ['', 'x'.repeat(1000000)]}))], [null, null, null, null]);
  for (const [value, expected] of [
    [ofRows({type: 'provenance-ledger.marks/v1'}), 'wrong-value'], [ofRows({draws: 20}), 'wrong-value'], [ofRows({draws: 0}), 'wrong-value'], [ofRows({bits: [1, 1]}), 'unknown-field'],
    [ofRows({rows: [...rowsOf(19), rowsOf(1)[0]]}), 'wrong-value'], [ofRows({rows: rowsOf(10001)}), 'wrong-value'], [ofRows({columns: ['a']}), 'wrong-value'],
    [ofRows({columns: ['a', 'x'.repeat(1000001)]}), 'wrong-value'], [ofRows({rows: [...rowsOf(19), encode64(utf8('["b", "c"]'))]}), 'wrong-value'], [ofRows({key: encode64(KEY.subarray(1))}), 'wrong-value'],
    [ofRows({method: 'other'}), 'wrong-value'], [ofPositions(2, {draws: 1}), 'unknown-field'], [ofPositions(2, {colluders: 0}), 'wrong-value'], [ofPositions(0), 'wrong-value'],
    [ofPositions(1, {positions: [{bias: 2 ** 22 - 1, rows: [record('a'), record('b')]}]}), 'wrong-value'], [ofPositions(1, {positions: [{bias: 2 ** 31, rows: [record('a')]}]}), 'wrong-value'],
    [ofPositions(1, {positions: [{bias: 2 ** 31, rows: [record('a'), record('a')]}]}), 'wrong-value'], [{...ofRows(), rows: undefined}, 'wrong-type'],
  ]) assert.equal(reason(value), expected, JSON.stringify(value).slice(0, 300));
  const {draws: _, ...without} = ofRows();
  assert.equal(reason(without), 'missing-field');
  assert.equal(reason(ofRows(), 'omission'), 'marks-differ-from-the-open');
  assert.equal(reason(ofPositions(2), 'canary'), 'marks-differ-from-the-open');
});

test('the tail is what counting all choices gives', () => {
  for (let drawn = 1; drawn <= 5; drawn += 1) {
    for (let others = 1; others <= 5; others += 1) {
      const byHits = new Map();
      for (let choice = 0; choice < 2 ** (drawn + others); choice += 1) {
        const bits = Array.from({length: drawn + others}, (_, i) => choice >> i & 1), of = bits.slice(0, drawn).reduce((a, b) => a + b, 0), hits = bits.reduce((a, b) => a + b, 0);
        byHits.set(hits, [...(byHits.get(hits) ?? []), of]);
      }
      for (let k = 0; k <= drawn; k += 1) {
        for (let c = 0; c <= others; c += 1) {
          const all = byHits.get(k + c), expected = -Math.log2(all.filter(of => of >= k).length / all.length);
          assert.ok(Math.abs(tailBits(drawn, others, k, c) - expected) < 1e-12, [drawn, others, k, c].join(' '));
        }
      }
    }
  }
});

test('the tail of great pools', () => {
  for (const [drawn, others, k, c, expected] of [
    [200, 9800, 20, 0, 114.26710399725170564114], [200, 9800, 20, 9, 91.236465827645948420218], [40, 2000, 5, 0, 28.730053749818393218162], [3, 3, 3, 0, 4.3219280948873623478703],
    [5000, 5000, 2600, 2400, 14.827805663689349825550], [100, 9900, 100, 9900, 0], [200, 9800, 120, 40, 617.38176539852575528967], [200, 9800, 0, 0, 0],
  ]) assert.ok(Math.abs(tailBits(drawn, others, k, c) - expected) < 1e-9, [drawn, others, k, c].join(' '));
});

test('what the choice of a mapping costs', async () => {
  const paid = (records, rows, width = rows[0]?.length ?? 0) => paidBits(records, rows, width);
  assert.equal(await paid([['a', 'b']], [], 2), 0, 'a file of no rows');
  assert.equal(await paid([['a', 'b']], [['c', 'd']]), 0, 'nothing fits');
  assert.equal(await paid([['A ', 'x']], [['a', 'q']]), 1, 'one column under four readings that are one');
  assert.equal(await paid([['a', 'x']], [['a', 'a']]), 1, 'two columns that are the same in every row');
  assert.equal(await paid([['a', 'x']], [['a', 'a'], ['a', 'b']]), Math.log2(3), 'two that are not');
  assert.equal(await paid([['a', 'a']], [['a', 'a'], ['a', 'b']]), 2 * Math.log2(3), 'for every column of the pool');
  assert.equal(await paid([[null]], [['a', null], [null, 'b']]), Math.log2(3), 'none counts as a cell');
  assert.equal(await paid([['1.5']], [['1,5']]), 1, 'a decimal comma is one reading');
  assert.equal(await paid([['1,5'], ['1.5']], [['1,5']]), Math.log2(3), 'and the text is another');
  assert.equal(await paid([['2020-03-04'], ['2020-04-03'], ['04/03/2020']], [['04/03/2020']]), 2, 'text or comma, day first, month first');
  assert.equal(await paid([['2020-03-04'], ['2020-04-03']], [['04／03／2020']]), Math.log2(3), 'in wide characters too');
  assert.equal(await paid([['\u{e0fff}']], [['\u{e0fff}']]), 0, 'a cell that is not comparable has no normal form');
});

test('canary: drawn rows that are found weigh, and others that are found weigh against them', async () => {
  const value = ofRows(), score = async (numbers, more, mapping) => scoreDraw(draw(value, more), await found(cellsOf(...numbers), mapping), 1.5);
  const three = await score([0, 7, 9, 1]);
  assert.deepEqual([three.drawn, three.found, three.others, three.othersFound, three.planted, three.plantedFound], [5, 3, 15, 1, 5, 3]);
  assert.equal(three.score, tailBits(5, 15, 3, 1) - 1.5);
  assert.equal(three.bits, tailBits(5, 15, 3, 1));
  assert.equal(three.scoreFor, undefined);
  const retired = await score([0, 7, 9, 1], {retired: [1, 9, 19]});
  assert.deepEqual([retired.drawn, retired.found, retired.othersFound, retired.planted], [5, 2, 1, 4], 'only what was drawn can be retired');
  assert.ok(retired.score < three.score);
  assert.deepEqual([(await score([])).score, (await score([1, 2])).score], [0, 0]);
  assert.equal((await score([0, 7, 9], {}, [{column: 2, found: 0, reading: 'text'}])).found, 0, 'a pool without a mapped column finds nothing');
  assert.deepEqual(three.isFound.map((is, i) => is && three.isPlanted(i) ? i : -1).filter(i => i >= 0), [0, 7, 9]);
});

test('omission: what lacks is a hit; without the file, what is written counts', async () => {
  const value = ofRows({method: 'omission'}), whole = [...Array(20).keys()], without = whole.filter(i => ![0, 7, 9, 12, 18, 3].includes(i));
  const leak = scoreDraw(draw(value), await found(cellsOf(...without)), 0);
  assert.deepEqual([leak.found, leak.othersFound, leak.plantedFound, leak.different], [5, 1, 5, 5]);
  assert.equal(leak.bits, tailBits(5, 15, 5, 1));
  assert.equal(scoreDraw(draw(value), await found(cellsOf(...whole)), 0).bits, 0);
  assert.equal(scoreDraw(draw(value), await found([]), 0).bits, 0, 'a file that lacks everything');
  assert.equal(scoreDraw(draw(value), await found([]), 0, {found: 4, others: 0}).bits, tailBits(5, 15, 4, 0));
  const more = scoreDraw(draw(value, {retired: [7]}), await found([]), 0, {found: 5, others: 16});
  assert.deepEqual([more.found, more.othersFound], [4, 15], 'never more than there are');
  assert.ok(!leak.isFound.some((_, i) => leak.isPlanted(i)), 'there is nothing to show');
});

test('tardos: the word is that of the seed, over all positions, retired ones too', async () => {
  const value = ofPositions(60), word = Array.from({length: 60}, (_, i) => {
    const digest = createHmac('sha256', KEY).update(`word\n${SEED}\n${i >> 3}`).digest();
    return digest.readUInt32BE(4 * (i % 8)) < 2 ** 31 ? 1 : 0;
  });
  const rows = await found(word.map((bit, i) => [`${bit ? 'one' : 'zero'} ${i}`, null]), [MAPPING[0]]), whole = scoreDraw(draw(value), rows, 2);
  assert.deepEqual([whole.seen, whole.planted, whole.plantedFound, whole.different], [60, 60, 60, 60]);
  assert.ok(whole.word > 40 && whole.word <= 60, String(whole.word));
  assert.equal(whole.score, whole.word - 2);
  assert.equal(whole.scoreFor(SEED), whole.score);
  assert.equal(whole.scoreFor('control/0'), 0);
  const part = scoreDraw(draw(value, {retired: [3, 5, 99]}), rows, 2);
  assert.deepEqual([part.seen, part.planted, part.plantedFound, part.different], [60, 58, 58, 58]);
  assert.equal(part.word, whole.word, 'who knows the word could choose by it');
  assert.ok(!part.isPlanted(6) && !part.isPlanted(7) && part.isPlanted(8) !== part.isPlanted(9));
});

test('what is needed: every try is paid for', () => {
  assert.equal(neededOfPool(preparation, 3, 1), 24254);
  assert.equal(neededOfPool(preparation, 40, 1), 25254);
  assert.equal(neededOfPool(preparation, 3, 4), 26254);
  const offer = {listing: 'l', sender: 's', recipient: 'r'}, prepared = {listing: 'l', sender: 's', recipient: 'r'};
  const preparations = [{...prepared, id: 'used'}, {...prepared, id: 'unused'}, {...prepared, id: 'of another', recipient: 'q'}, {...prepared, id: 'by another', sender: 't'}, {...prepared, id: 'elsewhere', listing: 'm'}];
  const marked = [{marks: {prepared: 'used'}}, {marks: {prepared: 'used'}}, {marks: {seal: {}}}];
  assert.equal(triesOf(preparations, offer, marked), 4);
});

test('ten thousand rows of a pool, and a thousand found, are quick', async () => { // by the processor's time, so that what else the machine does changes nothing: 0.3 s
  const columns = Array.from({length: 12}, (_, j) => `c${j}`), cells = i => columns.map((_, j) => j % 3 ? `${(i * (j + 7)) % 9973}.${j}` : `N${i * (j + 1)}XY`);
  const value = ofRows({columns, draws: 200, rows: Array.from({length: 10000}, (_, i) => record(...cells(i)))});
  const mapping = columns.map((_, j) => ({column: j, found: j, reading: 'text'})), times = [];
  for (let i = 0; i < 3; i += 1) {
    const before = process.cpuUsage(), own = draw(value), numbers = [...own.drawn, ...Array.from({length: 800}, (_, n) => 20000 + n)];
    const rows = await new FoundRows(numbers.map(cells), mapping, numbers.length, 12).prepare();
    const score = scoreDraw(own, rows, await paidBits(own.pool.cells, rows.rows, 12));
    const {user, system} = process.cpuUsage(before);
    times.push((user + system) / 1000);
    assert.deepEqual([score.found, score.othersFound], [200, 0]);
    assert.ok(score.paid > 12 && millibits(score.score) > 1000000, String(score.paid));
  }
  assert.ok(Math.min(...times) < 1000, times.join(' '));
});
