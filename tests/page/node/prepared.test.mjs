// Pools that are prepared, requested and drawn from: fields, references, disclosures, subjects, findings (docs/statements.md, version 6).

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {encode64} from '../../../verifier/page/src/bytes.js';
import {commitment, openPlaces} from '../../../verifier/page/src/disclosures.js';
import {Judge} from '../../../verifier/page/src/judge.js';
import {REFERENCES} from '../../../verifier/page/src/references.js';
import {Registry, record, subjectsOf} from '../../../verifier/page/src/registry.js';
import {verifyFields} from '../../../verifier/page/src/statements.js';
import {reasonOf} from './vectors.mjs';

const idOf = n => `sha256:${String(n).padStart(64, '0')}`, bytes = (n, fill = 7) => encode64(new Uint8Array(n).fill(fill)), SEALED = {sealed: 'ab'.repeat(32)};
const LEDGER = idOf(0), LISTING = idOf(1), LICENSE = idOf(2), PREPARED = idOf(3), REQUESTED = idOf(4), OFFER = idOf(5), SALT = bytes(16), COIN = bytes(32);
const said = (type, issuer, more) => ({type, issuer, ledger: LEDGER, nonce: bytes(16), signers: ['cd'.repeat(32)], issued_ms: 0, not_after_ms: 1, ...more});
const without = (statement, field) => { const {[field]: _, ...rest} = statement; return rest; };

const sealedCoin = {sealed: commitment({kind: 'coin', ledger: LEDGER, issuer: 'a.example', nonce: bytes(16), pointer: '/coin', salt: SALT, value: COIN})};
const prepared = said('transfer.prepared', 'a.example', {listing: LISTING, recipient: 'b.example', bound: '0.001', recipients: 9, method: 'canary', coin: sealedCoin, seal: SEALED});
const requested = said('transfer.requested', 'b.example', {prepared: PREPARED, coin: bytes(32, 9), seen: {root: 'ef'.repeat(32), size: 7}});
const marks = {prepared: PREPARED, coin: {salt: SALT, value: COIN}, file: 0};
const offered = said('transfer.offered', 'a.example', {listing: LISTING, license: LICENSE, recipient: 'b.example', content: SEALED, marks});
const acknowledged = said('transfer.acknowledged', 'b.example', {transfer: OFFER, content: {sealed: '01'.repeat(32)}, opens: SEALED.sealed});
const marking = {bound: '0.001', method: 'canary', recipients: 9};
const agreed = said('license.agreed', 'a.example', {listing: LISTING, licensee: 'b.example', valid_from_ms: 0, valid_until_ms: 10, marking_consent: true, marking});
const amended = said('license.amended', 'a.example', {license: LICENSE, marking_consent: true, marking});

test('fields', () => {
  const reason = (statement, rules = 6) => { let where = ''; const found = reasonOf(() => { try { verifyFields(statement, rules); } catch (fault) { ({where} = fault); throw fault; } }); return found && `${found} ${where}`; };
  for (const statement of [prepared, requested, offered, acknowledged, amended, {...prepared, method: 'omission'}, {...offered, marks: {...marks, retired: [0, 9, 10]}}, without(offered, 'marks')])
    assert.equal(reason(statement), null, statement.type);
  for (const [statement, expected] of [
    [{...prepared, coin: COIN}, 'wrong-type /coin'], [{...prepared, seal: {}}, 'missing-field /seal/sealed'], [{...prepared, method: 'other'}, 'wrong-value /method'], [{...prepared, bound: '0.0'}, 'wrong-value /bound'],
    [{...prepared, recipients: 0}, 'wrong-value /recipients'], [{...prepared, threshold_millibits: 1}, 'unknown-field /threshold_millibits'], [without(prepared, 'seal'), 'missing-field /seal'],
    [{...requested, coin: bytes(31)}, 'wrong-value /coin'], [{...requested, prepared: 'x'}, 'wrong-value /prepared'], [without(acknowledged, 'opens'), 'missing-field /opens'],
    [{...offered, marks: {bound: '0.1', method: 'canary', seal: SEALED, threshold_millibits: 9}}, 'missing-field /marks/prepared'], [{...offered, marks: {...marks, seal: SEALED}}, 'unknown-field /marks/seal'],
    [{...offered, marks: {...marks, coin: SEALED}}, 'missing-field /marks/coin/salt'], [{...offered, marks: {...marks, coin: {salt: bytes(15), value: COIN}}}, 'wrong-value /marks/coin/salt'],
    [{...offered, marks: {...marks, retired: []}}, 'wrong-value /marks/retired'], [{...offered, marks: {...marks, retired: [10, 9]}}, 'wrong-value /marks/retired'], [{...offered, marks: {...marks, retired: [9, 9]}}, 'wrong-value /marks/retired'],
    [{...amended, marking_consent: false}, 'wrong-value /marking'], [without(amended, 'marking_consent'), 'wrong-value /marking'], [{...amended, marking: SEALED}, 'missing-field /marking/bound'],
    [{...amended, marking: {...marking, recipients: 0}}, 'wrong-value /marking/recipients'],
  ]) assert.equal(reason(statement), expected);
  assert.equal(reason({...agreed, marking_consent: false, terms: {}}), 'wrong-value /marking');
  assert.equal(reason(amended, 5), 'unknown-field /marking');
  assert.equal(reason(offered, 5), 'missing-field /marks/bound');
  assert.equal(reason(acknowledged, 5), 'unknown-field /opens');
});

/** A ledger's state at which the preparation may stand; `take` adds what is given, and gives the place of the fault if it is refused. */
function begun() {
  const registry = new Registry(true);
  for (const party of ['a.example', 'b.example', 'c.example']) registry.parties.set(party, 0);
  registry.listings.set(LISTING, {index: 1, issuer: 'a.example'});
  registry.listings.set(idOf(11), {index: 2, issuer: 'a.example'});
  let index = 5;
  const take = (statement, id = idOf(90 + index)) => {
    const entry = {index, time: index};
    try { REFERENCES[statement.type](registry, statement, entry); } catch (fault) { if (!fault.reason) throw fault; return `${fault.reason} ${fault.where}`; }
    record(registry, entry, {id}, statement, []);
    index += 1;
    return null;
  };
  return {registry, take};
}

test('references', () => {
  const {registry, take} = begun();
  const offer = without(offered, 'license');
  assert.equal(take({...prepared, listing: idOf(77)}), 'unknown-reference /listing');
  assert.equal(take({...prepared, recipient: 'nobody.example'}), 'unknown-party /recipient');
  assert.equal(take({...prepared, recipient: 'a.example'}), 'same-party /recipient');
  assert.equal(take(offer), 'unknown-reference /marks/prepared');
  assert.equal(take(requested), 'unknown-reference /prepared');
  assert.equal(take(prepared, PREPARED), null); // entry 5
  assert.equal(take(offer), 'wrong-value /marks/prepared', 'it was not requested');
  assert.equal(take({...requested, issuer: 'c.example'}), 'wrong-role /issuer');
  assert.equal(take(without(requested, 'seen')), 'wrong-value /seen');
  assert.equal(take({...requested, seen: {...requested.seen, size: 5}}), 'wrong-value /seen');
  assert.equal(take({...requested, seen: {...requested.seen, size: 6}}, REQUESTED), null);
  assert.match(take(requested), /^already-decided /);
  for (const [more, where] of [[{issuer: 'c.example'}, 'prepared'], [{listing: idOf(11)}, 'prepared'], [{recipient: 'c.example'}, 'prepared'], [{marks: {...marks, coin: {salt: SALT, value: bytes(32, 8)}}}, 'coin'], [{marks: {...marks, coin: {salt: bytes(16, 8), value: COIN}}}, 'coin']])
    assert.equal(take({...offer, ...more}), `wrong-value /marks/${where}`);
  assert.equal(take(offer, OFFER), null);
  assert.equal(take(offer), null, 'one pool serves several copies');
  assert.equal(take({...acknowledged, opens: '01'.repeat(32)}), 'wrong-value /opens');
  assert.equal(take({...acknowledged, issuer: 'c.example', opens: '01'.repeat(32)}), 'wrong-role /issuer');
  assert.equal(take(acknowledged), null);
  assert.match(take({...acknowledged, opens: '01'.repeat(32)}), /^already-decided /);
  assert.equal(registry.preparations.get(PREPARED).request, REQUESTED);
});

test('whom they concern', () => {
  const {registry} = begun(), about = new Map();
  const of = (id, statement) => { const subjects = subjectsOf(registry, about, {id}, statement); about.set(id, subjects); return [...subjects].sort(); };
  about.set(LISTING, new Set([LISTING, 'owner.example']));
  assert.deepEqual(of(PREPARED, prepared), ['a.example', 'b.example', 'owner.example', LISTING, PREPARED]);
  assert.deepEqual(of(REQUESTED, requested), ['a.example', 'b.example', 'owner.example', LISTING, PREPARED, REQUESTED]);
  assert.ok(!of(OFFER, without(offered, 'license')).includes(PREPARED), 'an offer concerns the listing anyway');
});

test('what is disclosed of a preparation is compared, and never put in its place', () => {
  const sealed = (kind, pointer, value) => ({kind, ledger: LEDGER, issuer: 'a.example', nonce: bytes(16), pointer, salt: SALT, value, statement_id: PREPARED});
  const pool = sealed('pool', '/seal', {any: 'object'}), coin = sealed('coin', '/coin', COIN), statement = {...prepared, seal: {sealed: commitment(pool)}};
  const opened = structuredClone(statement), {faults, contents} = openPlaces(opened, [pool, coin], 6);
  assert.deepEqual([faults, opened, [...contents]], [[], statement, [['/seal', {any: 'object'}], ['/coin', COIN]]]);
  const faultsOf = (item, more) => openPlaces({...structuredClone(statement), ...more}, [item], 6).faults.map(([reason]) => reason);
  assert.deepEqual(faultsOf({...pool, salt: bytes(16, 1)}), ['disclosure-mismatch']);
  for (const [item, place] of [[sealed('pool', '/seal', 'text'), 'seal'], [sealed('field', '/seal', {any: 'object'}), 'seal'], [sealed('marks', '/seal', {any: 'object'}), 'seal'],
    [sealed('coin', '/coin', bytes(31)), 'coin'], [sealed('field', '/coin', COIN), 'coin']])
    assert.deepEqual(faultsOf(item, {[place]: {sealed: commitment(item)}}), ['disclosure-malformed'], item.kind);
});

test('a copy that is marked otherwise than agreed', () => {
  const terms = {purposes: ['any'], valid_from_ms: 0, valid_until_ms: 10};
  const judged = (...more) => {
    const judge = new Judge();
    [[LISTING, said('listing.registered', 'a.example', {})], [LICENSE, {...agreed, terms}], [PREPARED, prepared], ...more].forEach(([id, statement], index) => judge.take({id, index, time: index, statement, contents: new Map()}));
    return judge.findings.map(({slug, entries}) => `${slug} ${entries}`);
  };
  const other = {...marking, recipients: 10}, slug = 'marked-otherwise-than-agreed';
  assert.deepEqual(judged([OFFER, offered]), []);
  for (const change of [{bound: '0.01'}, {method: 'tardos'}, {recipients: 8}]) assert.deepEqual(judged([PREPARED, {...prepared, ...change}], [OFFER, offered]), [`${slug} 1,3,4`], JSON.stringify(change));
  assert.deepEqual(judged([idOf(6), {...amended, marking: other}], [OFFER, offered]), [`${slug} 1,2,3,4`]);
  assert.deepEqual(judged([idOf(6), {...amended, marking: other}], [idOf(7), without(amended, 'marking')], [OFFER, offered]), [], 'the newest consent has no marking');
  assert.deepEqual(judged([idOf(6), {...amended, marking: other}], [idOf(7), amended], [OFFER, offered]), [], 'or the one that is kept');
  assert.deepEqual(judged([idOf(6), said('license.amended', 'a.example', {license: LICENSE, marking_consent: false})], [OFFER, offered]), ['marked-without-consent 1,3,4']);
  assert.deepEqual(judged([idOf(6), {...amended, marking: other}], [OFFER, without(offered, 'marks')]), []);
  const elsewhere = [idOf(12), said('listing.registered', 'a.example', {})];
  assert.deepEqual(judged(elsewhere, [idOf(6), {...amended, marking: other}], [OFFER, {...offered, listing: idOf(12)}]), ['transfer-without-license 1,5'], 'of a license of another listing nothing more is said');
});
