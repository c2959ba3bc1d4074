// @ts-check
// ── The page: what was found, as sentences, tables and a timeline ────────────────────────────────────────────────────

import {byCodePoint, lookUp} from './bytes.js';
import {firstHandled} from './custody.js';
import {$, clock, inBits, list, make, mark, plainText, section, sentence, sizeOf, table} from './elements.js';
import {factorOf, factsOf, isConditional, oddsOf, supportOf} from './facts.js';
import {CHECKS} from './report.js';
import {SINCE} from './scores.js';
import {say} from './texts.js';
import {describe, whatLasts} from './verify.js';

/**
 * What is said at the top, and the values of its sentence.
 * @type {(report: BundleReport) => {kind: 'verified' | 'verifiedOnly' | 'conditional' | 'false' | 'unknown', text?: string, values: Record<string, string>}}
 */
export function verdictOf(report) {
  const {exitCode, story} = report;
  if (isConditional(report) && story.offer) {
    const {isEnough, respondent, who, own} = factsOf(report);
    return {kind: 'conditional', text: !isEnough ? 'conditionalOnlyText' : own?.origin === 'pool' ? 'conditionalDrawnText' : 'conditionalText', values: {respondent, who}};
  }
  if (exitCode) {
    const first = (exitCode === 1 ? report.failures : report.doubts)[0];
    return {
      kind: exitCode === 1 ? 'false' : 'unknown',
      values: {check: first.check, should: say(`c.${first.check}`), reason: `${first.reason} ${first.where}`.trim()},
    };
  }
  const {respondent, transfer} = story.case, isDrawn = story.seals?.get(transfer)?.origin === 'pool';
  return story.shortcomings?.length === 0 ? {kind: 'verified', text: isDrawn ? 'verifiedDrawnText' : undefined, values: {respondent}} : {kind: 'verifiedOnly', values: {respondent}};
}
/**
 * Show the whole report on the page; returns its verdict.
 * @type {(report: BundleReport) => string}
 */
export function showReport(report) {
  const {story} = report, verdict = verdictOf(report), sign = {verified: '✓', verifiedOnly: '✓', false: '✗', unknown: '?', conditional: '?'}[verdict.kind];
  const isTold = story.offer !== undefined && !report.stopped; // else nothing in it is believed enough to be told
  const parts = [make('div', {class: `verdict ${verdict.kind}`},
    make('p', {class: 'sign', 'aria-hidden': 'true', text: sign}), make('div', {}, make('h2', {id: 'verdict', tabindex: '-1', text: say(verdict.kind)}),
      make('p', {}, ...sentence(verdict.text ?? `${verdict.kind}Text`, verdict.values)), isTold && report.exitCode !== 1 ? showScore(story) : null))];
  if (isTold) {
    parts.push(showCase(story));
    if (report.exitCode !== 1) parts.push(make('div', {class: 'pair'}, showProved(report), showNotProved(report)));
    const facts = factsOf(report);
    // A section of its own, so that nobody takes for proved what would follow for a file that holds the rows shown.
    if (facts.isConditional && facts.isEnough) parts.push(section('wouldFollow', list(originOf(facts, 'fileOfRows'))));
    parts.push(showOpen(report), section('completeness', make('p', {text: say(story.completeness ?? '')})));
  }
  if (story.accepted.length && isTold) parts.push(showStory(report), showLasting(report));
  if (isTold && story.decisions) parts.push(showActs(story));
  if (isTold && report.exitCode !== 1) parts.push(showNumbers(story));
  if (isTold) parts.push(showCustody(story));
  parts.push(showChecks(report), showData(report));
  $('report').replaceChildren(...parts);
  return say(verdict.kind);
}
/** @type {(story: Story) => HTMLElement} */
function showScore({evidence: {conclusion}}) {
  if (conclusion.score_millibits === undefined) return make('p', {text: say('noScore')});
  const {score_millibits: score, needed_millibits: need} = conclusion,
    most = Math.max(score, need, 1) * 1.08,
    bar = make('div', {class: 'bar', 'aria-hidden': 'true'}, make('span', {class: 'fill'}), make('span', {class: 'goal'}));
  bar.firstChild.style.width = `${100 * score / most}%`;
  bar.lastChild.style.insetInlineStart = `${100 * need / most}%`;
  return make(
    'div',
    {class: 'score'},
    bar,
    make('p', {}, ...sentence('scoreText', {score: inBits(score), needed: inBits(need), odds: say(...oddsOf(score))})),
  );
}
/** @type {(story: Story) => HTMLElement} */
function showCase(story) {
  const {case: case_, offer, offerEntry, registry, bundle} = story;
  const byId = new Map(story.accepted.map(entry => [entry.id, entry]));
  /** @type {[key: string, value: Node][]} */
  const rows = [
    ['question', make('q', {text: case_.question})], ['claimant', partyOf(story, case_.claimant)], ['respondent', partyOf(story, case_.respondent)],
    ['dataset', make('bdi', {text: plainText(byId.get(case_.listing)?.statement.title)})],
    ['handedOver', make('span', {}, ...sentence('handedOverText', {sender: offer.sender, time: clock(offerEntry.time), index: String(offer.index)}))],
    ['ledger', make('bdi', {text: registry.origin})],
    ['madeBy', make('span', {}, ...sentence('madeByText', {by: bundle.made.by, time: clock(bundle.made.at_ms), program: bundle.made.program}))],
  ];
  return section('theCase', make('dl', {}, ...rows.flatMap(([key, value]) => [make('dt', {text: say(key)}), make('dd', {}, value)])));
}
/** @type {(story: Story, party: string) => string} */
const statusOf = ({pinned, registry}, party) =>
  pinned?.has(party) ? 'pinned' : registry.admission === 'operator' && party !== registry.operator ? 'evidenced' : 'nameOnly';
/** @type {(story: Story, party: string) => HTMLElement} */
const partyOf = (story, party) => make('span', {}, make('bdi', {class: 'name', text: party}), ` (${say(statusOf(story, party))})`);

/**
 * That the file derives from the copy: by which holders' word, and how much it weighs.
 * @type {(facts: ReturnType<typeof factsOf>, file: string) => (Node | string)[][]}
 */
function originOf({receipt, respondent, sender, ratio, own}, file) {
  const values = {respondent, sender, index: String(receipt.index), file: say(file)};
  /** @type {Said[]} */
  const said = [[own?.origin === 'pool' ? 'derivesOnCoins' : own?.method === 'tardos' ? 'derivesOnKey' : 'derivesOnBits'], [`held.${receipt.kind}`]];
  if (ratio !== null) said.push(['weight', {factor: say(...factorOf(ratio)), support: say(`support${supportOf(ratio)}`)}]);
  said.push(['notDistinguished']);
  return said.map(([key, more]) => sentence(key, {...values, ...more}));
}
/**
 * How many of the marks are found: of a pool, of those that were drawn and of those that were not.
 * @type {(item: Exclude<MarksItem, {status: 'withheld'}>, method?: string) => Said}
 */
const marksFound = (item, method) => 'seen' in item ? ['provedPositions', {n: String(item.seen)}]
  : 'of' in item ? ['provedMarks', {k: String(item.found), of: String(item.of)}]
    : [method === 'omission' ? 'provedLacking' : 'provedDraw', {k: String(item.found), of: String(item.drawn), c: String(item.others_found), others: String(item.others)}];
/** @type {(report: BundleReport) => HTMLElement} */
function showProved(report) {
  const {story} = report,
    {
      case: {respondent, transfer},
      offer,
      evidence,
      registry,
    } = story,
    facts = factsOf(report),
    own = evidence.marks.filter(item => item.status === 'opened').find(item => item.transfer === transfer);
  const values = {respondent, sender: offer.sender, origin: registry.origin, index: String(facts.receipt.index)};
  /** @type {Said[]} */
  const said = [['provedSigned'], ['provedHandedOver']];
  /** @type {(key: string, n: number) => Said[]} */
  const counts = (key, n) => n ? [[key, {n: String(n)}]] : [];
  if (facts.receipt.kind !== 'nothing') said.push([`receipt.${facts.receipt.kind}`]);
  if (report.state('record') === 'holds') said.push(...counts('provedRecords', evidence.records.length));
  if (report.state('match') === 'holds') said.push(...counts(facts.isRead ? 'provedMatches' : 'provedMatchesShown', new Set(evidence.matches.map(item => item.row)).size));
  if (own && report.state('score') === 'holds') said.push(marksFound(own, facts.own?.method));
  return section('proved', list([...said.map(([key, more]) => sentence(key, {...values, ...more})), ...(facts.isShown ? originOf(facts, 'fileItself') : [])]));
}
/** @type {(report: BundleReport) => HTMLElement} */
function showNotProved({story}) {
  const {
      case: {respondent},
      offer,
      checkpoint,
    } = story,
    keys_ = ['notWho', 'notName', 'notTruth', ...(checkpoint.isAlone ? ['notSplit'] : []), 'notPage'];
  return section('notProved', list(keys_.map(key => sentence(key, {respondent, sender: offer.sender}))));
}
/** @type {(report: BundleReport) => HTMLElement} */
function showOpen(report) {
  const {story, doubts} = report, {evidence, toRespondent = [], seals = new Map(), bundle, undetermined = []} = story, items_ = [];
  for (const item of doubts) items_.push(sentence('openDoubt', {check: item.check, reason: item.reason, where: item.where}));
  const facts = factsOf(report), {respondent, sender, receipt, first, own} = facts;
  items_.push(sentence(`open.${receipt.kind}`, {respondent, index: String(receipt.index)}));
  if (facts.isSurprising) items_.push(sentence('openFit', {expected: String(Math.floor(first.expected_milli / 1000)), observed: String(first.observed)}));
  if (own) for (const name of facts.shortcomings) items_.push(sentence(`lack.${name}`, {sender, bound: own.bound, time: clock(firstHandled(evidence))}));
  if (own && facts.wasCalledEnough && facts.shortcomings.length && facts.shortcomings.every((/** @type {string} */ name) => SINCE.includes(name))) items_.push(sentence('openEarlier'));
  if (!facts.isRead) items_.push(sentence('openRows', {who: facts.who}));
  if (own) items_.push(own.origin === 'pool' ? sentence('openCoins', {sender, respondent}) : sentence('openBits', {sender}));
  for (const transfer of toRespondent) if (!seals.has(transfer.id)) items_.push(sentence('openWithheld', {id: `${transfer.id.slice(0, 19)}…`}));
  for (const {statement} of story.accepted)
    if (statement.type === 'party.registered' && statement.identity?.certificates)
      items_.push(sentence('openCertificates', {party: statement.issuer}));
  if ([...seals.values()].some(seal => seal.origin === 'brought')) items_.push(sentence('openBrought'));
  if (evidence.counts.records) items_.push(sentence('openCounts'));
  items_.push(facts.files === undefined ? sentence('openFilesUnsaid') : sentence('openFiles', {n: String(facts.files)}));
  for (const item of undetermined) items_.push(sentence('openSealed', {what: say(`f.${item.slug}`), party: item.party, index: String(item.index)}));
  if (bundle.tokens) items_.push(sentence('openTokens', {n: String(bundle.tokens)}));
  return section('open', list(items_));
}
/** @type {(report: BundleReport) => HTMLElement} */
function showStory({story}) {
  const {accepted, checkpoint: {cosigned, own: ofTheLog}, case: case_} = story, byId = new Map(accepted.map(entry => [entry.id, entry]));
  const named = new Set([case_.transfer, case_.listing, case_.license, case_.claim, case_.registration]),
    independent = [...cosigned].filter(([witness]) => !ofTheLog.includes(witness)).map(([, seconds]) => seconds),
    earliest = independent.length ? Math.min(...independent) : null;
  const bound = earliest === null ? say('boundNone') : say('boundWitness', {time: clock(earliest * 1000)});
  const items_ = accepted.map(({index, time: at, id: own, statement, signers}) => {
    const about = byId.get(statement.prepared ?? statement.license ?? statement.transfer ?? statement.claim ?? statement.listing ?? statement.statement),
      marks = statement.marks;
    const values = {
      ...Object.fromEntries(Object.entries(statement).filter(([, value]) => typeof value !== 'object').map(([key, value]) => [key, String(value)])),
      title: plainText(statement.title), authority: plainText(statement.authority), recipient: plainText(statement.recipient ?? statement.outsider),
      from: clock(statement.valid_from_ms ?? statement.terms?.valid_from_ms ?? 0),
      until: clock(statement.valid_until_ms ?? statement.terms?.valid_until_ms ?? 0),
      by: clock(statement.erase_by_ms ?? 0), destroyed: statement.destroyed?.join(', '), ref: say('entryN', {index: about?.index ?? '…'}),
      marked: marks ? make('span', {text: marks.prepared ? say('markedByDraw', {ref: say('entryN', {index: byId.get(marks.prepared)?.index ?? '…'})}) : say('marked', {method: marks.method})}) : make('span'),
    };
    const isCase = named.has(own) || statement.transfer === case_.transfer;
    return make('li', isCase ? {class: 'case'} : {}, make('p', {class: 'when'}, make('time', {datetime: at <= 8.64e15 ? new Date(at).toISOString() : '', text: clock(at)}), ` · ${say('entryN', {index})}`),
      make('p', {}, ...sentence(`s.${statement.type}`, values)), make('p', {class: 'by'}, ...sentence('signedBy', {who: [...new Set(signers)].sort(byCodePoint).join(', ')})));
  });
  return section('story', make('p', {class: 'note'}, ...sentence('storyNote', {bound})), make('ol', {class: 'timeline'}, ...items_));
}
/** @type {(report: BundleReport) => HTMLElement} */
function showLasting({story}) {
  const {checkpoint, entries} = whatLasts(story), whose = (/** @type {string} */ witness) => say(story.checkpoint.own.includes(witness) ? 'byTheLog' : 'byAWitness', {name: witness});
  const types = new Map(story.accepted.map(entry => [entry.index, /** @type {string} */ (entry.statement.type)]));
  const who = (/** @type {string[]} */ owners) => make('bdi', {text: owners.join(', ') || '—'});
  const rows = entries.map(({index, lasting, short}) => [[`${say('entryN', {index})}: `, make('code', {text: lookUp(types, index)})], who(lasting), who(short)]);
  return section('lasting',
    make('p', {}, ...(checkpoint.length ? sentence('lastingCheckpoint', {who: checkpoint.map(whose).join(', ')}) : sentence('fallingCheckpoint'))),
    table(say('lasting'), [say('entry'), say('lastingToo'), say('shortAlone')], rows));
}
/** @type {(story: Story) => HTMLElement} */
function showActs({decisions = [], findings = []}) {
  const entries = (/** @type {number[]} */ indexes) => indexes.map(index => say('entryN', {index})).join(', ');
  const words = (/** @type {Act} */ act) => /** @type {const} */ (['purpose', 'spatial', 'recipient', 'industry', 'product']).flatMap(field => act[field] ?? []).join(', ');
  const rows = decisions.map(item => [[...sentence('actText', {action: item.act.action, time: clock(item.act.at_ms)}), words(item.act) ? make('span', {class: 'by'}, make('bdi', {text: ` ${words(item.act)}`})) : null].filter(Boolean),
    make('strong', {text: say(item.decision)}), entries(item.entries)]);
  return section('acts', decisions.length ? table(say('acts'), [say('act'), say('decision'), say('follows')], rows) : make('p', {text: say('noActs')}),
    make('h3', {text: say('findings')}), findings.length ? list(findings.map(item => sentence('finding', {party: item.party, what: say(`f.${item.slug}`), index: String(item.index), time: clock(item.since_ms)}))) : make('p', {text: say('noFindings')}));
}
/** @type {(story: Story) => HTMLElement} */
function showNumbers({evidence: {hypotheses, controls, marks, conclusion}, case: {transfer}}) {
  const named = (/** @type {Hypothesis} */ item) => [...sentence(`h${item.hypothesis[0].toUpperCase()}${item.hypothesis.slice(1)}`, {party: item.party})];
  const rows = hypotheses.filter(item => item.hypothesis !== 'chance').map(item => [ // earlier programs wrote `public` and `chance`: the same, twice
    named(item),
    (item.expected_milli / 1000).toFixed(1),
    String(item.observed),
    say('bits', {n: inBits(item.surprise_millibits)}),
  ]);
  const own = marks.find(item => item.transfer === transfer), paid = own && 'paid_millibits' in own ? [sentence('paid', {n: inBits(own.paid_millibits)})] : [];
  const greatest = controls.greatest_millibits, said = [...paid, ...(greatest === undefined ? [] : [sentence('control', {n: inBits(greatest)})]),
    ...controls.others.map(item => sentence('controlOther', {party: item.party, n: inBits(item.score_millibits)}))];
  if (!rows.length && !said.length) return section('numbers', make('p', {text: say(conclusion.score_millibits === undefined ? 'noScore' : 'noNumbers')}));
  return section('numbers', rows.length ? table(say('numbers'), [say('hypothesis'), say('expected'), say('observed'), say('surprise')], rows) : null,
    rows.length ? make('p', {class: 'note', text: say('numbersNote')}) : null, list(said));
}
/** @type {(story: Story) => HTMLElement} */
function showCustody({evidence: {custody, found}, registration}) {
  const registered = registration && sentence(registration.isBefore ? 'registeredBefore' : 'registeredAfter', {
    who: registration.entry.statement.issuer, index: String(registration.entry.index), time: clock(registration.entry.time),
    at: clock(registration.link.at_ms), said: registration.link.who, how: registration.link.acquisition.how, address: registration.link.acquisition.address,
    second: registration.link.acquisition.second ?? '—',
  });
  return section('custody', make('p', {class: 'note', text: say(registration ? 'custodyChain' : 'custodyNote')}), registered ? make('p', {}, ...registered) : null,
    make('p', {}, `${say('foundFile')}: `, ...sentence('foundText', {name: found.name, size: sizeOf(found.bytes), digest: make('code', {text: found.sha256})})),
    custody.length ? table(say('custody'), [say('when'), say('who'), say('what'), say('tools')],
      custody.map(item => [clock(item.at_ms), make('bdi', {text: item.who}), make('bdi', {text: item.what}), make('bdi', {text: item.tools.join(', ')})])) : null);
}
/** @type {(report: BundleReport) => HTMLElement} */
function showChecks(report) {
  const faults = (/** @type {string} */ check) => [...report.failures, ...report.doubts].filter(item => item.check === check).slice(0, 20);
  return section('checks', table(say('checks'), [say('check'), say('outcome'), say('holdsWhen')], CHECKS.map(check => [
    make('code', {text: check}), mark(report.state(check)),
    [say(`c.${check}`), ...(faults(check).length ? [list(faults(check).map(item => make('code', {text: `${item.reason} ${item.where}`})), 'ul', {class: 'faults'})] : [])]])));
}
/** @type {(report: BundleReport) => HTMLElement} */
function showData(report) {
  const button = make('button', {type: 'button', class: 'plain', text: say('print')});
  button.addEventListener('click', () => window.print());
  return section(
    'data',
    make('p', {class: 'note', text: say('dataNote')}),
    make('details', {}, make('summary', {text: 'JSON'}), make('pre', {id: 'result', tabindex: '0', text: JSON.stringify(describe(report), null, 1)})),
    make('p', {class: 'actions'}, button),
  );
}
