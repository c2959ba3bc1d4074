// Reads JSON texts from standard input, and writes what the page makes of each: its NFC, and its normal form or false.

import {readFileSync} from 'node:fs';

import {normalForm} from '../../../verifier/page/src/normal.js';
import {toNfc} from '../../../verifier/page/src/unicode.js';

const texts = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(texts.map(text => [toNfc(text), normalForm(text)])));
