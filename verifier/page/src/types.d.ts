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
