// What the tests read (tests/vectors/README.md), and what Node before 20 does not have as a global.

import {readFileSync} from 'node:fs';
import {webcrypto} from 'node:crypto';

globalThis.crypto ??= webcrypto;

const FOLDER = new URL('../../vectors/', import.meta.url);

export const read = name => new Uint8Array(readFileSync(new URL(name, FOLDER)));
export const load = name => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf-8'));
/** The `reason` of the Fault that `act` throws; null if it throws none. */
export const reasonOf = act => {
  try { act(); } catch (error) { if (error.reason) return error.reason; throw error; }
  return null;
};
