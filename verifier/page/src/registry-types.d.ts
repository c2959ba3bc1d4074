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

/** A pool that may mark hand-offs of a listing to one recipient. */
interface RecordedPreparation {
  id: string;
  index: number;
  /** What the commitments in it are made with. */
  sealing: {ledger: string; issuer: string; nonce: string};
  listing: string;
  sender: string;
  recipient: string;
  bound: string;
  recipients: number;
  method: 'canary' | 'omission' | 'tardos';
  /** The commitment to the sender's coin. */
  coin: string;
  /** The id of the request that names it. */
  request?: string;
}

interface RecordedTransfer {
  id: string;
  index: number;
  listing: string;
  license?: string;
  sender: string;
  recipient: string;
  marks?: OpenMarks | PoolMarks;
  /** The commitment to what was handed over. */
  content: string;
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
  preparations: RecordedPreparation;
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
