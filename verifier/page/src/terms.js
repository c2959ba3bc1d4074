// @ts-check
// ── Terms: their form (docs/terms.md §1–§4) ──────────────────────────────────────────────────────────────────────────

import {fail} from './bytes.js';
import {LABEL, has, isObject, line, listOf, matching, members, sealed, within} from './forms.js';
import {findContradiction} from './implication.js';
import {canonical} from './json.js';
import {ACTIONS, OF_SETS, OPERATORS, ORDERINGS, parseDateTime, parseDuration, parseVersion} from './vocabulary.js';

export const TERMS_PROFILE = 'urn:provenance-ledger:odrl-profile:1', URN = 'urn:provenance-ledger:';
const TERMS_CONTEXT = canonical(['http://www.w3.org/ns/odrl.jsonld', {
  and: {'@container': '@list', '@id': 'odrl:and'}, industry: 'odrl:industry', neq: 'odrl:neq', or: {'@container': '@list', '@id': 'odrl:or'},
  sealed: `${TERMS_PROFILE}#sealed`, train: `${TERMS_PROFILE}#train`, xone: {'@container': '@list', '@id': 'odrl:xone'},
}]);
/** @type {(where?: string) => never} */
const unjudgeable = (where = '') => fail('unjudgeable-terms', where);

/**
 * One right operand as the integer or text that it is compared as; null where it has not the form of §3.1.
 * @type {(operand: string, operator: string, value: Json) => string | number | null}
 */
function parseOperand(operand, operator, value) {
  if (operand === 'dateTime' || operand === 'elapsedTime') {
    const type = operand === 'dateTime' ? 'xsd:dateTime' : 'xsd:duration', parse = operand === 'dateTime' ? parseDateTime : parseDuration;
    const isTyped = isObject(value) && Object.keys(value).length === 2 && value['@type'] === type && typeof value['@value'] === 'string';
    return isTyped ? parse(value['@value']) : null;
  }
  if (operand === 'count') return typeof value === 'number' && value >= 0 ? value : null;
  if (typeof value !== 'string') return null;
  line(200)(value);
  return operand === 'version' && ORDERINGS.includes(operator) && !parseVersion(value) ? null : value;
}
/** @type {(operand: string, operator: string, value: Json) => Json[] | null} */
function parseOperands(operand, operator, value) {
  if (!OF_SETS.includes(operator)) { const one = parseOperand(operand, operator, value); return one === null ? null : [one]; }
  if (!Array.isArray(value)) return null;
  if (value.length < 1 || value.length > 200) fail('wrong-value');
  const values = value.map(item => parseOperand(operand, operator, item));
  return values.includes(null) ? null : values;
}
/**
 * Check a constraint and return it as it is judged: {seal}, {join, members} or {operand, operator, values}.
 * @type {(value: Json, where: string, isDeadline?: boolean) => Json}
 */
function parseConstraint(value, where, isDeadline = false) {
  if (!isObject(value)) fail('wrong-type', where);
  if (has(value, 'sealed')) { within(where.slice(1), sealed, value); return {seal: `/terms${where}`}; }
  const join = ['and', 'or', 'xone'].find(word => has(value, word));
  if (join) {
    within(where.slice(1), members({[join]: () => {}}), value);
    if (isDeadline) unjudgeable(where);
    within(where.slice(1) + `/${join}`, listOf(() => {}, 20, 2), value[join]);
    return {join, raw: canonical(value), members: value[join].map((/** @type {Json} */ item, /** @type {number} */ i) => parseConstraint(item, `${where}/${join}/${i}`))};
  }
  within(where.slice(1), members({leftOperand: () => {}, operator: () => {}, rightOperand: () => {}}), value);
  const {leftOperand: operand, operator, rightOperand: right} = value;
  if (typeof operand !== 'string' || typeof operator !== 'string') fail('wrong-type', where);
  if (!has(OPERATORS, operand) || !OPERATORS[operand].includes(operator)) unjudgeable(where);
  if (isDeadline && (!['dateTime', 'elapsedTime'].includes(operand) || !['lt', 'lteq'].includes(operator))) unjudgeable(where);
  const place = `${where}/rightOperand`;
  if (isObject(right) && has(right, 'sealed')) {
    within(place.slice(1), sealed, right);
    return {operand, operator, values: null, place: `/terms${place}`};
  }
  return {operand, operator, values: parseOperands(operand, operator, right) ?? unjudgeable(place), place: `/terms${place}`, raw: canonical(value)};
}
/** @type {(value: Json, where: string, kind: 'permission' | 'prohibition' | 'obligation') => Rule} */
function parseRule(value, where, kind) {
  /** @type {Record<string, Check>} */
  const own = kind === 'permission' ? {'duty?': () => {}} : kind === 'obligation' ? {'consequence?': () => {}} : {};
  const at = where.slice(1);
  /** @type {Check} */
  const action = word => { if (typeof word !== 'string') fail('wrong-type'); if (!ACTIONS.includes(word)) unjudgeable(); };
  within(at, members({action, 'constraint?': listOf(() => {}, 200), ...own}), value);
  if (has(value, 'duty')) within(`${at}/duty`, listOf(members({action}), 20), value.duty);
  if (has(value, 'consequence')) within(`${at}/consequence`, listOf(() => {}, 10), value.consequence);
  return {
    where, action: value.action, duties: (value.duty ?? []).map((/** @type {Json} */ duty) => duty.action),
    constraints: (value.constraint ?? []).map((/** @type {Json} */ item, /** @type {number} */ i) => parseConstraint(item, `${where}/constraint/${i}`, kind === 'obligation')),
    consequences: (value.consequence ?? []).map((/** @type {Json} */ item, /** @type {number} */ i) => parseRule(item, `${where}/consequence/${i}`, kind)),
  };
}
/**
 * The rules of terms of version 2, every word of them checked; version 1 reads as one permission (§5.6).
 * @type {(terms: Json) => Terms}
 */
export function parseTerms(terms) {
  if (has(terms, 'purposes')) {
    /** @type {Json} */
    const purpose = {operand: 'purpose', operator: 'isAnyOf', values: terms.purposes, place: '/terms/purposes', raw: ''};
    return {permissions: [{where: '/terms', action: 'use', duties: [], constraints: [purpose], consequences: []}], prohibitions: [], obligations: []};
  }
  /** @type {(value: string) => Check} */
  const fixed = value => member => { if (typeof member !== 'string') fail('wrong-type'); if (member !== value) fail('wrong-value'); };
  const rules = listOf(() => {}, 100), label = `(?=.{1,128}$)${LABEL}(?:\\.${LABEL})*`;
  members({
    '@context': value => { if (!Array.isArray(value)) fail('wrong-type'); if (canonical(value) !== TERMS_CONTEXT) fail('wrong-value'); },
    '@type': fixed('Agreement'), conflict: fixed('prohibit'), profile: fixed(TERMS_PROFILE),
    uid: value => { line(500)(value); if (!/^[A-Za-z][A-Za-z0-9+.-]*:[^ \t\n\r\f\v<>"{}|\\^`]+$/.test(value)) fail('wrong-value'); },
    target: matching(/^urn:provenance-ledger:sha256:[0-9a-f]{64}$/),
    assigner: matching(new RegExp(`^${URN}party:${label}$`)), assignee: matching(new RegExp(`^${URN}party:${label}$`)),
    'permission?': rules, 'prohibition?': rules, 'obligation?': rules,
  })(terms);
  if (!['permission', 'prohibition', 'obligation'].some(kind => has(terms, kind))) fail('missing-field', '/permission');
  /** @type {(kind: 'permission' | 'prohibition' | 'obligation') => Rule[]} */
  const of = kind => (terms[kind] ?? []).map((/** @type {Json} */ rule, /** @type {number} */ i) => parseRule(rule, `/${kind}/${i}`, kind));
  const parsed = {permissions: of('permission'), prohibitions: of('prohibition'), obligations: of('obligation')};
  const contradiction = findContradiction(parsed);
  if (contradiction !== null) fail('contradictory-terms', contradiction);
  return parsed;
}
/**
 * Terms that an accepted statement holds; what shows itself to be contradictory once it is opened is judged as written.
 * @type {(terms: Json) => Terms}
 */
export const readTerms = terms => {
  if (has(terms, 'purposes')) return parseTerms(terms);
  /** @type {(kind: 'permission' | 'prohibition' | 'obligation') => Rule[]} */
  const of = kind => (terms[kind] ?? []).map((/** @type {Json} */ rule, /** @type {number} */ i) => parseRule(rule, `/${kind}/${i}`, kind));
  return {permissions: of('permission'), prohibitions: of('prohibition'), obligations: of('obligation')};
};
