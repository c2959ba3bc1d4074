// @ts-check
// ── What terms imply, and where they contradict themselves (docs/terms.md §3.3, §5.2, §6.2) ──────────────────────────

import {BENEATH, NUMERIC, OPERATORS, ORDERINGS, covers, lineage, parseVersion} from './vocabulary.js';

// Truths: 0 false, 1 unknown, 2 true; an unknown answer names the sealed places that would decide it (§5.2, §5.5).
export const YES = {truth: 2, places: []}, NO = {truth: 0, places: []};
/** @type {(...places: string[]) => Answer} */
export const unknown = (...places) => ({truth: 1, places});
/** @type {(isTrue: boolean) => Answer} */
export const known = isTrue => isTrue ? YES : NO;
/** @type {(truth: number, answers: Answer[]) => Answer} */
export const join = (truth, answers) => ({truth, places: truth === 1 ? [...new Set(answers.flatMap(answer => answer.places))] : []});
/** @type {(answers: Answer[]) => Answer} */
export const allOf = answers => join(Math.min(2, ...answers.map(answer => answer.truth)), answers);
/** @type {(answers: Answer[]) => Answer} */
export const anyOf = answers => join(Math.max(0, ...answers.map(answer => answer.truth)), answers);
/** @type {(answers: Answer[]) => Answer} */
export const oneOf = answers => {
  const trues = answers.filter(answer => answer.truth === 2).length;
  return trues > 1 ? NO : answers.some(answer => answer.truth === 1) ? join(1, answers) : known(trues === 1);
};
/** @type {(answer: Answer) => Answer} */
export const opposite = answer => ({truth: 2 - answer.truth, places: answer.places});

/** @type {(operator: string, order: number) => boolean} */
const isOrdered = (operator, order) => /** @type {Record<string, boolean>} */ ({lt: order < 0, lteq: order <= 0, gt: order > 0, gteq: order >= 0})[operator];
/**
 * Whether `value` meets a comparison with the right operand `values` (§5.2).
 * @type {(operand: string, operator: string, value: Json, values: Json[]) => boolean}
 */
export function compare(operand, operator, value, values) {
  if (operator === 'eq') return value === values[0];
  if (operator === 'neq') return value !== values[0];
  if (typeof value === 'number') return isOrdered(operator, value - values[0]);
  if (ORDERINGS.includes(operator)) {
    const left = parseVersion(value), right = parseVersion(values[0]), at = left && right ? left.findIndex((n, i) => n !== right[i]) : -1;
    return Boolean(left && right && isOrdered(operator, at < 0 ? 0 : left[at] - right[at]));
  }
  const above = lineage(operand, value);
  if (operator === 'isAllOf') return values.every(word => above.has(word));
  return values.some(word => above.has(word)) !== (operator === 'isNoneOf');
}
/** @type {(atom: Constraint) => [least: number, most: number]} */
const interval = ({operator, values: [value]}) => /** @type {Record<string, [number, number]>} */ ({
  eq: [value, value], lt: [-Infinity, value - 1], lteq: [-Infinity, value], gt: [value + 1, Infinity], gteq: [value, Infinity],
})[operator];
/** @type {(item: Constraint) => boolean} */
const hasSeal = item => item.members ? item.members.some(hasSeal) : item.seal !== undefined || item.values === null;
/** @type {(index: number, item: Constraint) => string[]} */
export const sealsIn = (index, item) => item.members ? item.members.flatMap(member => sealsIn(index, member))
  : item.seal !== undefined ? [`${index} ${item.seal}`] : item.values === null ? [`${index} ${item.place}`] : [];
/** @type {(list: Constraint[]) => Constraint[]} */
const flatten = list => list.flatMap(item => item.join === 'and' ? flatten(item.members) : [item]);

/**
 * Whether constraints (of entry `from`) together imply another (of entry `to`) (§6.2).
 * @type {(list: Constraint[], from: number, conclusion: Constraint, to: number) => Answer}
 */
export function implies(list, from, conclusion, to) {
  const answer = listImplies(flatten(list), from, conclusion, to);
  return answer.truth === 1 ? unknown(...new Set([...sealsIn(to, conclusion), ...list.flatMap(item => sealsIn(from, item))])) : answer;
}
/** @type {(units: Constraint[], from: number, conclusion: Constraint, to: number) => Answer} */
function listImplies(units, from, conclusion, to) {
  if (conclusion.seal !== undefined) return unknown(`${to} ${conclusion.seal}`);
  const answers = [];
  if (conclusion.values === null) answers.push(unknown(`${to} ${conclusion.place}`));
  if (conclusion.join === 'xone' && hasSeal(conclusion)) answers.push(unknown());
  for (const unit of units) {
    const answer = unitImplies(unit, from, conclusion, to);
    if (answer.truth === 2) return YES;
    answers.push(answer);
  }
  if (conclusion.join && conclusion.join !== 'xone') {
    answers.push((conclusion.join === 'and' ? allOf : anyOf)(conclusion.members.map(member => listImplies(units, from, member, to))));
  }
  return anyOf(answers);
}
/** @type {(unit: Constraint, from: number, conclusion: Constraint, to: number) => Answer} */
function unitImplies(unit, from, conclusion, to) {
  if (unit.seal !== undefined) return unknown(`${from} ${unit.seal}`);
  if (unit.raw && unit.raw === conclusion.raw && !hasSeal(unit)) return YES;
  if (unit.join === 'or') return allOf(unit.members.map(member => listImplies(flatten([member]), from, conclusion, to)));
  if (unit.join) return conclusion.join !== 'xone' || (!hasSeal(unit) && !hasSeal(conclusion)) ? NO : unknown();
  if (conclusion.join || unit.operand !== conclusion.operand) return NO;
  if (unit.values === null) return unknown(`${from} ${unit.place}`);
  return known(conclusion.values !== null && atomImplies(unit, conclusion));
}
/** @type {(premise: Constraint, conclusion: Constraint) => boolean} */
function atomImplies(premise, conclusion) {
  const {operand} = premise;
  if (NUMERIC.includes(operand)) {
    if (premise.operator === 'neq') return conclusion.operator === 'neq' && premise.values[0] === conclusion.values[0];
    const [least, most] = interval(premise);
    if (conclusion.operator === 'neq') return conclusion.values[0] < least || conclusion.values[0] > most;
    const [low, high] = interval(conclusion);
    return low <= least && most <= high;
  }
  if (operand === 'version') {
    return ['eq', 'isAnyOf'].includes(premise.operator) && !ORDERINGS.includes(conclusion.operator)
      && premise.values.every(value => compare(operand, conclusion.operator, value, conclusion.values));
  }
  const left = [...new Set(premise.values)], right = [...new Set(conclusion.values)], le = (/** @type {string} */ x, /** @type {string} */ y) => lineage(operand, x).has(y);
  const kind = (/** @type {string} */ operator) => BENEATH.includes(operator) ? 'isAnyOf' : operator, p = kind(conclusion.operator), c = kind(premise.operator);
  if (c === 'eq') return compare(operand, p, left[0], right);
  if (p === 'eq') return false;
  const apart = (/** @type {string} */ r, /** @type {string} */ s) => !le(r, s) && !le(s, r);
  /** @type {Record<string, () => boolean>} */
  const table = {
    'isAnyOf isAnyOf': () => left.every(r => right.some(s => le(r, s))), 'isAnyOf isAllOf': () => left.every(r => right.every(s => le(r, s))),
    'isAnyOf neq': () => !right.some(s => left.some(r => le(s, r))), 'isAnyOf isNoneOf': () => left.every(r => right.every(s => apart(r, s))),
    'isAllOf isAnyOf': () => left.some(r => right.some(s => le(r, s))), 'isAllOf isAllOf': () => right.every(s => left.some(r => le(r, s))),
    'isAllOf neq': () => right.every(s => left.some(r => !le(s, r))), 'isAllOf isNoneOf': () => right.every(s => left.some(r => apart(r, s))),
    'neq neq': () => left[0] === right[0], 'isNoneOf neq': () => right.every(s => left.some(r => le(s, r))),
    'isNoneOf isNoneOf': () => right.every(s => left.some(r => le(s, r))),
  };
  return (table[`${c} ${p}`] ?? (() => false))();
}
/**
 * The pointer of a rule that contradicts itself or another (§3.3); null if none does.
 * @type {(terms: Terms) => string | null}
 */
export function findContradiction({permissions, prohibitions, obligations}) {
  const never = [...permissions, ...prohibitions].find(rule => Object.keys(OPERATORS).some(operand => {
    const atoms = rule.constraints.filter(item => item.operand === operand && item.values);
    if (!atoms.length || operand === 'version') return false;
    if (NUMERIC.includes(operand)) {
      const bounds = atoms.filter(item => item.operator !== 'neq').map(interval);
      const least = Math.max(operand === 'count' ? 1 : 0, ...bounds.map(([low]) => low)), most = Math.min(...bounds.map(([, high]) => high));
      return least > most || (least === most && atoms.some(item => item.operator === 'neq' && item.values[0] === least));
    }
    const equals = atoms.filter(item => item.operator === 'eq').map(item => item.values[0]);
    if (equals.length) return equals.some(value => atoms.some(item => !compare(operand, item.operator, value, item.values)));
    const nones = atoms.filter(item => item.operator === 'isNoneOf');
    return atoms.some(item => [...BENEATH, 'isAnyOf'].includes(item.operator) && nones.some(none =>
      item.values.every(value => none.values.some(word => lineage(operand, value).has(word)))));
  }));
  if (never) return never.where;
  const taken = permissions.find(rule => prohibitions.some(other => covers(other.action, rule.action)
    && other.constraints.every(item => implies(rule.constraints, 0, item, 0).truth === 2)));
  if (taken) return taken.where;
  const forbidden = prohibitions.filter(rule => !rule.constraints.length);
  /** @type {(rule: Rule) => [action: string, where: string][]} */
  const demands = rule => [[rule.action, rule.where], ...rule.consequences.flatMap(demands)];
  const all = [...permissions.flatMap(rule => rule.duties.map(action => [action, rule.where])), ...obligations.flatMap(demands)];
  return all.find(([action]) => forbidden.some(rule => covers(rule.action, action)))?.[1] ?? null;
}
