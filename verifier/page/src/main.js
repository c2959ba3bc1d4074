// @ts-check
// ── Files in, progress, language ─────────────────────────────────────────────────────────────────────────────────────

import {Fault, breathe, decode64, encode64, hex, readUtf8, unhex} from './bytes.js';
import {isSigned, isStrong} from './ed25519.js';
import {$, make, sizeOf} from './elements.js';
import {factorOf, oddsOf, supportOf} from './facts.js';
import {readTable} from './found.js';
import {verifyEntries} from './foundation.js';
import {Judge} from './judge.js';
import {
  FoundRows, chanceBits, findMarks, millibits, needed, readSeal, scoreSeal, surpriseBits, wordOf,
} from './marks.js';
import {isMlDsaSigned} from './mldsa.js';
import {isComparable, normalForm, rowEquals} from './normal.js';
import {parseNote} from './notes.js';
import {parseParties, parsePolicy} from './policy.js';
import {chunkEnds, openRecord, openedForm, parseRecord} from './records.js';
import {CHECKS, Report} from './report.js';
import {showReport, verdictOf} from './show.js';
import {parseEntry} from './statements.js';
import {LANGUAGES, TEXTS, language, say, speak} from './texts.js';
import {rootByPath} from './tree.js';
import {areAssigned, toNfc} from './unicode.js';
import {describe, verifyBundle} from './verify.js';

const SLOTS = /** @type {const} */ (['bundle', 'policy', 'parties', 'found']);
const chosen = /** @type {Partial<Record<typeof SLOTS[number], File & {isEmbedded?: boolean}>>} */ ({});
let lastReport = /** @type {Report | null} */ (null), isRunning = false, lastFault = /** @type {{name: string, reason: string} | null} */ (null);
/** @type {(attribute: string) => NodeListOf<HTMLElement>} */
const nodesWith = attribute => document.querySelectorAll(`[${attribute}]`);

function translate() {
  document.documentElement.lang = LANGUAGES[language] === 'zh' ? 'zh-Hans' : 'en';
  document.title = say('title');
  for (const node of nodesWith('data-t')) node.textContent = say(node.dataset.t ?? '');
  for (const button of nodesWith('data-language'))
    button.setAttribute('aria-pressed', String(Number(button.dataset.language) === language));
  for (const slot of SLOTS) {
    const file = chosen[slot];
    $(`${slot}-state`).textContent = file ? say(file.isEmbedded ? 'inThisPage' : 'chosen', {size: sizeOf(file.size)}) : '';
    $(`${slot}-file`).closest('.slot').classList.toggle('has', Boolean(file));
  }
  $('run').disabled = !chosen.bundle || !chosen.policy || isRunning;
  if (lastReport) showReport(lastReport);
  if (lastFault) $('status').textContent = say('unreadable', lastFault);
}
/**
 * A file as an input holds it, so that what was dropped is shown where it would have been chosen.
 * @type {(file: File) => FileList}
 */
const listing = file => { const transfer = new DataTransfer(); transfer.items.add(file); return transfer.files; };
/**
 * Which slot a dropped file is for, by its first bytes.
 * @type {(file: File) => Promise<typeof SLOTS[number]>}
 */
async function slotOf(file) {
  const head = new Uint8Array(await file.slice(0, 4096).arrayBuffer());
  if (head[0] === 0x50 && head[1] === 0x4b && !chosen.bundle) return 'bundle';
  const words = readUtf8(head.subarray(0, 4000)) ?? '';
  if (/^[ \t]*log[ \t]+\S+\+[0-9a-f]{8}\+/m.test(words) && file.size < 1e6) return 'policy';
  return /^[ \t]*party[ \t]+[a-z0-9.-]+[ \t]+[0-9a-f]{64}/m.test(words) ? 'parties' : head[0] === 0x50 && head[1] === 0x4b ? 'bundle' : 'found';
}
async function run() {
  if (isRunning || !chosen.bundle || !chosen.policy) return;
  const root = document.documentElement, bar = $('progress');
  isRunning = true;
  lastReport = lastFault = null;
  delete root.dataset.exitCode;
  window.result = undefined;
  $('report').replaceChildren();
  $('working').hidden = false;
  translate();
  let slot = /** @type {typeof SLOTS[number]} */ ('bundle');
  try {
    const inputs = /** @type {Parameters<typeof verifyBundle>[0]} */ ({});
    for (slot of SLOTS) {
      const file = chosen[slot];
      if (file) inputs[slot] = new Uint8Array(await file.arrayBuffer());
    }
    slot = 'parties';
    if (inputs.parties) parseParties(inputs.parties);
    slot = 'policy';
    parsePolicy(inputs.policy);
    slot = 'bundle';
    lastReport = await verifyBundle(inputs, async step => {
      const [check, part] = Array.isArray(step) ? step : [step ?? 'bundle-form', 0];
      bar.value = CHECKS.indexOf(check) + part;
      if ($('status').dataset.check !== check) $('status').textContent = say('working', {what: say(`c.${check}`)});
      $('status').dataset.check = check;
      await breathe();
    });
  } catch (error) {
    console.error(error);
    lastFault = {name: chosen[slot]?.name ?? slot, reason: error instanceof Fault ? `${error.reason} ${error.where}` : String(error)};
  }
  isRunning = false;
  $('working').hidden = true;
  window.result = lastReport ? describe(lastReport) : {exit_code: 2};
  translate();
  if (lastReport) {
    $('status').textContent = say('done', {verdict: say(verdictOf(lastReport).kind)});
    $('verdict').focus({preventScroll: true});
    $('report').scrollIntoView();
  }
  root.dataset.exitCode = String(window.result.exit_code);
}
function start() {
  const embedded = document.querySelector('script[type="application/octet-stream"]#bundle'); // `--single-file` puts it there
  if (embedded) {
    const bytes = decode64(embedded.textContent.replace(/\s+/g, ''));
    if (bytes) {
      chosen.bundle = Object.assign(new File([bytes], 'bundle.zip'), {isEmbedded: true});
      $('bundle-file').files = listing(chosen.bundle);
      $('sceptic').hidden = false;
      $('save').addEventListener('click', () => {
        make('a', {href: URL.createObjectURL(new Blob([bytes])), download: 'bundle.zip'}).click();
      });
    }
  }
  for (const slot of SLOTS)
    $(`${slot}-file`).addEventListener('change', (/** @type {Event & {target: HTMLInputElement}} */ event) => {
      const file = event.target.files?.[0];
      if (file) {
        chosen[slot] = file;
        translate();
      }
    });
  for (const button of nodesWith('data-language'))
    button.addEventListener('click', () => {
      speak(Number(button.dataset.language));
      translate();
    });
  $('form').addEventListener('submit', (/** @type {Event} */ event) => { event.preventDefault(); run(); });
  document.addEventListener('dragover', event => { event.preventDefault(); document.body.classList.add('over'); });
  document.addEventListener('dragleave', event => { if (!event.relatedTarget) document.body.classList.remove('over'); });
  document.addEventListener('drop', async event => {
    event.preventDefault();
    document.body.classList.remove('over');
    for (const file of [...event.dataTransfer?.files ?? []]) {
      const slot = await slotOf(file);
      chosen[slot] = file;
      $(`${slot}-file`).files = listing(file);
    }
    translate();
    await run();
  });
  if ((navigator.language ?? '').toLowerCase().startsWith('zh')) speak(1);
  translate();
}
document.addEventListener('DOMContentLoaded', start);

/** What a curious reader may call from the console, and what the tests call: the parts that stand on their own. */
window.verify = {
  TEXTS,
  encode64,
  decode64,
  hex,
  unhex,
  isSigned,
  isMlDsaSigned,
  isStrong,
  rootByPath,
  parseNote,
  parsePolicy,
  readTable,
  normalForm,
  isComparable,
  areAssigned,
  toNfc,
  rowEquals,
  chunkEnds,
  openedForm,
  openRecord,
  readSeal,
  wordOf,
  parseRecord,
  FoundRows,
  scoreSeal,
  chanceBits,
  findMarks,
  needed,
  oddsOf,
  factorOf,
  supportOf,
  surpriseBits,
  millibits,
  parseEntry,
  Report,
  verifyEntries,
  Judge,
  verifyBundle,
  describe,
};
