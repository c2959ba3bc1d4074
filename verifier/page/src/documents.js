// @ts-check
// ── The forms of a bundle's documents (docs/bundle.md §3–§5) ─────────────────────────────────────────────────────────

import {
  anyText, base64, bool, codes, count, exactly, has, hex32, id, integer, isObject, line, listOf, members, name, size,
  text, time,
} from './forms.js';
import {MOST_MILLIBITS} from './marks.js';
import {openedForm} from './records.js';
import {ACTIONS} from './vocabulary.js';
import {MAX_MEMBERS, MAX_ZIP} from './zip.js';

export const FOR_PEOPLE = [
  'report.html',
  'report.pdf',
  'declaration.html',
  'index.html',
  'how-to-verify.txt',
  'verify.html',
  'policy-hint.txt',
  'provenance.json',
  'trace.json',
];
/** @type {(most: number, item: Check) => Check} */
const upTo = (most, item) => listOf(item, most, 0);
/** @type {(type: string) => Check} */
const isA = type => exactly(`provenance-ledger.${type}/v1`);
const bits = integer(0, MOST_MILLIBITS);
const opened = {score_millibits: bits, status: exactly('opened'), transfer: id};
/**
 * What is said of the marks of one copy: of a seal of their own; since version 2, of a pool of rows or of positions too.
 * @type {(version: number) => Check}
 */
const marksForm = version => value => (value?.status === 'withheld' ? members({status: exactly('withheld'), transfer: id})
  : version > 1 && has(value ?? {}, 'drawn') ? members({drawn: count, found: size, others: count, others_found: size, paid_millibits: bits, ...opened})
    : version > 1 && has(value ?? {}, 'seen') ? members({paid_millibits: bits, seen: size, word_millibits: bits, ...opened})
      : members({chance_millibits: bits, found: size, of: size, 'word_millibits?': bits, ...opened}))(value);
/**
 * Of the packaging, by the type that the manifest names: one file an entry, or all entries in one (§2.1, §2.2).
 * @type {Record<string, number>}
 */
export const VERSIONS = {'provenance-ledger.bundle/v1': 1, 'provenance-ledger.bundle/v2': 2};
export const manifestForm = members({
  type: codes(...Object.keys(VERSIONS)),
  made: members({at_ms: time, by: line(300), program: line(100)}),
  files: upTo(MAX_MEMBERS, members({bytes: size, path: line(65535), sha256: hex32})),
});
const actForm = members({
  action: codes(...ACTIONS),
  at_ms: time,
  'industry?': line(200),
  license: id,
  'product?': line(200),
  'purpose?': line(200),
  'recipient?': line(200),
  'spatial?': line(200),
});
export const caseForm = members({
  type: isA('case'),
  acts: upTo(100, actForm),
  'claim?': id,
  claimant: name,
  ledger: id,
  'license?': id,
  listing: id,
  question: text(4000),
  'registration?': id,
  respondent: name,
  transfer: id,
});
const custodyStep = {at_ms: time, tools: upTo(20, line(200)), what: text(2000), who: line(300)};
const linkForm = members({
  type: isA('custody'),
  acquisition: members({
    address: text(2000), how: text(2000), 'second?': line(300),
    records: upTo(20, members({bytes: size, kind: codes('archive', 'capture', 'headers', 'other'), name: line(255), sha256: hex32})),
  }),
  at_ms: time,
  file: members({bytes: size, name: line(255), sha256: hex32}),
  who: line(300),
});
/** @type {(version: number) => Check} */
const evidenceOf = version => members({
  type: exactly(`provenance-ledger.evidence/v${version}`),
  found: members({
    bytes: size, 'columns?': upTo(4096, anyText), count: size, 'delimiter?': codes(',', ';', '|'), 'encoding?': line(40),
    format: codes('arrow', 'chunks', 'csv', 'jsonl', 'parquet', 'tsv'), name: line(255), 'path?': line(65535), sha256: hex32,
  }),
  custody: upTo(100, value => (isObject(value) && has(value, 'previous') ? members({...custodyStep, after: hex32, before: hex32, previous: hex32}) : members(custodyStep))(value)),
  'registration?': linkForm,
  mapping: upTo(4096, members({column: size, found: size, reading: codes('text', 'comma', 'dmy', 'mdy')})),
  found_rows: upTo(100000, members({row: size, value: base64(0, MAX_ZIP)})),
  records: upTo(100000, openedForm),
  matches: upTo(100000, members({file: size, kind: codes('exact', 'normalised'), record: size, row: size})),
  marks: upTo(10000, marksForm(version)),
  controls: members({'greatest_millibits?': bits, others: upTo(10000, members({party: name, score_millibits: bits, transfer: id}))}),
  counts: members({'examined?': count, exclusive: size, marks: size, records: size, records_found: size, shared: size}),
  hypotheses: upTo(
    10004,
    members({
      expected_milli: size,
      hypothesis: codes('chance', 'none', 'other', 'public', 'recipient', 'sender'),
      observed: size,
      'party?': name,
      surprise_millibits: bits,
    }),
  ),
  conclusion: value => (isObject(value) && Object.keys(value).length === 1 ? members({is_enough: exactly(false)})
    : members({is_enough: bool, needed_millibits: size, score_millibits: bits, seals: size}))(value),
});
export const POOLED = 'provenance-ledger.evidence/v2';
const evidenceForms = [evidenceOf(1), evidenceOf(2)];
/** @type {Check} */
export const evidenceForm = value => evidenceForms[value?.type === POOLED ? 1 : 0](value);
export const judgementForm = members({
  type: isA('judgement'), acts: upTo(100, members({decision: codes('permitted', 'prohibited', 'undetermined'), entries: upTo(10000, size)})),
  findings: upTo(10000, members({entries: upTo(10000, size), index: size, party: name, since_ms: time, slug: line(100)})),
});
export const HISTORY_TYPE = 'application/vnd.provenance-ledger.history.v1+json';
export const historyForm = members({
  indexes: upTo(2 ** 20, size),
  ledger: id,
  root: hex32,
  size: count,
  subjects: upTo(1000, line(200)),
  type: isA('history'),
});
