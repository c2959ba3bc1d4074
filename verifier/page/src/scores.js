// @ts-check
// ── Scores and controls (docs/bundle.md §6, docs/marks.md §4–§5) ─────────────────────────────────────────────────────

import {Doubt, fail, lookUp} from './bytes.js';
import {firstHandled} from './custody.js';
import {has} from './forms.js';
import {chanceBits, findMarks, isClose, millibits, needed, surpriseBits} from './marks.js';
import {neededOfPool, triesOf} from './pool.js';

/**
 * Tell whether the file was in hand before the marks were sealed.
 * @type {(evidence: Evidence, offer: RecordedTransfer) => boolean}
 */
export const isExaminedBefore = (evidence, offer) => firstHandled(evidence) < offer.time;
const MIN_MARKS = 3;
export const SINCE = ['bound-too-high', 'too-few-marks'];
/**
 * Whether a bound (`0.…`) is above 0.001, by its digits.
 * @type {(bound: string) => boolean}
 */
const isAbove = bound => bound.slice(2).replace(/0+$/, '') > '001';
/** @type {(where: string) => never} */
const refuse = where => fail('wrong-number', `evidence.json/${where}`);
/** @type {(said: number | undefined, computed: number, where: string) => void} */
const close = (said, computed, where) => { if (said === undefined || !isClose(said, computed)) refuse(where); };
/**
 * What is said of one copy's marks is what they score: a number of them exactly, bits within two millibits.
 * @type {(item: Exclude<MarksItem, {status: 'withheld'}>, score: AnyScore & Partial<Score & PoolScore>, where: string) => void}
 */
function verifyItem(item, score, where) {
  /** @type {Record<string, number | undefined>} */
  const counted = {drawn: score.drawn, found: score.found, of: score.of, others: score.others, others_found: score.othersFound, seen: score.seen};
  /** @type {Record<string, number | undefined>} */
  const weighed = {chance_millibits: score.chance, paid_millibits: score.paid, score_millibits: score.score, word_millibits: score.word};
  const said = /** @type {Map<string, any>} */ (new Map(Object.entries(item)));
  for (const [name, number] of Object.entries(counted)) if (said.get(name) !== number) refuse(`${where}/${name}`);
  for (const [name, bits] of Object.entries(weighed)) {
    if (said.has(name) !== (bits !== undefined)) refuse(`${where}/${name}`);
    if (bits !== undefined) close(said.get(name), millibits(bits), `${where}/${name}`);
  }
}
/** @type {(context: Context) => void} */
export function verifyScores(context) {
  const {bundle: {evidence: {marks, counts, hypotheses, conclusion, controls}, case: case_}, scores, own, ofListing, toRespondent, story, registry} = context;
  if (marks.some(item => item.status === 'opened') && !scores.size) throw new Doubt('rows-not-read');
  marks.forEach((item, i) => {
    if (item.status !== 'opened') return;
    verifyItem(item, lookUp(scores, item.transfer), `marks/${i}`);
  });
  const {records: all, records_found: found} = counts;
  if (counts.marks !== (scores.get(case_.transfer)?.plantedFound ?? 0)) refuse('counts/marks');
  if (found > all) refuse('counts/records_found');
  if (!own) {
    if (hypotheses.length) refuse('hypotheses');
    if (Object.keys(conclusion).length > 1) refuse('conclusion');
    return;
  }
  const score = lookUp(scores, case_.transfer);
  /** @type {(hypothesis: string, score: AnyScore, party: string) => Hypothesis} */
  const of = (hypothesis, {planted, plantedFound}, party) => ({
    hypothesis,
    party,
    observed: plantedFound,
    expected_milli: Number((1000n * BigInt(planted) * BigInt(found)) / BigInt(all || 1)),
    surprise_millibits: millibits(surpriseBits(planted, plantedFound, found / (all || 1))),
  });
  /** @type {(hypothesis: string) => Hypothesis} */
  const chance = hypothesis => ({hypothesis, observed: score.plantedFound, expected_milli: 0, surprise_millibits: millibits(score.bits)});
  const plants = (/** @type {string} */ transfer) => context.seals.get(transfer)?.method !== 'omission'; // what is left out, no hypothesis is about
  const others = ofListing.filter(transfer => transfer.recipient !== case_.respondent && scores.has(transfer.id) && plants(transfer.id));
  const isOfOld = hypotheses.at(-1)?.hypothesis === 'chance'; // earlier programs wrote the same twice
  const expected = all === 0 || !plants(case_.transfer) ? [] : [of('recipient', score, case_.respondent), of('sender', score, story.offer.sender),
    ...others.map(transfer => of('other', lookUp(scores, transfer.id), transfer.recipient)), ...(isOfOld ? ['public', 'chance'] : ['none']).map(chance)];
  if (hypotheses.length !== expected.length) refuse('hypotheses');
  hypotheses.forEach((item, i) => {
    const wanted = expected[i];
    if (
      item.hypothesis !== wanted.hypothesis ||
      item.party !== wanted.party ||
      item.observed !== wanted.observed ||
      item.expected_milli !== wanted.expected_milli
    )
      refuse(`hypotheses/${i}`);
    close(item.surprise_millibits, wanted.surprise_millibits, `hypotheses/${i}/surprise_millibits`);
  });
  if (conclusion.score_millibits === undefined) refuse('conclusion');
  const names = new Set(ofListing.map(transfer => transfer.recipient)), isPooled = own.origin === 'pool';
  // Whoever prepares for many, and offers where the draw suits, chose among all.
  if (isPooled) for (const {listing, sender, recipient} of registry.preparations.values())
    if (listing === story.offer.listing && sender === story.offer.sender) names.add(recipient);
  const recipients = names.size, tries = isPooled ? triesOf(registry.preparations.values(), story.offer, toRespondent) : toRespondent.length;
  if (conclusion.seals !== tries) refuse('conclusion/seals');
  close(conclusion.score_millibits, millibits(score.score), 'conclusion/score_millibits');
  close(conclusion.needed_millibits, isPooled ? neededOfPool(own, recipients, tries) : needed(own, recipients, tries), 'conclusion/needed_millibits');
  const greatest = controls.greatest_millibits ?? -1;
  const allowed = conclusion.needed_millibits + (own.method === 'tardos' ? 9966 : 0); // log2 of a thousand control names
  const lacking = {
    'score-too-low': conclusion.score_millibits < conclusion.needed_millibits,
    'controls-score-too': greatest >= allowed,
    'examined-before': isExaminedBefore(context.bundle.evidence, story.offer),
    'bound-too-high': isAbove(own.bound),
    'too-few-marks': score.different < MIN_MARKS,
  };
  const shortcomings = Object.entries(lacking).filter(([, isLacking]) => isLacking).map(([name]) => name);
  story.shortcomings = shortcomings;
  // Earlier programs did not ask for the last two: their evidence may call enough what lacks nothing else. Of a pool, three marks were always asked for.
  const isCalledSo = conclusion.is_enough && shortcomings.every(name => SINCE.includes(name) && !(isPooled && name === 'too-few-marks'));
  if (!isCalledSo && conclusion.is_enough === shortcomings.length > 0) refuse('conclusion/is_enough');
}
/** @type {(context: Context, tell: Tell) => Promise<void>} */
export async function verifyControls(context, tell) {
  const {bundle: {evidence: {controls}, case: case_}, scores, own, ofListing, rows, story} = context;
  if (scores.size === 0 && context.seals.size) throw new Doubt('rows-not-read');
  const scoreOf = scores.get(case_.transfer)?.scoreFor;
  let greatest;
  if (scoreOf) {
    greatest = 0;
    for (let i = 0; i < 1000; i += 1) {
      greatest = Math.max(greatest, scoreOf(`control/${i}`));
      if (i % 50 === 49) await tell(['control', i / 1000]);
    }
  } else if (rows && own?.origin !== 'pool' && own?.method === 'canary' && own.controls.length) greatest = chanceBits(own, rows, own.controls.length, findMarks(own, rows, own.controlCells).filter(Boolean).length);
  if (has(controls, 'greatest_millibits') !== (greatest !== undefined)) refuse('controls/greatest_millibits');
  if (greatest !== undefined) close(controls.greatest_millibits, millibits(greatest), 'controls/greatest_millibits');
  const isCode = scoreOf && own?.origin !== 'pool'; // one code of version 3 serves all recipients; a pool serves one
  const expected = ofListing.filter(transfer => transfer.recipient !== case_.respondent).flatMap(({recipient: party, id: transfer}) => {
    const score = scores.get(transfer), bits = isCode ? scoreOf(party) : score?.score;
    // What the mapping costs another pool, only the whole file tells: without it, its score is taken as it is written.
    const isTold = isCode || story.isFoundRead || !score || !('paid' in score);
    return bits === undefined ? [] : [{party, transfer, score_millibits: isTold ? millibits(bits) : null}];
  });
  if (controls.others.length !== expected.length) refuse('controls/others');
  controls.others.forEach((item, i) => {
    const {party, transfer, score_millibits: computed} = expected[i];
    if (item.party !== party || item.transfer !== transfer || (computed !== null && !isClose(item.score_millibits, computed))) refuse(`controls/others/${i}`);
  });
}
