import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/*
 * The way into every command of this project from a fresh clone. Plain JavaScript for Node 20 without dependencies,
 * because it runs before `npm ci`: it installs what package-lock.json says when that has not been done, then starts
 * the command's TypeScript on the Node 24 that came with it.
 *
 * Failure model: the stamp is written after npm ci succeeded, so an interrupted installation is done again. Two
 * commands at once wait for each other by a lock file outside the checkout (npm ci empties node_modules); a lock whose
 * process has ended is taken over.
 */

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const LOCK_FILE = join(ROOT, 'package-lock.json');
const STAMP = join(ROOT, 'node_modules', '.slipway-package-lock-sha256');
const NODE_24 = join(ROOT, 'node_modules', '.bin', 'node');

/**
 * Installs the locked npm packages when needed, then runs a TypeScript file on Node 24 with this process's arguments,
 * standard streams and signals, and ends as it ends.
 *
 * @param {string} entry the file, relative to the root of the checkout.
 * @returns {Promise<never>}
 */
export async function runOnNode24(entry) {
  try {
    const major = Number(process.versions.node.split('.')[0]);
    if (major < 20) throw new Error(`Node ${process.versions.node} is too old. What to do: install Node 20 or newer.`);
    await installPackages();
    refuseBrokenNode();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
  const child = spawn(NODE_24, [join(ROOT, entry), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, PATH: `${dirname(NODE_24)}${delimiter}${process.env.PATH ?? ''}` },
  });
  // Ctrl-C reaches the child by itself, as it is in the same process group; this process stays to tell how it ended.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise(() => {
    child.once('error', (error) => {
      console.error(`cannot start ${NODE_24}: ${error.message}`);
      process.exit(1);
    });
    child.once('exit', (code, signal) => {
      if (signal === null) process.exit(code ?? 1);
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    });
  });
}

/** Runs npm ci unless the stamp says that it was done for this very package-lock.json. */
async function installPackages() {
  if (isInstalled()) return;
  const release = await holdLock();
  try {
    if (isInstalled()) return;
    const begun = Date.now();
    const seconds = () => Math.round((Date.now() - begun) / 1000);
    console.error('installing the npm packages of package-lock.json …');
    const heartbeat = setInterval(() => console.error(`installing the npm packages … ${seconds()}s`), 15_000);
    try {
      await npmCi();
    } finally {
      clearInterval(heartbeat);
    }
    writeFileSync(STAMP, lockHash());
    console.error(`installing the npm packages: done in ${seconds()}s`);
  } finally {
    release();
  }
}

function npmCi() {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', ['ci', '--no-audit', '--no-fund'], { cwd: ROOT, stdio: ['ignore', 2, 2] });
    const remedy = 'What to do: see the words of npm above; `npm ci` by hand shows them again.';
    child.once('error', (error) => reject(new Error(`npm cannot be started: ${error.message}. ${remedy}`)));
    child.once('exit', (code, signal) => {
      if (code === 0) resolve(undefined);
      else reject(new Error(`npm ci ended with ${signal ?? `exit code ${code}`}. ${remedy}`));
    });
  });
}

const lockHash = () => createHash('sha256').update(readFileSync(LOCK_FILE)).digest('hex');

function isInstalled() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === lockHash() && existsSync(NODE_24);
}

/** The binary is a package of its own for each platform; where there is none, say so. */
function refuseBrokenNode() {
  const asked = spawnSync(NODE_24, ['--version'], { encoding: 'utf8' });
  if (asked.status === 0 && asked.stdout.startsWith('v24.')) return;
  const words = asked.error?.message ?? `it says ${JSON.stringify(asked.stdout ?? '')}`;
  throw new Error(
    `Node 24 did not come with the npm packages for ${process.platform}-${process.arch}: ${words}. ` +
      'What to do: use Linux on x64 or arm64; if this is one, delete node_modules and run this command again.',
  );
}

/**
 * Waits until no other process installs into this checkout.
 *
 * @returns {Promise<() => void>} lets go of the lock.
 */
async function holdLock() {
  const name = createHash('sha256').update(ROOT).digest('hex').slice(0, 16);
  const file = join(tmpdir(), `slipway-npm-ci-${name}.lock`);
  const mine = `${process.pid}`;
  for (let waited = 0; ; waited++) {
    try {
      writeFileSync(file, mine, { flag: 'wx' });
      // Two that took over a dead process's lock at once both get here; the file's content says who was last.
      await sleep(100);
      if (readFileSync(file, 'utf8') === mine) return () => rmSync(file, { force: true });
    } catch (error) {
      if (!['EEXIST', 'ENOENT'].includes(error.code)) throw error;
    }
    if (!isHeld(file)) rmSync(file, { force: true });
    else if (waited % 30 === 0) console.error('waiting for another command that installs the npm packages …');
    await sleep(500);
  }
}

/** Whether the process named in a lock file still runs. A file that is being written counts as held. */
function isHeld(file) {
  try {
    const text = readFileSync(file, 'utf8');
    if (text === '') return true;
    process.kill(Number(text), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
