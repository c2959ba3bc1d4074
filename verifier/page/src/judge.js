// @ts-check
// ── The judge (docs/terms.md §5–§7, docs/statements.md §10): what follows from the entries, and from the terms ───────

import {byCodePoint, lookUp} from './bytes.js';
import {chainOf, decide, endOf, entriesOf, erasureDue, isInForce, violatedDues} from './decisions.js';
import {has, isSealed} from './forms.js';
import {NO, YES, allOf, anyOf, implies, known, opposite} from './implication.js';
import {canonical} from './json.js';
import {readTerms} from './terms.js';
import {covers} from './vocabulary.js';

const FINDINGS = `transfer-without-license transfer-outside-term transfer-wrong-recipient transfer-wrong-sender marked-without-consent marked-otherwise-than-agreed listing-withdrawn
venue-closed sublicense-wider-than-parent derived-from-unlicensed usage-prohibited usage-beyond-count onward-without-permission digest-mismatch not-acknowledged-in-time
claim-unanswered erasure-late license-ended-without-erasure duty-unfulfilled key-compromised`.split(/\s/);

export class Judge {
  listings = /** @type {Map<string, JudgedListing>} */ (new Map());
  licenses = /** @type {Map<string, JudgedLicense>} */ (new Map());
  preparations = /** @type {Map<string, JudgedPreparation>} */ (new Map());
  transfers = /** @type {Map<string, JudgedTransfer>} */ (new Map());
  claims = /** @type {Map<string, JudgedClaim>} */ (new Map());
  /** By venue: what it says of itself, and where. */
  venues = /** @type {Map<string, [status: string, index: number]>} */ (new Map());
  /** By disclosure: who was compelled, and to disclose what. */
  compelled = /** @type {Map<string, [party: string, subject: string]>} */ (new Map());
  findings = /** @type {Finding[]} */ ([]);
  undetermined = /** @type {(Finding & {places: string[]})[]} */ ([]);
  requests = /** @type {ErasureRequest[]} */ ([]);
  signed = /** @type {[keyid: string, index: number, time: number][]} */ ([]);
  compromises = /** @type {[keyid: string, since: number, owner: string, index: number][]} */ ([]);
  /** By the ids of hand-offs: holds on them, and when their copy was attested to be erased. */
  transferHolds = /** @type {Map<string, Hold[]>} */ (new Map());
  attested = /** @type {Map<string, number>} */ (new Map());

  /** @type {(slug: string, index: number, party: string, others: number[], since: number, answer?: Answer) => void} */
  note(slug, index, party, others, since, answer = YES) {
    const entries = [...new Set([index, ...others])].sort((a, b) => a - b), finding = {slug, index, party, entries, since_ms: since};
    if (answer.truth === 1) this.undetermined.push({...finding, places: answer.places});
    else this.findings.push(finding);
  }
  /**
   * Take an accepted entry, in order.
   * @type {(entry: Accepted) => void}
   */
  take(entry) {
    for (const keyid of entry.statement.signers) this.signed.push([keyid, entry.index, entry.time]);
    const takes = /** @type {Record<string, Take | undefined>} */ (/** @type {unknown} */ (this)); // a method for each type that something follows from
    takes[entry.statement.type.replace('.', '_')]?.call(this, entry, entry.statement);
  }
  /** @type {(entry: Accepted, field: string) => Stated | undefined} */
  stated(entry, field) {
    const value = entry.statement[field];
    return value === undefined ? undefined : {value: isSealed(value) ? null : value, place: `${entry.index} /${field}`};
  }
  /** @type {Take} */
  party_key_revoked({index}, statement) {
    if (has(statement, 'compromised_since_ms')) this.compromises.push([statement.keyid, statement.compromised_since_ms, statement.issuer, index]);
  }
  /** @type {Take} */
  listing_registered(entry, statement) {
    const listing = {id: entry.id, index: entry.index, issuer: statement.issuer};
    this.listings.set(entry.id, listing);
    this.describe(listing, entry, statement);
  }
  /** @type {Take} */
  listing_amended(entry, statement) { this.describe(lookUp(this.listings, statement.listing), entry, statement); }
  /** @type {(listing: JudgedListing, entry: Accepted, statement: Json) => void} */
  describe(listing, entry, statement) {
    if (has(statement, 'version')) listing.version = this.stated(entry, 'version');
    if (has(statement, 'venue')) listing.venue = statement.venue.party;
    for (const id_ of statement.derived_from ?? []) {
      const source = lookUp(this.listings, id_);
      if (source.issuer === statement.issuer) continue;
      const licenses = [...this.licenses.values()].filter(license => license.listing === source && license.licensee === statement.issuer);
      const answers = licenses.map(license => decide(license, {action: 'derive', at: entry.time, more: 1}).answer);
      const answer = opposite(anyOf(answers));
      if (answer.truth) this.note('derived-from-unlicensed', entry.index, statement.issuer, [source.index], entry.time, answer);
    }
  }
  /** @type {Take} */
  listing_withdrawn({index}, statement) { lookUp(this.listings, statement.listing).withdrawn = index; }
  /** @type {(listing: JudgedListing, entry: Accepted) => void} */
  judgeListing(listing, entry) {
    if (listing.withdrawn !== undefined) this.note('listing-withdrawn', entry.index, entry.statement.issuer, [listing.withdrawn], entry.time);
    const venue = listing.venue === undefined ? undefined : this.venues.get(listing.venue);
    if (venue?.[0] === 'closed') this.note('venue-closed', entry.index, entry.statement.issuer, [venue[1]], entry.time);
  }
  /** @type {Take} */
  venue_status({index}, statement) { if (statement.issuer === statement.venue) this.venues.set(statement.venue, [statement.status, index]); }
  /** @type {Take} */
  license_agreed(entry, statement) {
    const term = has(statement, 'valid_from_ms') ? statement : statement.terms, {index} = entry;
    /** @type {JudgedLicense} */
    const license = {
      id: entry.id,
      index,
      agreed: entry.time,
      listing: lookUp(this.listings, statement.listing),
      licensor: statement.issuer,
      licensee: statement.licensee,
      parent: this.licenses.get(statement.parent),
      from: term.valid_from_ms,
      until: term.valid_until_ms,
      terms: readTerms(statement.terms),
      termsIndex: index,
      boundIndex: index, consents: statement.marking_consent === true, marking: statement.marking, consentIndex: index, counts: new Map(), met: new Map(), held: new Set(),
      attested: new Map(), holds: [], ownHolds: [], suspending: 0,
    };
    this.licenses.set(entry.id, license);
    this.judgeListing(license.listing, entry);
    this.judgeSublicense(license, entry);
  }
  /** @type {Take} */
  license_amended(entry, statement) {
    const license = lookUp(this.licenses, statement.license), setsBound = has(statement, 'valid_from_ms') || has(statement, 'valid_until_ms');
    license.from = statement.valid_from_ms ?? license.from;
    license.until = statement.valid_until_ms ?? license.until;
    if (setsBound) license.boundIndex = entry.index;
    if (has(statement, 'marking_consent')) 
      Object.assign(license, {consents: statement.marking_consent, marking: statement.marking, consentIndex: entry.index});
    if (has(statement, 'terms')) Object.assign(license, {terms: readTerms(statement.terms), termsIndex: entry.index});
    if (setsBound || has(statement, 'terms')) this.judgeSublicense(license, entry);
  }
  /** @type {Take} */
  license_ended(entry, statement) {
    Object.assign(lookUp(this.licenses, statement.license), {ended: entry.index, end: Math.max(statement.effective_ms ?? 0, entry.time)});
  }
  /**
   * terms.md §6.1.
   * @type {(child: JudgedLicense, entry: Accepted) => void}
   */
  judgeSublicense(child, entry) {
    const {parent} = child;
    if (!parent) return;
    const stated = {recipient: {value: child.licensee, place: ''}};
    /** @type {(own: Constraint[], from: number, other: Constraint[], to: number) => Answer} */
    const all = (own, from, other, to) => allOf(other.map(item => implies(own, from, item, to)));
    const within = allOf([
      decide(parent, {action: 'grantUse', at: entry.time, stated, more: 1}).answer, known(parent.from <= child.from && child.until <= parent.until),
      ...child.terms.permissions.map(rule => anyOf(parent.terms.permissions
        .filter(other => covers(other.action, rule.action) && other.duties.every(duty => rule.duties.includes(duty)))
        .map(other => all(rule.constraints, child.termsIndex, other.constraints, parent.termsIndex)))),
      ...parent.terms.prohibitions.map(rule => anyOf(child.terms.prohibitions.filter(own => covers(own.action, rule.action))
        .map(own => all(rule.constraints, parent.termsIndex, own.constraints, child.termsIndex)))),
      ...parent.terms.obligations.map(rule => anyOf(child.terms.obligations.filter(own => own.action === rule.action)
        .map(own => all(own.constraints, child.termsIndex, rule.constraints, parent.termsIndex)))),
    ]);
    if (within.truth < 2) this.note('sublicense-wider-than-parent', entry.index, child.licensor, entriesOf(parent), entry.time, opposite(within));
  }
  /** @type {Take} */
  transfer_prepared({id, index}, {bound, method, recipients}) { this.preparations.set(id, {index, marking: {bound, method, recipients}}); }
  /** @type {Take} */
  transfer_offered(entry, statement) {
    const {index, time: at} = entry,
      {issuer, recipient} = statement,
      license = this.licenses.get(statement.license),
      listing = lookUp(this.listings, statement.listing);
    /** @type {JudgedTransfer} */
    const transfer = {
      id: entry.id,
      index,
      listing,
      license,
      sender: issuer,
      recipient,
      by: statement.acknowledge_by_ms,
      content: entry.contents?.get('/content'),
    };
    this.transfers.set(entry.id, transfer);
    this.judgeListing(listing, entry);
    if (statement.marks && !license?.consents)
      this.note('marked-without-consent', index, issuer, license ? [license.index, license.consentIndex] : [], at);
    if (license?.listing !== listing) { this.note('transfer-without-license', index, issuer, license ? [license.index] : [], at); return; }
    const preparation = this.preparations.get(statement.marks?.prepared);
    if (preparation && license.consents && license.marking && canonical(preparation.marking) !== canonical(license.marking))
      this.note('marked-otherwise-than-agreed', index, issuer, [preparation.index, license.index, license.consentIndex], at);
    const outside = chainOf(license).find(step => !isInForce(step, at));
    if (outside) this.note('transfer-outside-term', index, issuer, entriesOf(outside), at);
    if (recipient !== license.licensee) this.note('transfer-wrong-recipient', index, issuer, [license.index], at);
    if (issuer !== license.licensor) this.note('transfer-wrong-sender', index, issuer, [license.index], at);
  }
  /** @type {(transfer: JudgedTransfer, at: number) => void} */
  decideTransfer(transfer, at) {
    if (transfer.by !== undefined && at > transfer.by) this.note('not-acknowledged-in-time', transfer.index, transfer.recipient, [], transfer.by);
    transfer.by = undefined;
  }
  /** @type {Take} */
  transfer_acknowledged(entry, statement) {
    const transfer = lookUp(this.transfers, statement.transfer), content = entry.contents?.get('/content');
    this.decideTransfer(transfer, entry.time);
    if (transfer.license?.licensee === transfer.recipient) transfer.license.held.add(transfer);
    if (content && transfer.content && canonical(content) !== canonical(transfer.content))
      this.note('digest-mismatch', entry.index, statement.issuer, [transfer.index], entry.time);
  }
  /** @type {Take} */
  transfer_refused(entry, statement) {
    const transfer = lookUp(this.transfers, statement.transfer);
    this.decideTransfer(transfer, entry.time);
    if (statement.code === 'digest-mismatch') this.note('digest-mismatch', entry.index, transfer.sender, [transfer.index], entry.time);
  }
  /**
   * Count what was done under a license and those above it, and decide it.
   * @type {(license: JudgedLicense, request: Asking, stated: Stated) => ReturnType<typeof decide>}
   */
  act(license, request, stated) {
    for (const step of chainOf(license)) {
      const sum = step.counts.get(request.action) ?? {known: 0, sealed: []};
      sum.known += stated.value ?? 1;
      if (stated.value === null && !sum.sealed.length) sum.sealed.push(stated.place);
      step.counts.set(request.action, sum);
    }
    return decide(license, request);
  }
  /** @type {Take} */
  usage_reported(entry, statement) {
    const license = lookUp(this.licenses, statement.license), {action} = statement;
    for (const done of [action, ...(statement.fulfils ?? [])]) if (!license.met.has(done)) license.met.set(done, entry.time);
    const stated = Object.fromEntries(['purpose', 'spatial', 'industry', 'product', 'recipient'].map(field => [field, this.stated(entry, field)]));
    const {answer, deciding, onlyCount} = this.act(license, {action, at: entry.time, stated}, this.stated(entry, 'count') ?? {value: 1, place: ''});
    if (deciding)
      this.note(
        onlyCount ? 'usage-beyond-count' : 'usage-prohibited',
        entry.index,
        statement.issuer,
        entriesOf(deciding),
        entry.time,
        opposite(answer),
      );
  }
  /** @type {Take} */
  transfer_forwarded(entry, statement) {
    const transfer = lookUp(this.transfers, statement.transfer), {license} = transfer, {issuer} = statement;
    let answer = /** @type {Answer} */ (NO);
    if (license && license.licensee === issuer) {
      const stated = {
        purpose: this.stated(entry, 'purpose'),
        spatial: this.stated(entry, 'spatial'),
        recipient: this.stated(entry, 'recipient') ?? this.stated(entry, 'outsider'),
      };
      ({answer} = this.act(license, {action: 'distribute', at: entry.time, stated}, {value: 1, place: ''}));
    }
    const [by, subject] = this.compelled.get(statement.disclosure) ?? [], sub = this.licenses.get(statement.license), chain = chainOf(sub);
    const wasCompelled = by === issuer && (subject === statement.transfer || subject === transfer.listing.id);
    const isSublicensed = sub && license && sub.licensor === issuer && sub.licensee === statement.recipient && sub.listing === transfer.listing
      && chain.includes(license) && chain.every(step => isInForce(step, entry.time));
    if (answer.truth === 2 || wasCompelled || isSublicensed) return;
    this.note(
      'onward-without-permission',
      entry.index,
      issuer,
      [transfer.index, ...(license ? entriesOf(license) : [])],
      entry.time,
      opposite(answer),
    );
  }
  /** @type {Take} */
  disclosure_compelled(entry, statement) { this.compelled.set(entry.id, [statement.issuer, statement.transfer ?? statement.listing]); }
  /** @type {(subject: string) => Hold[][]} */
  holdsOn(subject) {
    const license = this.licenses.get(subject);
    if (license) return [license.ownHolds, license.holds];
    const over = lookUp(this.transfers, subject).license, own = this.transferHolds.get(subject) ?? [];
    this.transferHolds.set(subject, own);
    return [own, ...(over ? [over.holds] : [])];
  }
  /** @type {Take} */
  claim_opened(entry, statement) {
    const subject = statement.license ?? statement.transfer, isHold = statement.legal_hold === true;
    /** @type {JudgedClaim} */
    const claim = {index: entry.index, subject, respondent: statement.respondent, by: statement.answer_by_ms, isHold};
    this.claims.set(entry.id, claim);
    if (!isHold) return;
    const license = this.licenses.get(subject) ?? lookUp(this.transfers, subject).license,
      due = license && license.held.size ? erasureDue(license) : null;
    if (license && !(due !== null && entry.time > due)) { claim.suspends = license; license.suspending += 1; }
    for (const row of this.holdsOn(subject)) row.push({claim, from: entry.time, fromIndex: entry.index, until: null});
  }
  /** @type {(claim: JudgedClaim, at: number) => void} */
  unanswered(claim, at) {
    if (claim.answered === undefined && claim.by !== undefined && at > claim.by)
      this.note('claim-unanswered', claim.index, claim.respondent, [], claim.by);
  }
  /** @type {Take} */
  claim_answered(entry, statement) {
    const claim = lookUp(this.claims, statement.claim);
    this.unanswered(claim, entry.time);
    claim.answered = entry.time;
  }
  /** @type {Take} */
  claim_determined(entry, statement) {
    const claim = lookUp(this.claims, statement.claim), license = claim.suspends;
    this.unanswered(claim, entry.time);
    this.claims.delete(statement.claim);
    if (!claim.isHold) return;
    for (const row of this.holdsOn(claim.subject))
      for (const hold of row) if (hold.claim === claim) Object.assign(hold, {until: entry.time, untilIndex: entry.index});
    if (license && --license.suspending === 0) license.released = entry.time;
  }
  /** @type {Take} */
  erasure_requested(entry, statement) {
    const subject = statement.license ?? statement.transfer;
    const party = this.licenses.get(subject)?.licensee ?? lookUp(this.transfers, subject).recipient;
    this.requests.push({index: entry.index, subject, party, by: statement.erase_by_ms});
  }
  /**
   * When a request is due; null while a hold that moves it is on.
   * @type {(request: ErasureRequest) => number | null}
   */
  requestDue({index, subject, by}) {
    const license = this.licenses.get(subject);
    const rows = license ? license.holds : [...(this.transferHolds.get(subject) ?? []), ...(lookUp(this.transfers, subject).license?.ownHolds ?? [])];
    const relevant = rows.filter(hold => hold.untilIndex === undefined || hold.untilIndex > index);
    let due = by, before = by;
    do {
      before = due;
      for (const hold of relevant) {
        if (hold.fromIndex > index && hold.from > due) continue;
        if (hold.until === null) return null;
        due = Math.max(due, hold.until);
      }
    } while (due !== before);
    return due;
  }
  /** @type {Take} */
  erasure_attested(entry, statement) {
    if (has(statement, 'statement')) return;
    const {issuer} = statement, license = this.licenses.get(statement.license);
    if (license) {
      if (!license.attested.has(issuer)) license.attested.set(issuer, entry.time);
      if (issuer === license.licensee) this.destroy(license, [...license.held], entry);
      return;
    }
    const transfer = lookUp(this.transfers, statement.transfer);
    if (issuer === transfer.recipient) {
      if (!this.attested.has(transfer.id)) this.attested.set(transfer.id, entry.time);
      if (transfer.license?.held.has(transfer)) this.destroy(transfer.license, [transfer], entry);
    }
  }
  /** @type {(license: JudgedLicense, copies: JudgedTransfer[], entry: Accepted) => void} */
  destroy(license, copies, entry) {
    if (!copies.length) return;
    const due = erasureDue(license);
    if (due !== null && entry.time > due)
      this.note('erasure-late', entry.index, entry.statement.issuer, [license.index, ...entriesOf(license)], entry.time);
    for (const copy of copies) license.held.delete(copy);
  }
  /**
   * The findings as of `at`, in their order.
   * @type {(at: number) => Finding[]}
   */
  close(at) {
    for (const transfer of this.transfers.values()) this.decideTransfer(transfer, at);
    for (const claim of this.claims.values()) this.unanswered(claim, at);
    for (const request of this.requests) {
      const due = this.requestDue(request),
        license = this.licenses.get(request.subject),
        over = license ?? lookUp(this.transfers, request.subject).license;
      const done = Math.min(over?.attested.get(request.party) ?? Infinity, license ? Infinity : this.attested.get(request.subject) ?? Infinity);
      if (due !== null && at > due && done > due) this.note('erasure-late', request.index, request.party, [], due);
    }
    for (const license of this.licenses.values()) {
      const due = erasureDue(license);
      if (license.held.size && due !== null && at > due)
        this.note('license-ended-without-erasure', license.index, license.licensee, entriesOf(license), due);
      const late = license.terms.obligations.flatMap(duty =>
        violatedDues(license, duty, duty.action === 'delete' ? endOf(license) : license.agreed, at),
      );
      if (late.length) this.note('duty-unfulfilled', license.index, license.licensee, entriesOf(license), Math.min(...late));
    }
    /** @type {Map<number, [owner: string, said: number, time: number]>} */
    const worst = new Map();
    for (const [keyid, since, owner, said] of this.compromises) {
      for (const [signer, index, time_] of this.signed) {
        const other = worst.get(index);
        if (signer === keyid && time_ >= since && (!other || byCodePoint(owner, other[0]) < 0 || (owner === other[0] && said < other[1])))
          worst.set(index, [owner, said, time_]);
      }
    }
    for (const [index, [owner, said, time_]] of worst) this.note('key-compromised', index, owner, [said], time_);
    /** @type {(a: Finding, b: Finding) => number} */
    const order = (a, b) =>
      a.index - b.index ||
      FINDINGS.indexOf(a.slug) - FINDINGS.indexOf(b.slug) ||
      byCodePoint(a.party, b.party) ||
      byCodePoint(canonical(a.entries), canonical(b.entries));
    this.findings.sort(order);
    return this.findings;
  }
}
