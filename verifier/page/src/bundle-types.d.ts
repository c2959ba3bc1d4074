// What a bundle holds once documents.js has checked its form (docs/bundle.md §3–§5), and what the checks make of it; tsc alone reads it.

type BundleReport = import('./report.js').Report;

/** Says how far the checks are; a part is from 0 to 1. */
type Tell = (step?: string | [check: string, part: number]) => Promise<void>;

interface Manifest {
  type: string;
  made: {at_ms: number; by: string; program: string};
  files: {bytes: number; path: string; sha256: string}[];
}

interface Act {
  action: string;
  at_ms: number;
  license: string;
  purpose?: string;
  spatial?: string;
  industry?: string;
  product?: string;
  recipient?: string;
}

interface Case {
  acts: Act[];
  claim?: string;
  claimant: string;
  ledger: string;
  license?: string;
  listing: string;
  question: string;
  registration?: string;
  respondent: string;
  transfer: string;
}

interface FoundFile {
  bytes: number;
  /** Of a table; chunks have none. */
  columns?: string[];
  count: number;
  delimiter?: string;
  encoding?: string;
  format: string;
  name: string;
  path?: string;
  sha256: string;
}

/** What is said of the marks of one copy. */
type MarksItem =
  | {status: 'withheld'; transfer: string}
  | {status: 'opened'; transfer: string; score_millibits: number; found: number; of: number; chance_millibits: number; word_millibits?: number}
  | OpenedOfPool;
/** The same of marks from a pool, of rows or of positions (docs/marks.md §9). */
type OpenedOfPool = {status: 'opened'; transfer: string; score_millibits: number; paid_millibits: number}
  & ({drawn: number; found: number; others: number; others_found: number} | {seen: number; word_millibits: number});

interface Hypothesis {
  hypothesis: string;
  party?: string;
  observed: number;
  expected_milli: number;
  surprise_millibits: number;
}

/** Without a score of the copy in question it says no more than that it is not enough. */
type Conclusion =
  | {is_enough: false; score_millibits?: undefined; needed_millibits?: undefined; seals?: undefined}
  | {is_enough: boolean; score_millibits: number; needed_millibits: number; seals: number};

/** What was registered of a found file: the first link of its custody (docs/bundle.md §4.1). */
interface Link {
  acquisition: {address: string; how: string; records: {bytes: number; kind: string; name: string; sha256: string}[]; second?: string};
  at_ms: number;
  file: {bytes: number; name: string; sha256: string};
  who: string;
}

interface Evidence {
  type: string;
  found: FoundFile;
  /** A step that hangs on the registration has all three of `after`, `before`, `previous`. */
  custody: {at_ms: number; tools: string[]; what: string; who: string; after?: string; before?: string; previous?: string}[];
  registration?: Link;
  mapping: Mapping;
  found_rows: {row: number; value: string}[];
  /** Opened records: records.js checks each (docs/format.md §15.5). */
  records: Json[];
  matches: {file: number; kind: string; record: number; row: number}[];
  marks: MarksItem[];
  controls: {greatest_millibits?: number; others: {party: string; score_millibits: number; transfer: string}[]};
  counts: {exclusive: number; marks: number; records: number; records_found: number; shared: number};
  hypotheses: Hypothesis[];
  conclusion: Conclusion;
}

interface Finding {
  slug: string;
  index: number;
  party: string;
  entries: number[];
  since_ms: number;
}

interface Judgement {
  acts: {decision: string; entries: number[]}[];
  findings: Finding[];
}

interface Disclosure {
  issuer: string;
  kind: string;
  ledger: string;
  nonce: string;
  pointer: string;
  salt: string;
  statement_id: string;
  value: Json;
}

/** The entries that concern some subjects, as the operator says them (docs/format.md §12.3). */
interface Subjects {
  indexes: number[];
  ledger: string;
  root: string;
  size: number;
  subjects: string[];
}

/** An envelope, opened (docs/format.md §4). */
interface Envelope {
  payload: Bytes;
  signed: Bytes;
  id: string;
  signatures: [keyid: string, signature: Bytes][];
}

/** A history, with the signature of the operator's service key. */
type SignedHistory = Envelope & {history: Subjects};

interface Bundle {
  files: Map<string, Bytes>;
  /** Entries and receipts by their index. */
  entries: Map<number, Bytes>;
  receipts: Map<number, Bytes>;
  /** What proves all entries together; absent in version 1. */
  inclusion?: Bytes;
  /** The paths of the histories. */
  histories: string[];
  /** How many time-stamp tokens there are; this page reads none. */
  tokens: number;
  made: Manifest['made'];
  case: Case;
  evidence: Evidence;
  judgement: Judgement;
  signedHistories: Map<string, SignedHistory>;
  disclosures: Disclosure[];
  /** The found file, where it is in the bundle. */
  found: Bytes | undefined;
}

/** An entry that was accepted. */
interface Accepted {
  index: number;
  time: number;
  id: string;
  /** As it was recorded, and with what is disclosed in its place. */
  raw: Json;
  statement: Json;
  /** What sealed contents and marks hold, by their pointers. */
  contents: Map<string, Json>;
  /** Whose keys signed it; and whose of ML-DSA-44. */
  signers: string[];
  lasting: string[];
}

/** What was sealed of a dataset's files (docs/format.md §15). */
interface Content {
  files: {records?: {canonicalisation: string; columns?: string[]; count: number; root: string}}[];
}

interface OpenedRecord {
  cells: Cell[] | null;
  whole: Bytes | null;
}

/** Marks as they stand in the open of a hand-off. */
interface OpenMarks {
  bound: string;
  method: string;
  threshold_millibits: number;
}

/** Since version 6: that they are of a pool, and what opens the sender's coin. */
interface PoolMarks {
  prepared: string;
  coin: {salt: string; value: string};
  file: number;
  /** Numbers of drawn rows, or of positions, that the copy does not carry. */
  retired?: number[];
}

interface CommonSeal {
  bound: string;
  threshold_millibits: number;
  recipients: number;
  file: number;
  columns: string[];
  /** For each column, the chance of guessing its cell, in bits. */
  bits: number[];
  origin: 'brought' | 'drawn';
  rows: string[];
  /** The records of the rows, and of the controls. */
  cells: Cell[][];
  controlCells: Cell[][];
  hmac: (message: Bytes) => Bytes;
}
interface CanarySeal extends CommonSeal {
  method: 'canary';
  controls: string[];
}
interface TardosSeal extends CommonSeal {
  method: 'tardos';
  positions: {bias: number; rows: [string, string]}[];
}
/** An opened seal of marks (docs/marks.md §3). */
type Seal = CanarySeal | TardosSeal;

/** An opened pool (docs/marks.md §9.1): it has rows of which `draws` are drawn, or positions. */
interface Pool {
  method: 'canary' | 'omission' | 'tardos';
  columns: string[];
  draws: number;
  positions: TardosSeal['positions'];
  /** All rows, those of positions two by two; and their records. */
  rows: string[];
  cells: Cell[][];
  hmac: (message: Bytes) => Bytes;
}

/** The marks of one copy, drawn from a pool. */
interface Draw {
  origin: 'pool';
  pool: Pool;
  method: Pool['method'];
  bound: string;
  recipients: number;
  file: number;
  columns: string[];
  rows: string[];
  seed: string;
  drawn: Set<number>;
  retired: Set<number>;
  isPlanted: (i: number) => boolean;
}

/** What opened marks say of the found rows; scores are in bits. */
interface AnyScore {
  score: number;
  /** What the hypothesis that nothing marked is in the file is surprised by. */
  bits: number;
  /** Of positions alone: the score of the name, or seed, that they were planted for; and a function to the score of any name. */
  word?: number;
  scoreFor?: (name: string) => number;
  planted: number;
  plantedFound: number;
  isFound: boolean[];
  isPlanted: (i: number) => boolean;
  /** How many different rows of the file show marks; of a pool, how many of its marks speak. */
  different: number;
}
interface Score extends AnyScore {
  found: number;
  of: number;
  chance: number;
  wordFor?: (name: string) => number;
}
/** Of a pool: `paid` for the mapping; of rows, those that were drawn and those that were not; of positions, how many are seen. */
interface PoolScore extends AnyScore {
  paid: number;
  drawn?: number;
  found?: number;
  others?: number;
  othersFound?: number;
  seen?: number;
}

/**
 * What the checks leave behind, each in its turn: what stands without `?` is there once the checks of the foundation hold,
 * and nothing is read of it before that.
 */
interface Story {
  policy: Policy;
  /** Parties and the keyids that the user knows to be theirs. */
  pins: string[][];
  accepted: Accepted[];
  bundle: Bundle;
  case: Case;
  evidence: Evidence;
  checkpoint: OpenedCheckpoint;
  registry: Registry;
  /** Whether every entry under the checkpoint is in the bundle. */
  isWhole: boolean;
  /** Whether this page knows the rules of all entries. */
  isReadable: boolean;
  indexes: number[];
  /** By the ids of entries: the subjects that they concern. */
  about: Map<string, Set<string>>;
  pinned?: Set<string>;
  histories: Subjects[];
  completeness?: string;
  offer: RecordedTransfer;
  offerEntry: Accepted;
  isFoundRead?: boolean;
  registration?: {entry: Accepted; link: Link; isBefore: boolean};
  toRespondent?: RecordedTransfer[];
  seals?: Map<string, Seal | Draw>;
  /** Why the marks do not show where the file comes from; none if they do. */
  shortcomings?: string[];
  decisions?: {act: Act; decision: string; entries: number[]; places: string[]}[];
  findings?: Finding[];
  undetermined?: (Finding & {places: string[]})[];
}

/** What the checks behind the foundation have in common; each adds what the next ones need. */
interface Context {
  report: BundleReport;
  story: Story;
  bundle: Bundle;
  registry: Registry;
  byId: Map<string, Accepted>;
  /** What was sealed of the copy in question, where it is opened. */
  content: Content | undefined;
  /** Opened records, by `file record`. */
  records: Map<string, OpenedRecord>;
  /** The rows of the found file that the bundle quotes. */
  named: Map<number, {bytes: Bytes; cells: Cell[] | null}>;
  /** The found file as a table, as far as it is read; null for chunks. */
  rows: import('./marks.js').FoundRows | null;
  matched?: {file: number; whole: Bytes | null}[];
  /** By the id of the hand-off, as are the scores. */
  seals: Map<string, Seal | Draw>;
  scores: Map<string, Score | PoolScore>;
  /** The seal of the copy in question, where it is opened. */
  own: Seal | Draw | undefined;
  /** Marked hand-offs of the dataset, and those of them to the respondent, by id. */
  ofListing: RecordedTransfer[];
  toRespondent: RecordedTransfer[];
}

/** A sentence of texts.js by its key, and the values in it. */
type Said = [key: string, values?: Record<string, string>];
