// What the judge keeps of the entries that it took, as far as later ones can refer to it; tsc alone reads it.
// Indexes are of entries, times in milliseconds.

/** What an entry states for an operand: null, and the place that it is sealed in, or its value. */
interface Stated {
  value: Json;
  place: string;
}

/** An act that terms are asked about. */
interface Asking {
  action: string;
  at: number;
  stated?: Record<string, Stated | undefined>;
  /** How often it is to be done beyond what is counted. */
  more?: number;
  /** Whether every bound on its count is taken as kept. */
  withinCount?: boolean;
}

interface JudgedListing {
  id: string;
  index: number;
  issuer: string;
  version?: Stated;
  venue?: string;
  withdrawn?: number;
}

/** What was done under a license: what is known of it, and where the rest is sealed. */
interface Sum {
  known: number;
  sealed: string[];
}

interface Hold {
  claim: JudgedClaim;
  from: number;
  fromIndex: number;
  until: number | null;
  untilIndex?: number;
}

interface JudgedLicense {
  id: string;
  index: number;
  agreed: number;
  listing: JudgedListing;
  licensor: string;
  licensee: string;
  parent?: JudgedLicense;
  from: number;
  until: number;
  terms: Terms;
  /** Where its terms, its bounds, and the consent to marks were said last. */
  termsIndex: number;
  boundIndex: number;
  consentIndex: number;
  consents: boolean;
  /** How copies are marked, by the statement that consents to it. */
  marking?: Marking;
  /** Where it was ended, and as of when. */
  ended?: number;
  end?: number;
  /** By action: what was done; and when it was first. */
  counts: Map<string, Sum>;
  met: Map<string, number>;
  held: Set<JudgedTransfer>;
  /** By party: when it first attested that it erased. */
  attested: Map<string, number>;
  /** Holds on it or on hand-offs under it; and those on itself. */
  holds: Hold[];
  ownHolds: Hold[];
  /** How many claims suspend its erasure; and when the last of them was determined. */
  suspending: number;
  released?: number;
}

/** How copies of a license are to be marked, or those of a preparation are. */
interface Marking {
  bound: string;
  method: string;
  recipients: number;
}

interface JudgedPreparation {
  index: number;
  marking: Marking;
}

interface JudgedTransfer {
  id: string;
  index: number;
  listing: JudgedListing;
  license?: JudgedLicense;
  sender: string;
  recipient: string;
  /** When it has to be decided by, as long as it is not. */
  by?: number;
  /** What was sealed of the copy, where it is opened. */
  content?: Json;
}

interface JudgedClaim {
  index: number;
  subject: string;
  respondent: string;
  by?: number;
  isHold: boolean;
  answered?: number;
  /** The license whose erasure it suspends. */
  suspends?: JudgedLicense;
}

interface ErasureRequest {
  index: number;
  subject: string;
  party: string;
  by: number;
}

/** Judges an entry, of the statement `statement`. */
type Take = (entry: Accepted, statement: Json) => void;
