// ── The judge (docs/terms.md §5–§7, docs/statements.md §10): what follows from the entries, and from the terms ───────

import {byCodePoint} from './bytes.js';
import {chainOf, decide, endOf, entriesOf, erasureDue, isInForce, violatedDues} from './decisions.js';
import {has, isSealed} from './forms.js';
import {NO, YES, allOf, anyOf, implies, known, opposite} from './implication.js';
import {canonical} from './json.js';
import {readTerms} from './terms.js';
import {covers} from './vocabulary.js';

const FINDINGS = `transfer-without-license transfer-outside-term transfer-wrong-recipient transfer-wrong-sender marked-without-consent listing-withdrawn venue-closed
sublicense-wider-than-parent derived-from-unlicensed usage-prohibited usage-beyond-count onward-without-permission digest-mismatch not-acknowledged-in-time
claim-unanswered erasure-late license-ended-without-erasure duty-unfulfilled key-compromised`.split(/\s/);

export class Judge {
  constructor() {
    for (const kind of ['listings', 'licenses', 'transfers', 'claims', 'venues', 'compelled']) this[kind] = new Map();
    Object.assign(this, {findings: [], undetermined: [], requests: [], signed: [], compromises: [], transferHolds: new Map(), attested: new Map()});
  }
  note(slug, index, party, others, since, answer = YES) {
    const entries = [...new Set([index, ...others])].sort((a, b) => a - b), finding = {slug, index, party, entries, since_ms: since};
    (answer.truth === 1 ? this.undetermined : this.findings).push(answer.truth === 1 ? {...finding, places: answer.places} : finding);
  }
  /** Take an accepted entry {index, time, id, statement (opened), contents}, in order. */
  take(entry) {
    for (const keyid of entry.statement.signers) this.signed.push([keyid, entry.index, entry.time]);
    const {type} = entry.statement, take = this[type.replace('.', '_')];
    take?.call(this, entry, entry.statement);
  }
  stated(entry, field) {
    const value = entry.statement[field];
    return value === undefined ? undefined : {value: isSealed(value) ? null : value, place: `${entry.index} /${field}`};
  }
  party_key_revoked({index}, statement) {
    if (has(statement, 'compromised_since_ms')) this.compromises.push([statement.keyid, statement.compromised_since_ms, statement.issuer, index]);
  }
  listing_registered(entry, statement) {
    this.listings.set(entry.id, {id: entry.id, index: entry.index, issuer: statement.issuer});
    this.describe(this.listings.get(entry.id), entry, statement);
  }
  listing_amended(entry, statement) { this.describe(this.listings.get(statement.listing), entry, statement); }
  describe(listing, entry, statement) {
    if (has(statement, 'version')) listing.version = this.stated(entry, 'version');
    if (has(statement, 'venue')) listing.venue = statement.venue.party;
    for (const id_ of statement.derived_from ?? []) {
      const source = this.listings.get(id_);
      if (source.issuer === statement.issuer) continue;
      const licenses = [...this.licenses.values()].filter(license => license.listing === source && license.licensee === statement.issuer);
      const answers = licenses.map(license => decide(license, {action: 'derive', at: entry.time, more: 1}).answer);
      const answer = opposite(anyOf(answers));
      if (answer.truth) this.note('derived-from-unlicensed', entry.index, statement.issuer, [source.index], entry.time, answer);
    }
  }
  listing_withdrawn({index}, statement) { this.listings.get(statement.listing).withdrawn = index; }
  judgeListing(listing, entry) {
    if (listing.withdrawn !== undefined) this.note('listing-withdrawn', entry.index, entry.statement.issuer, [listing.withdrawn], entry.time);
    const [status, announced] = this.venues.get(listing.venue) ?? [];
    if (status === 'closed') this.note('venue-closed', entry.index, entry.statement.issuer, [announced], entry.time);
  }
  venue_status({index}, statement) { if (statement.issuer === statement.venue) this.venues.set(statement.venue, [statement.status, index]); }
  license_agreed(entry, statement) {
    const term = has(statement, 'valid_from_ms') ? statement : statement.terms, {index} = entry;
    const license = {
      id: entry.id,
      index,
      agreed: entry.time,
      listing: this.listings.get(statement.listing),
      licensor: statement.issuer,
      licensee: statement.licensee,
      parent: this.licenses.get(statement.parent),
      from: term.valid_from_ms,
      until: term.valid_until_ms,
      terms: readTerms(statement.terms),
      termsIndex: index,
      boundIndex: index, consents: statement.marking_consent === true, consentIndex: index, counts: new Map(), met: new Map(), held: new Set(),
      attested: new Map(), holds: [], ownHolds: [], suspending: 0,
    };
    this.licenses.set(entry.id, license);
    this.judgeListing(license.listing, entry);
    this.judgeSublicense(license, entry);
  }
  license_amended(entry, statement) {
    const license = this.licenses.get(statement.license), setsBound = has(statement, 'valid_from_ms') || has(statement, 'valid_until_ms');
    license.from = statement.valid_from_ms ?? license.from;
    license.until = statement.valid_until_ms ?? license.until;
    if (setsBound) license.boundIndex = entry.index;
    if (has(statement, 'marking_consent')) Object.assign(license, {consents: statement.marking_consent, consentIndex: entry.index});
    if (has(statement, 'terms')) Object.assign(license, {terms: readTerms(statement.terms), termsIndex: entry.index});
    if (setsBound || has(statement, 'terms')) this.judgeSublicense(license, entry);
  }
  license_ended(entry, statement) {
    Object.assign(this.licenses.get(statement.license), {ended: entry.index, end: Math.max(statement.effective_ms ?? 0, entry.time)});
  }
  /** terms.md §6.1. */
  judgeSublicense(child, entry) {
    const {parent} = child;
    if (!parent) return;
    const stated = {recipient: {value: child.licensee, place: ''}};
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
  transfer_offered(entry, statement) {
    const {index, time: at} = entry,
      {issuer, recipient} = statement,
      license = this.licenses.get(statement.license),
      listing = this.listings.get(statement.listing);
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
    const outside = chainOf(license).find(step => !isInForce(step, at));
    if (outside) this.note('transfer-outside-term', index, issuer, entriesOf(outside), at);
    if (recipient !== license.licensee) this.note('transfer-wrong-recipient', index, issuer, [license.index], at);
    if (issuer !== license.licensor) this.note('transfer-wrong-sender', index, issuer, [license.index], at);
  }
  decideTransfer(transfer, at) {
    if (transfer.by !== undefined && at > transfer.by) this.note('not-acknowledged-in-time', transfer.index, transfer.recipient, [], transfer.by);
    transfer.by = undefined;
  }
  transfer_acknowledged(entry, statement) {
    const transfer = this.transfers.get(statement.transfer), content = entry.contents?.get('/content');
    this.decideTransfer(transfer, entry.time);
    if (transfer.license?.licensee === transfer.recipient) transfer.license.held.add(transfer);
    if (content && transfer.content && canonical(content) !== canonical(transfer.content))
      this.note('digest-mismatch', entry.index, statement.issuer, [transfer.index], entry.time);
  }
  transfer_refused(entry, statement) {
    const transfer = this.transfers.get(statement.transfer);
    this.decideTransfer(transfer, entry.time);
    if (statement.code === 'digest-mismatch') this.note('digest-mismatch', entry.index, transfer.sender, [transfer.index], entry.time);
  }
  /** Count what was done under a license and those above it, and decide it. */
  act(license, request, stated) {
    for (const step of chainOf(license)) {
      const sum = step.counts.get(request.action) ?? {known: 0, sealed: []};
      sum.known += stated.value ?? 1;
      if (stated.value === null && !sum.sealed.length) sum.sealed.push(stated.place);
      step.counts.set(request.action, sum);
    }
    return decide(license, request);
  }
  usage_reported(entry, statement) {
    const license = this.licenses.get(statement.license), {action} = statement;
    for (const done of [action, ...(statement.fulfils ?? [])]) if (!license.met.has(done)) license.met.set(done, entry.time);
    const stated = Object.fromEntries(['purpose', 'spatial', 'industry', 'product', 'recipient'].map(field => [field, this.stated(entry, field)]));
    const {answer, deciding, onlyCount} = this.act(license, {action, at: entry.time, stated}, this.stated(entry, 'count') ?? {value: 1});
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
  transfer_forwarded(entry, statement) {
    const transfer = this.transfers.get(statement.transfer), {license} = transfer, {issuer} = statement;
    let answer = NO;
    if (license?.licensee === issuer) {
      const stated = {
        purpose: this.stated(entry, 'purpose'),
        spatial: this.stated(entry, 'spatial'),
        recipient: this.stated(entry, 'recipient') ?? this.stated(entry, 'outsider'),
      };
      ({answer} = this.act(license, {action: 'distribute', at: entry.time, stated}, {value: 1}));
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
  disclosure_compelled(entry, statement) { this.compelled.set(entry.id, [statement.issuer, statement.transfer ?? statement.listing]); }
  holdsOn(subject) {
    const license = this.licenses.get(subject);
    if (license) return [license.ownHolds, license.holds];
    if (!this.transferHolds.has(subject)) this.transferHolds.set(subject, []);
    const over = this.transfers.get(subject).license;
    return [this.transferHolds.get(subject), ...(over ? [over.holds] : [])];
  }
  claim_opened(entry, statement) {
    const subject = statement.license ?? statement.transfer, isHold = statement.legal_hold === true;
    const claim = {index: entry.index, subject, respondent: statement.respondent, by: statement.answer_by_ms, isHold};
    this.claims.set(entry.id, claim);
    if (!isHold) return;
    const license = this.licenses.get(subject) ?? this.transfers.get(subject).license,
      due = license && license.held.size ? erasureDue(license) : null;
    if (license && !(due !== null && entry.time > due)) { claim.suspends = license; license.suspending += 1; }
    for (const row of this.holdsOn(subject)) row.push({claim, from: entry.time, fromIndex: entry.index, until: null});
  }
  unanswered(claim, at) {
    if (claim.answered === undefined && claim.by !== undefined && at > claim.by)
      this.note('claim-unanswered', claim.index, claim.respondent, [], claim.by);
  }
  claim_answered(entry, statement) {
    const claim = this.claims.get(statement.claim);
    this.unanswered(claim, entry.time);
    claim.answered = entry.time;
  }
  claim_determined(entry, statement) {
    const claim = this.claims.get(statement.claim), license = claim.suspends;
    this.unanswered(claim, entry.time);
    this.claims.delete(statement.claim);
    if (!claim.isHold) return;
    for (const row of this.holdsOn(claim.subject))
      for (const hold of row) if (hold.claim === claim) Object.assign(hold, {until: entry.time, untilIndex: entry.index});
    if (license && --license.suspending === 0) license.released = entry.time;
  }
  erasure_requested(entry, statement) {
    const subject = statement.license ?? statement.transfer;
    const party = this.licenses.get(subject)?.licensee ?? this.transfers.get(subject).recipient;
    this.requests.push({index: entry.index, subject, party, by: statement.erase_by_ms});
  }
  /** When a request is due; null while a hold that moves it is on. */
  requestDue({index, subject, by}) {
    const license = this.licenses.get(subject);
    const rows = license ? license.holds : [...(this.transferHolds.get(subject) ?? []), ...(this.transfers.get(subject).license?.ownHolds ?? [])];
    const relevant = rows.filter(hold => hold.untilIndex === undefined || hold.untilIndex > index);
    let due = by, before;
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
  erasure_attested(entry, statement) {
    if (has(statement, 'statement')) return;
    const {issuer} = statement, license = this.licenses.get(statement.license), transfer = this.transfers.get(statement.transfer);
    if (license) {
      if (!license.attested.has(issuer)) license.attested.set(issuer, entry.time);
      if (issuer === license.licensee) this.destroy(license, [...license.held], entry);
    } else if (issuer === transfer.recipient) {
      if (!this.attested.has(transfer.id)) this.attested.set(transfer.id, entry.time);
      if (transfer.license?.held.has(transfer)) this.destroy(transfer.license, [transfer], entry);
    }
  }
  destroy(license, copies, entry) {
    if (!copies.length) return;
    const due = erasureDue(license);
    if (due !== null && entry.time > due)
      this.note('erasure-late', entry.index, entry.statement.issuer, [license.index, ...entriesOf(license)], entry.time);
    for (const copy of copies) license.held.delete(copy);
  }
  /** The findings as of `at`, in their order. */
  close(at) {
    for (const transfer of this.transfers.values()) this.decideTransfer(transfer, at);
    for (const claim of this.claims.values()) this.unanswered(claim, at);
    for (const request of this.requests) {
      const due = this.requestDue(request),
        license = this.licenses.get(request.subject),
        over = license ?? this.transfers.get(request.subject).license;
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
    const worst = new Map();
    for (const [keyid, since, owner, said] of this.compromises) {
      for (const [signer, index, time_] of this.signed) {
        const other = worst.get(index);
        if (signer === keyid && time_ >= since && (!other || byCodePoint(owner, other[0]) < 0 || (owner === other[0] && said < other[1])))
          worst.set(index, [owner, said, time_]);
      }
    }
    for (const [index, [owner, said, time_]] of worst) this.note('key-compromised', index, owner, [said], time_);
    const order = (a, b) =>
      a.index - b.index ||
      FINDINGS.indexOf(a.slug) - FINDINGS.indexOf(b.slug) ||
      byCodePoint(a.party, b.party) ||
      byCodePoint(canonical(a.entries), canonical(b.entries));
    this.findings.sort(order);
    return this.findings;
  }
}
