// Types that the modules share; tsc alone reads them, and nothing of them is on the page.

type Bytes = Uint8Array<ArrayBuffer>;

/** A value of JSON, whatever it is: the forms of forms.js check it. */
type Json = any;

/** Throws a Fault for a value that is not of a form. */
type Check = (value: Json) => void;

/** Extended coordinates of a point of edwards25519. */
type Point = [x: bigint, y: bigint, z: bigint, t: bigint];

/** A verifier key of a note (docs/format.md §10.1). */
interface NoteKey {
  name: string;
  id: string;
  /** 1: a log's Ed25519; 4, 6: cosignatures by Ed25519 and ML-DSA-44. */
  kind: number;
  publicKey: Bytes;
  vkey: string;
}

interface Note {
  text: string;
  signatures: {name: string; id: string; signature: Bytes}[];
}

interface Checkpoint {
  origin: string;
  size: number;
  root: Bytes;
}

interface Receipt {
  index: number;
  path: Bytes[];
  checkpoint: Bytes;
}

/** Whom the user trusts (docs/format.md §10.5). */
interface Policy {
  logs: NoteKey[];
  witnesses: Map<string, NoteKey>;
  /** In the order of their definition: a member stands above its group. */
  groups: {name: string; k: number; members: string[]}[];
  quorum: string | null;
}

/** A checkpoint that a log of the policy signed. */
interface OpenedCheckpoint extends Checkpoint {
  log: NoteKey;
  signedBy: string[];
  /** Names of witnesses, and the times of their cosignatures in Unix seconds. */
  cosigned: Map<string, number>;
  own: string[];
  isQuorate: boolean;
  isAlone: boolean;
}

/** How a cell is read where its normal form is asked for (docs/format.md §15.7). */
type Reading = 'text' | 'comma' | 'dmy' | 'mdy';
type Cell = string | null;
type Mapping = {column: number; found: number; reading: Reading}[];

/** Of a question about terms: 0 false, 1 unknown, 2 true; an unknown answer names the sealed places that would decide it. */
interface Answer {
  truth: number;
  places: string[];
}

/** A constraint as it is judged: it has `seal`, or `join` and `members`, or the rest. */
interface Constraint {
  /** The place of the whole, where it is sealed. */
  seal?: string;
  join?: 'and' | 'or' | 'xone';
  members: Constraint[];
  operand: string;
  operator: string;
  /** The right operand; null, whatever is said here, where it is sealed. */
  values: any[];
  place: string;
  raw?: string;
}

/** A rule of terms: permission, prohibition, or obligation with its consequences. */
interface Rule {
  where: string;
  action: string;
  duties: string[];
  constraints: Constraint[];
  consequences: Rule[];
}

interface Terms {
  permissions: Rule[];
  prohibitions: Rule[];
  obligations: Rule[];
}

/** What the page leaves for programs and the curious: its last result, and its parts. */
interface Window {
  result?: {exit_code: number};
  verify: object;
}

/** A check of docs/bundle.md §6 that failed or is in doubt. */
interface Noted {
  check: string;
  reason: string;
  where: string;
}
