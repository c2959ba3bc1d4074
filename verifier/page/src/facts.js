// @ts-check
// ── What a bundle comes to: facts, from which all is told that is proved, and all that stays open (docs/marks.md §5) ──

import {has} from './forms.js';
import {canonical} from './json.js';

export const NOT_READ = 'file-not-read'; // the doubt of `found` where the found file is not in the bundle, and was not given
const SURPRISING = 20000, BILLION = 29897; // millibits: once in a million times; log2 of a billion
// ENFSI's scale of 2015: likelihood ratios from 1,000,000, 10,000, 1,000, 100, 10 and 2 on.
const SCALE = [19932, 13288, 9966, 6644, 3322, 1000, 0];

/**
 * Nothing is in doubt but the found file, which nobody gave.
 * @type {(report: {failures: Noted[], doubts: Noted[]}) => boolean}
 */
export const isConditional = ({failures, doubts}) => !failures.length && doubts.length > 0 && doubts.every(item => item.reason === NOT_READ);

/**
 * What the recipient signed about the hand-off, and at which entry: `same` only for this very content.
 * @type {(story: Json) => {kind: string, index?: number}}
 */
export function receiptOf({offer, offerEntry, accepted}) {
  if (offer.decided === undefined) return {kind: 'nothing'};
  const index = offer.decided;
  if (offer.acknowledged === undefined) return {kind: 'refused', index};
  const answer = accepted.find((/** @type {Json} */ entry) => entry.index === index);
  if (has(answer.raw, 'opens')) return {kind: 'same', index}; // it is what the offer committed to, or was refused
  const received = answer.contents.get('/content'), offered = offerEntry.contents.get('/content');
  if (received === undefined || offered === undefined) return {kind: 'sealed', index};
  return {kind: canonical(received) === canonical(offered) ? 'same' : 'other', index};
}
/**
 * log2 of the likelihood ratio, this copy against another or none, in millibits; null where none can be given.
 * @type {(evidence: Json) => number | null}
 */
export function ratioOf({conclusion: {score_millibits: score, seals}, hypotheses: [first]}) {
  if (score === undefined || !first || first.surprise_millibits >= SURPRISING) return null;
  return Math.max(0, score - Math.ceil(1000 * Math.log2(seals) - 1e-6) - first.surprise_millibits - 1000);
}
/** @type {(millibits: number) => string} */
const rounded = millibits => {
  const whole = Math.floor(2 ** (millibits / 1000)), step = 10 ** Math.max(0, String(whole).length - 3);
  return (Math.floor(whole / step) * step).toLocaleString('en-US');
};
/**
 * The chance that a score bounds, as a text and its values: never rarer than one in a billion.
 * @type {(millibits: number) => [key: string, values?: Record<string, string>]}
 */
export const oddsOf = millibits =>
  millibits < 1000 ? ['oddsHalf'] : millibits > BILLION ? ['oddsBillion'] : ['oddsOne', {n: rounded(millibits)}];
/**
 * How many times as probable, likewise.
 * @type {(ratio: number) => [key: string, values?: Record<string, string>]}
 */
export const factorOf = ratio => ratio > BILLION ? ['factorBillion'] : ['factorTimes', {n: rounded(ratio)}];
/**
 * The place on ENFSI's scale: 0 is the strongest.
 * @type {(ratio: number) => number}
 */
export const supportOf = ratio => SCALE.findIndex(least => ratio >= least);

/**
 * Everything that sentences are made of; what was not examined is left out.
 * @param {Json} report
 */
export function factsOf(report) {
  const {story} = report, {evidence, offer, seals = new Map(), shortcomings = ['marks-not-opened']} = story, own = seals.get(story.case.transfer);
  return {
    respondent: story.case.respondent,
    sender: offer.sender,
    receipt: receiptOf(story),
    isRead: Boolean(story.isFoundRead),
    isConditional: isConditional(report),
    isShown: report.exitCode === 0 && !shortcomings.length,
    isEnough: !shortcomings.length,
    shortcomings,
    wasCalledEnough: evidence.conclusion.is_enough,
    who: [...new Set(evidence.custody.map((/** @type {Json} */ item) => item.who))].join(', ') || '—',
    ratio: own ? ratioOf(evidence) : null,
    own,
    files: evidence.counts.examined,
    first: evidence.hypotheses[0],
    isSurprising: Boolean(evidence.hypotheses[0]) && evidence.hypotheses[0].surprise_millibits >= SURPRISING,
  };
}
