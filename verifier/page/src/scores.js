// @ts-check
// ── Scores and controls (docs/bundle.md §6, docs/marks.md §4–§5) ─────────────────────────────────────────────────────

import {Doubt, fail, lookUp} from './bytes.js';
import {firstHandled} from './custody.js';
import {has} from './forms.js';
import {chanceBits, findMarks, isClose, millibits, needed, surpriseBits} from './marks.js';

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
/** @type {(context: Context) => void} */
export function verifyScores(context) {
  const {bundle: {evidence: {marks, counts, hypotheses, conclusion, controls}, case: case_}, scores, own, ofListing, toRespondent, story} = context;
  /** @type {(where: string) => never} */
  const refuse = where => fail('wrong-number', `evidence.json/${where}`);
  /** @type {(said: number | undefined, computed: number, where: string) => void} */
  const close = (said, computed, where) => { if (said === undefined || !isClose(said, computed)) refuse(where); };
  if (marks.some(item => item.status === 'opened') && !scores.size) throw new Doubt('rows-not-read');
  marks.forEach((item, i) => {
    if (item.status !== 'opened') return;
    const score = lookUp(scores, item.transfer);
    if (item.found !== score.found || item.of !== score.of) refuse(`marks/${i}/found`);
    close(item.chance_millibits, millibits(score.chance), `marks/${i}/chance_millibits`);
    close(item.score_millibits, millibits(score.score), `marks/${i}/score_millibits`);
    if (has(item, 'word_millibits') !== (score.word !== undefined)) refuse(`marks/${i}/word_millibits`);
    if (score.word !== undefined) close(item.word_millibits, millibits(score.word), `marks/${i}/word_millibits`);
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
  /** @type {(hypothesis: string, score: Score, party: string) => Hypothesis} */
  const of = (hypothesis, {planted, plantedFound}, party) => ({
    hypothesis,
    party,
    observed: plantedFound,
    expected_milli: Number((1000n * BigInt(planted) * BigInt(found)) / BigInt(all || 1)),
    surprise_millibits: millibits(surpriseBits(planted, plantedFound, found / (all || 1))),
  });
  /** @type {(hypothesis: string) => Hypothesis} */
  const chance = hypothesis => ({hypothesis, observed: score.plantedFound, expected_milli: 0, surprise_millibits: millibits(score.chance)});
  const others = ofListing.filter(transfer => transfer.recipient !== case_.respondent && scores.has(transfer.id));
  const isOfOld = hypotheses.at(-1)?.hypothesis === 'chance'; // earlier programs wrote the same twice
  const expected = all === 0 ? [] : [of('recipient', score, case_.respondent), of('sender', score, story.offer.sender),
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
  const recipients = new Set(ofListing.map(transfer => transfer.recipient)).size;
  if (conclusion.seals !== toRespondent.length) refuse('conclusion/seals');
  close(conclusion.score_millibits, millibits(score.score), 'conclusion/score_millibits');
  close(conclusion.needed_millibits, needed(own, recipients, toRespondent.length), 'conclusion/needed_millibits');
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
  // Earlier programs did not ask for the last two: their evidence may call enough what lacks nothing else.
  const isCalledSo = conclusion.is_enough && shortcomings.every(name => SINCE.includes(name));
  if (!isCalledSo && conclusion.is_enough === shortcomings.length > 0) refuse('conclusion/is_enough');
}
/** @type {(context: Context, tell: Tell) => Promise<void>} */
export async function verifyControls(context, tell) {
  const {bundle: {evidence: {controls}, case: case_}, scores, own, ofListing, rows} = context;
  const refuse = (/** @type {string} */ where) => fail('wrong-number', `evidence.json/controls/${where}`);
  if (scores.size === 0 && context.seals.size) throw new Doubt('rows-not-read');
  const score = scores.get(case_.transfer), wordFor = score?.wordFor;
  const scoreOf = wordFor && ((/** @type {string} */ name_) => Math.min(wordFor(name_), score.chance));
  let greatest;
  if (scoreOf) {
    greatest = 0;
    for (let i = 0; i < 1000; i += 1) {
      greatest = Math.max(greatest, scoreOf(`control/${i}`));
      if (i % 50 === 49) await tell(['control', i / 1000]);
    }
  } else if (rows && own?.method === 'canary' && own.controls.length) greatest = chanceBits(own, rows, own.controls.length, findMarks(own, rows, own.controlCells).filter(Boolean).length);
  if (has(controls, 'greatest_millibits') !== (greatest !== undefined)) refuse('greatest_millibits');
  if (greatest !== undefined && !isClose(controls.greatest_millibits ?? -1, millibits(greatest))) refuse('greatest_millibits');
  const expected = ofListing.filter(transfer => transfer.recipient !== case_.respondent).flatMap(({recipient: party, id: transfer}) => {
    const bits = scoreOf ? scoreOf(party) : scores.get(transfer)?.score;
    return bits === undefined ? [] : [{party, transfer, score_millibits: millibits(bits)}];
  });
  if (controls.others.length !== expected.length) refuse('others');
  controls.others.forEach((item, i) => {
    if (item.party !== expected[i].party || item.transfer !== expected[i].transfer || !isClose(item.score_millibits, expected[i].score_millibits))
      refuse(`others/${i}`);
  });
}
