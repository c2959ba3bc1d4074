// @ts-check
// ── Decisions and duties (docs/terms.md §5–§7, docs/statements.md §10) ───────────────────────────────────────────────

import {NO, YES, allOf, anyOf, compare, join, known, oneOf, opposite, sealsIn, unknown} from './implication.js';
import {covers} from './vocabulary.js';

/** @type {(license: JudgedLicense, at: number) => boolean} */
export const isInForce = (license, at) => license.from <= at && at < license.until && !(license.end !== undefined && at >= license.end);
/** @type {(license: JudgedLicense | undefined) => JudgedLicense[]} */
export const chainOf = license => license ? [license, ...chainOf(license.parent)] : [];
/**
 * E(L): the entries that a license's present state follows from.
 * @type {(license: JudgedLicense) => number[]}
 */
export const entriesOf = license => [license.termsIndex, license.boundIndex, ...(license.ended === undefined ? [] : [license.ended])];
/** @type {(license: JudgedLicense, action: string) => Sum} */
const sumOf = (license, action) => {
  const counted = [...license.counts].filter(([other]) => covers(action, other)).map(([, sum]) => sum);
  return {
    known: counted.reduce((all, sum) => all + sum.known, 0),
    sealed: counted
      .flatMap(sum => sum.sealed)
      .sort((a, b) => parseInt(a, 10) - parseInt(b, 10))
      .slice(0, 1),
  };
};
/**
 * One constraint of a rule about `action`, for a request {action, at, stated, more}.
 * @type {(item: Constraint, license: JudgedLicense, request: Asking, action: string) => Answer}
 */
function evaluate(item, license, request, action) {
  const here = (/** @type {string} */ place) => `${license.termsIndex} ${place}`;
  if (item.seal !== undefined) return unknown(here(item.seal));
  if (item.join) return {and: allOf, or: anyOf, xone: oneOf}[item.join](item.members.map(member => evaluate(member, license, request, action)));
  const {operand, operator, values} = item, stated = operand === 'version' ? license.listing.version : request.stated?.[operand];
  if (request.withinCount && operand === 'count') return YES;
  if (values === null) {
    const beside = operand === 'count' ? sumOf(license, action).sealed : stated?.value === null ? [stated.place] : [];
    return unknown(here(item.place), ...beside);
  }
  if (operand === 'dateTime') return known(compare(operand, operator, request.at, values));
  if (operand === 'elapsedTime') return known(compare(operand, operator, request.at - license.agreed, values));
  if (operand === 'count') {
    const sum = sumOf(license, action), least = sum.known + (request.more ?? 0), [bound] = values;
    if (!sum.sealed.length) return known(compare(operand, operator, least, values));
    const isSettled = {lt: least >= bound, lteq: least > bound, eq: least > bound, gt: least > bound, neq: least > bound, gteq: least >= bound}[
      operator
    ];
    return isSettled ? known(['gt', 'gteq', 'neq'].includes(operator)) : unknown(...sum.sealed);
  }
  if (stated === undefined) return NO; // this world is closed: who says nothing shows nothing
  return stated.value === null ? unknown(stated.place) : known(compare(operand, operator, stated.value, values));
}
/** @type {(rule: Rule, license: JudgedLicense, request: Asking) => Answer} */
const meets = (rule, license, request) => allOf([
  ...rule.constraints.map(item => evaluate(item, license, request, rule.action)), ...rule.duties.map(duty => known(license.met.has(duty)))]);
/**
 * The decision of §5.3: its answer, the deciding license, and whether it is only for the count.
 * @type {(license: JudgedLicense, request: Asking) => {answer: Answer, deciding?: JudgedLicense, onlyCount?: boolean}}
 */
export function decide(license, request) {
  /** @type {[answer: Answer, license: JudgedLicense][]} */
  const undetermined = [];
  for (const step of chainOf(license)) {
    const asked = (/** @type {Rule[]} */ rules) => rules.filter(rule => covers(rule.action, request.action));
    const permissions = asked(step.terms.permissions), forbidden = anyOf(asked(step.terms.prohibitions).map(rule => meets(rule, step, request)));
    const permitted = (/** @type {Asking} */ asking) => anyOf(permissions.map(rule => meets(rule, step, asking))), inForce = isInForce(step, request.at);
    const answer = inForce ? allOf([permitted(request), opposite(forbidden)]) : NO;
    if (answer.truth === 0) {
      return {answer, deciding: step, onlyCount: inForce && forbidden.truth !== 2 && permitted({...request, withinCount: true}).truth !== 0};
    }
    if (answer.truth === 1) undetermined.push([answer, step]);
  }
  return undetermined.length ? {answer: join(1, undetermined.map(([answer]) => answer)), deciding: undetermined[0][1]} : {answer: YES};
}

// Duties (terms.md §7, statements.md §10 "Erasure duty").
/** @type {(license: JudgedLicense, duty: Rule) => string[]} */
const dutySeals = (license, duty) => duty.constraints.flatMap(item => sealsIn(license.termsIndex, item));
/** @type {(license: JudgedLicense) => number} */
export const endOf = license => Math.min(license.end ?? Infinity, license.until);
/** @type {(license: JudgedLicense, duty: Rule, trigger: number) => number | null} */
function dueOf(license, duty, trigger) {
  const value = (/** @type {Constraint} */ item) => item.values[0] - (item.operator === 'lt' ? 1 : 0),
    of = (/** @type {string} */ operand) => duty.constraints.filter(item => item.operand === operand).map(value);
  const elapsed = of('elapsedTime'), due = of('dateTime');
  if (elapsed.length) due.push(trigger + Math.min(...elapsed));
  if (!duty.constraints.length && duty.action === 'delete') due.push(trigger);
  if (!due.length) return null;
  const moment = Math.max(0, Math.min(...due));
  if (duty.action !== 'delete') return moment;
  if (license.suspending) return null;
  return license.released === undefined ? moment : Math.max(moment, license.released + (elapsed.length ? Math.min(...elapsed) : 0));
}
/** @type {(license: JudgedLicense) => number | null} */
export const erasureDue = license => {
  const {obligations} = /** @type {Terms} */ (license.terms);
  const due = obligations.filter(duty => duty.action === 'delete' && !dutySeals(license, duty).length)
    .map(duty => dueOf(license, duty, endOf(license))).filter(moment => moment !== null);
  return due.length ? Math.min(...due) : null;
};
/**
 * The due moments of the duties other than to erase that are violated as of `at`, consequences included.
 * @type {(license: JudgedLicense, duty: Rule, trigger: number, at: number, earliest?: number) => number[]}
 */
export function violatedDues(license, duty, trigger, at, earliest = 0) {
  if (dutySeals(license, duty).length) return [];
  const moment = dueOf(license, duty, trigger);
  if (moment === null) return [];
  const due = Math.max(moment, earliest), met = license.met.get(duty.action);
  const isViolated = at > due && (duty.action === 'delete' ? license.held.size > 0 : met === undefined || met > due);
  if (!isViolated) return [];
  return [...(duty.action === 'delete' ? [] : [due]), ...duty.consequences.flatMap(next => violatedDues(license, next, due, at, due))];
}
