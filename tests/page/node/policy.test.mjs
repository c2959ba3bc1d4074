import assert from 'node:assert/strict';
import {test} from 'node:test';

import {utf8} from '../../../verifier/page/src/bytes.js';
import {parseParties, parsePolicy} from '../../../verifier/page/src/policy.js';
import {load, read, reasonOf} from './vectors.mjs';

for (const {name, policy: text, refused, logs, witnesses, groups, quorum} of load('policies.json').cases) {
  test(`policies: ${name}`, () => {
    if (refused) { assert.notEqual(reasonOf(() => parsePolicy(utf8(text))), null); return; }
    const policy = parsePolicy(utf8(text));
    assert.deepEqual(policy.logs.map(log => log.name), logs);
    assert.deepEqual([...policy.witnesses.keys()], witnesses);
    assert.deepEqual(policy.groups.map(group => [group.name, group.k, group.members]), groups);
    assert.equal(policy.quorum, quorum);
  });
}

test('the policies and parties of earlier versions', () => {
  for (const version of [1, 2, 3, 4]) {
    for (const file of ['policy.txt', 'operator-policy.txt']) assert.ok(parsePolicy(read(`ledger-v${version}/${file}`)).logs.length);
    assert.ok(parseParties(read(`ledger-v${version}/parties.txt`)).length);
  }
});

test('what is no parties file', () => {
  const keyid = 'ab'.repeat(32);
  assert.deepEqual(parseParties(utf8(`# known\n\nparty a.example ${keyid}\r\n`)), [['a.example', keyid]]);
  for (const line of ['party', 'party a.example', `party a.example ${keyid.slice(1)}`, `party a.example ${keyid} more`, `party A.example ${keyid}`, `constructor a ${keyid}`])
    assert.equal(reasonOf(() => parseParties(utf8(line))), 'malformed', line);
});
