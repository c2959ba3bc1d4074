// @ts-check
// ── Every check of a bundle, in the order of docs/bundle.md §6 ───────────────────────────────────────────────────────

import {parseBundle} from './bundle.js';
import {Doubt, breathe, byCodePoint, fail, lookUp} from './bytes.js';
import {verifyCustody} from './custody.js';
import {decide, entriesOf} from './decisions.js';
import {verifyFound, verifyMarks, verifyMatches, verifyRecords} from './evidence.js';
import {factsOf, isConditional, supportOf} from './facts.js';
import {has} from './forms.js';
import {verifyEntries, verifyReceipts} from './foundation.js';
import {canonical} from './json.js';
import {Judge} from './judge.js';
import {openCheckpoint} from './notes.js';
import {parseParties, parsePolicy} from './policy.js';
import {BROKEN, CHECKS, Report} from './report.js';
import {verifyControls, verifyScores} from './scores.js';
import {completenessOf, verifyCase, verifyDisclosures, verifyHistories, verifyPins} from './story.js';
import {TEXTS} from './texts.js';

/**
 * Check a bundle by a policy, with pinned parties and the found file where they are given; `tell` says how far it is.
 * @type {(files: {bundle: Bytes, policy: Bytes, parties?: Bytes, found?: Bytes}, tell?: Tell) => Promise<Report>}
 */
export async function verifyBundle({bundle: bytes, policy: policyBytes, parties: partyBytes, found}, tell = breathe) {
  const report = new Report();
  Object.assign(report.story, {policy: parsePolicy(policyBytes), pins: partyBytes ? parseParties(partyBytes) : [], accepted: []});
  try {
    await examine(report, bytes, found, tell);
  } catch (error) {
    console.error(error);
    report.note(new Doubt(BROKEN, String(error)), 'bundle-form'); // a fault of this page says nothing about the bundle
  }
  return report.sort();
}
/** @type {(report: Report, bytes: Bytes, found: Bytes | undefined, tell: Tell) => Promise<void>} */
async function examine(report, bytes, found, tell) {
  const {story} = report, {policy, pins} = story;
  await tell('bundle-form');
  await report.check('bundle-form', async () => { story.bundle = await parseBundle(bytes, tell); });
  if (report.stopped) return;
  const {bundle} = story;
  Object.assign(story, {case: bundle.case, evidence: bundle.evidence});
  await tell('checkpoint');
  await report.check('checkpoint', async () => {
    story.checkpoint = await openCheckpoint(lookUp(bundle.files, 'checkpoint.txt'), policy);
    if (!story.checkpoint.isQuorate) throw new Doubt('quorum-not-reached', policy.quorum ?? '');
  });
  if (report.stopped) return;
  await tell('receipt');
  await verifyReceipts(report, bundle);
  await tell('entry');
  await verifyEntries(report, bundle, tell);
  for (const check of ['signature', 'acceptance']) if (story.isReadable) report.done.add(check);
  if (report.stopped || !story.isReadable) return;
  const context = /** @type {Context} */ ({report, story, bundle, registry: story.registry, byId: new Map(story.accepted.map(entry => [entry.id, entry]))});
  await tell('party');
  if (pins.length) await report.check('party', () => verifyPins(context));
  await report.check('history', () => verifyHistories(context));
  story.completeness = completenessOf(context);
  await report.check('case', () => verifyCase(context));
  if (report.stopped) return;
  await tell('disclosure');
  await report.check('disclosure', () => verifyDisclosures(context));
  context.content = lookUp(context.byId, bundle.case.transfer).contents.get('/content');
  await tell('record');
  await report.check('record', () => verifyRecords(context, tell));
  await tell('found');
  await report.check('found', () => verifyFound(context, found ?? bundle.found));
  await report.check('custody', () => verifyCustody(context));
  await tell('match');
  if (report.state('record') === 'holds' && report.state('custody') !== 'failed' && report.state('found') !== 'failed') {
    await report.check('match', () => verifyMatches(context));
    await tell('marks');
    await report.check('marks', () => verifyMarks(context));
    if (report.state('marks') === 'holds') {
      await tell('score');
      await report.check('score', () => verifyScores(context));
      await tell('control');
      await report.check('control', () => verifyControls(context, tell));
    }
  }
  await tell('judgement');
  await report.check('judgement', () => verifyJudgement(context));
}
/** @type {(context: Context) => void} */
function verifyJudgement({bundle: {judgement, case: {acts}}, story}) {
  const judgeUntil = (/** @type {number} */ at) => { const judge = new Judge(); for (const entry of story.accepted) if (entry.time <= at) judge.take(entry); return judge; };
  const refuse = (/** @type {string} */ where) => fail('wrong-judgement', `judgement.json/${where}`);
  if (judgement.acts.length !== acts.length) refuse('acts');
  /** @type {Map<number, Judge>} */
  const judges = new Map();
  story.decisions = acts.map((act, i) => {
    const judge = judges.get(act.at_ms) ?? judgeUntil(act.at_ms), license = lookUp(judge.licenses, act.license);
    judges.set(act.at_ms, judge);
    /** @type {Record<string, Stated>} */
    const stated = {};
    for (const operand of /** @type {const} */ (['purpose', 'spatial', 'industry', 'product', 'recipient'])) if (has(act, operand)) stated[operand] = {value: act[operand], place: ''};
    const {answer, deciding} = decide(license, {action: act.action, at: act.at_ms, stated, more: 1}),
      decision = ['prohibited', 'undetermined', 'permitted'][answer.truth];
    const entries = [...new Set(entriesOf(deciding ?? license))].sort((a, b) => a - b);
    if (judgement.acts[i].decision !== decision || canonical(judgement.acts[i].entries) !== canonical(entries)) refuse(`acts/${i}`);
    return {act, decision, entries, places: answer.places};
  });
  const newest = story.accepted[story.accepted.length - 1].time, judge = judgeUntil(newest), findings = judge.close(newest);
  Object.assign(story, {findings, undetermined: judge.undetermined});
  if (canonical(judgement.findings) !== canonical(findings)) refuse('findings');
}
/**
 * What stands if Ed25519 falls (docs/format.md §16.4): which keys of type 0x06 signed the checkpoint, and who signed each entry of the case with ML-DSA-44, who without.
 * @type {(story: Story) => {checkpoint: string[], entries: {index: number, lasting: string[], short: string[]}[]}}
 */
export function whatLasts({checkpoint, policy, registry, accepted, case: {listing, license, transfer, claim, registration}}) {
  const {decided} = lookUp(registry.transfers, transfer), about = [listing, license, transfer, claim, registration];
  const sorted = (/** @type {string[]} */ owners) => [...new Set(owners)].sort(byCodePoint);
  return {
    checkpoint: [...checkpoint.cosigned.keys()].filter(witness => policy.witnesses.get(witness)?.kind === 6),
    entries: accepted.filter(entry => about.includes(entry.id) || entry.index === decided)
      .map(({index, signers, lasting}) => ({index, lasting: sorted(lasting), short: sorted(signers.filter(owner => !lasting.includes(owner)))})),
  };
}
/**
 * The report as data, for programs and tests.
 * @param {Report} report
 */
export function describe(report) {
  const {story, failures, doubts, exitCode} = report, conclusion = failures.length ? undefined : story.evidence?.conclusion;
  const facts = story.offer && !report.stopped ? factsOf(report) : undefined;
  return {
    verdict: isConditional(report) ? 'conditional' : ['verified', 'false', '', 'could not tell'][exitCode],
    exit_code: exitCode,
    failures,
    doubts,
    checks: Object.fromEntries(CHECKS.map(check => [check, report.state(check)])),
    completeness: story.completeness,
    registration: story.registration ? {index: story.registration.entry.index, is_before_marks: story.registration.isBefore} : null,
    if_ed25519_falls: story.offer ? whatLasts(story) : null,
    score_millibits: conclusion?.score_millibits, needed_millibits: conclusion?.needed_millibits, is_enough: facts?.isConditional && facts.isEnough ? null : Boolean(facts?.isShown),
    receipt: facts?.receipt.kind, weight: exitCode !== 1 && typeof facts?.ratio === 'number' ? {ratio_millibits: facts.ratio, support: TEXTS[`support${supportOf(facts.ratio)}`][0]} : null,
    decisions: story.decisions?.map(item => item.decision), findings: story.findings?.map(item => item.slug),
  };
}
