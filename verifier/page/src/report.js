// @ts-check
// ── The report: the checks of docs/bundle.md §6, in their order, and what they leave behind ──────────────────────────

import {Doubt, Fault} from './bytes.js';

export const CHECKS = [
  'bundle-form',
  'checkpoint',
  'receipt',
  'entry',
  'signature',
  'acceptance',
  'party',
  'history',
  'case',
  'disclosure',
  'record',
  'found',
  'custody',
  'match',
  'marks',
  'score',
  'control',
  'judgement',
];
const FOUNDATION = ['bundle-form', 'checkpoint', 'receipt', 'entry', 'signature', 'acceptance', 'case']; // where one fails, nothing that rests on it is told

export const BROKEN = 'this-page-failed';

/** What the checks leave behind. */
export class Report {
  constructor() {
    /** @type {Noted[]} */
    this.failures = [];
    /** @type {Noted[]} */
    this.doubts = [];
    /** @type {Set<string>} */
    this.done = new Set();
    this.story = /** @type {Story} */ ({});
  }
  /**
   * @param {Fault} error
   * @param {string} check
   */
  note(error, check) {
    const item = {check: error.check || check, reason: error.reason, where: error.where.trim()};
    (error instanceof Doubt ? this.doubts : this.failures).push(item);
  }
  /**
   * Run one check; a Fault or Doubt in it is noted, and anything else is a fault of this page: then it could not tell.
   * @param {string} name_
   * @param {() => void | Promise<void>} run
   */
  async check(name_, run) {
    try { await run(); } catch (error) {
      if (!(error instanceof Fault)) console.error(error);
      this.note(error instanceof Fault ? error : new Doubt(BROKEN, String(error)), name_);
    }
    this.done.add(name_);
  }
  /** Whether nothing further is to be made of it. */
  get stopped() { return this.failures.some(item => FOUNDATION.includes(item.check)) || this.doubts.some(item => item.reason === BROKEN); }
  /** @param {string} check */
  state(check) {
    return this.failures.some(item => item.check === check)
      ? 'failed'
      : this.doubts.some(item => item.check === check)
        ? 'doubt'
        : this.done.has(check)
          ? 'holds'
          : 'left-out';
  }
  get exitCode() { return this.failures.length ? 1 : this.doubts.length ? 3 : 0; }
  sort() { for (const list of [this.failures, this.doubts]) list.sort((a, b) => CHECKS.indexOf(a.check) - CHECKS.indexOf(b.check)); return this; }
}
