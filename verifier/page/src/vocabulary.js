// @ts-check
// ── The words of terms: actions, operands, what lies beneath what (docs/terms.md §1–§3) ──────────────────────────────

const COVERED_BY_USE = 'use read reproduce derive aggregate anonymize distribute grantUse delete attribute inform obtainConsent train'.split(' ');
export const ACTIONS = [...COVERED_BY_USE, 'transfer', 'sell'];
/** @type {(action: string, other: string) => boolean} */
export const covers = (action, other) =>
  action === other || (action === 'use' && COVERED_BY_USE.includes(other)) || (action === 'transfer' && other === 'sell');
export const ORDERINGS = ['lt', 'lteq', 'gt', 'gteq'], OF_SETS = ['isAnyOf', 'isAllOf', 'isNoneOf'], BENEATH = ['isA', 'isPartOf'];
export const NUMERIC = ['dateTime', 'elapsedTime', 'count'], ORDERED = ['eq', 'neq', ...ORDERINGS], OF_WORDS = ['eq', 'neq', ...BENEATH, ...OF_SETS];
/** @type {Record<string, string[]>} */
export const OPERATORS = {
  dateTime: ORDERED, elapsedTime: ORDERED, count: ORDERED, version: [...ORDERED, ...OF_SETS],
  purpose: OF_WORDS, spatial: OF_WORDS, industry: OF_WORDS, product: OF_WORDS, recipient: ['eq', 'neq', ...OF_SETS],
};
/** @type {Record<string, string>} */
const OVER = Object.fromEntries(`purpose ResearchAndDevelopment: AcademicResearch CommercialResearch NonCommercialResearch
purpose Marketing: Advertising DirectMarketing PublicRelations SocialMediaMarketing
purpose Advertising: PersonalisedAdvertising
purpose PersonalisedAdvertising: TargetedAdvertising
purpose ServiceProvision: PaymentManagement RequestedServiceProvision ServiceOptimisation ServicePersonalisation TechnicalServiceProvision
purpose ServiceOptimisation: OptimisationForConsumer OptimisationForController
purpose CommercialPurpose: Marketing SellProducts
purpose FulfilmentOfObligation: FulfilmentOfContractualObligation LegalObligation
purpose LegalObligation: LegalCompliance
purpose EnforceSecurity: EnforceAccessControl FraudPreventionAndDetection MisusePreventionAndDetection
purpose OrganisationGovernance: AccountManagement HumanResourceManagement VendorManagement
purpose PublicBenefit: CounterTerrorism ProtectionOfPublicSecurity
spatial EU: AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK
spatial EEA: EU IS LI NO`.split('\n').flatMap(row => {
  const [heading, children] = row.split(': '), [operand, parent] = heading.split(' ');
  return children.split(' ').map(child => [`${operand} ${child}`, parent]);
}));
/** @type {(operand: string, word: string) => string | undefined} */
const parentOf = (operand, word) => {
  if (operand === 'spatial' && /^[A-Z]{2}-[A-Z0-9]{1,3}$/.test(word)) return word.slice(0, 2);
  if ((operand === 'industry' || operand === 'product') && word.includes('.')) return word.slice(0, word.lastIndexOf('.'));
  return OVER[`${operand} ${word}`];
};
/**
 * A word and all that stands over it (§4.2–§4.5).
 * @type {(operand: string, word: string) => Set<string>}
 */
export const lineage = (operand, word) => {
  const words = new Set();
  for (let step = /** @type {string | undefined} */ (word); step !== undefined; step = parentOf(operand, step)) words.add(step);
  return words;
};

/** @type {(value: string) => number | null} */
export function parseDateTime(value) {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{3}))?Z$/.exec(value);
  if (!match) return null;
  const [year, month, day, hour, minute, second, milli] = match.slice(1).map(part => Number(part ?? 0));
  const ms = Date.UTC(year, month - 1, day, hour, minute, second, milli);
  const isDay = new Date(ms).toISOString().slice(0, 19) === value.slice(0, 19);
  return isDay && year >= 1970 ? ms : null;
}
/** @type {(value: string) => number | null} */
export function parseDuration(value) {
  const match = /^P(?:([0-9]{1,6})D)?(?:T(?=[0-9])(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})S)?)?$/.exec(value);
  if (!match || match.slice(1).every(part => part === undefined)) return null;
  return [86400000, 3600000, 60000, 1000].reduce((sum, unit, i) => sum + unit * Number(match[i + 1] ?? 0), 0);
}
/** @type {(value: string) => number[] | null} */
export const parseVersion = value => /^[0-9]{1,9}(?:\.[0-9]{1,9}){0,3}$/.test(value) ? [...value.split('.').map(Number), 0, 0, 0].slice(0, 4) : null;
