// What accepted statements have brought about, as registry.js keeps it; tsc alone reads it. Indexes are of entries, times in milliseconds.

interface RegisteredKey {
  use: string;
  alg: string;
  bytes: Bytes;
  owner: string;
  index: number;
  /** Where it was revoked. */
  revoked?: number;
}

/** A key that a statement brings along. */
interface IntroducedKey {
  keyid: string;
  use: string;
  alg: string;
  bytes: Bytes;
}

interface RecordedListing {
  index: number;
  issuer: string;
  withdrawn?: number;
}

interface RecordedLicense {
  index: number;
  listing: string;
  licensor: string;
  licensee: string;
  from: number;
  until: number;
  /** The version of the rules that it was agreed under. */
  rules: number;
  ended?: number;
}

interface RecordedTransfer {
  id: string;
  index: number;
  listing: string;
  license?: string;
  sender: string;
  recipient: string;
  marks?: OpenMarks;
  time: number;
  /** Where it was acknowledged or refused. */
  decided?: number;
  acknowledged?: number;
}

interface RecordedClaim {
  index: number;
  /** The license or hand-off that it is about. */
  subject: string;
  claimant: string;
  respondent: string;
  tribunal?: string;
  isHold?: boolean;
  answered?: number;
  determined?: number;
}

interface Recorded {
  listings: RecordedListing;
  licenses: RecordedLicense;
  transfers: RecordedTransfer;
  claims: RecordedClaim;
}

interface Entry {
  index: number;
  time: number;
  /** The leaf hash of the entry before it, in hexadecimal. */
  previous: string;
  /** Its envelope. */
  statement: Json;
  /** Whether it is as short as an entry has to be. */
  fits: boolean;
  leaf: Bytes;
}

type Registry = import('./registry.js').Registry;

/** Checks that what a statement of one type refers to is there; throws a Fault, or a Doubt. */
type Refers = (registry: Registry, statement: Json, entry: Entry & {introduced: IntroducedKey[]}) => void;
