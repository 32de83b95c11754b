import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { runJob } from './cluster-proof.ts';
import { pidsInNamespace } from './process-identity.ts';
import type { Log } from './progress.ts';
import { marksOf, RigMarks, remainsOf } from './remains.ts';
import { startRig } from './rig.ts';
import type { Rig } from './rig-description.ts';
import { readRecord, readRecords, recordFile, sweepDeadRigs } from './rig-record.ts';

/**
 * Proves on this machine that the rig works and goes without a trace: by stop, when its owner is killed, when it is
 * interrupted while starting, and when owner and enclosure are killed together. Takes about a minute.
 * Also a program of its own: `node test/rig/lifecycle.proof.ts`.
 *
 * @throws AssertionError saying what did not hold, with what was left.
 */
export async function proveRigLifecycle(log: Log, signal: AbortSignal): Promise<void> {
  await proveUseAndStop(log, signal);
  await proveDeathOfOwner(log);
  await proveInterruptedStart(log);
  await proveDeathOfBoth(log);
}

async function proveUseAndStop(log: Log, signal: AbortSignal): Promise<void> {
  const rig = await startRig({ log, signal });
  const marks = marksOf(rig);
  try {
    const kinds = new Set(remainsOf(marks).map((line) => line.split(' ')[0]));
    // Or the look for remains below would prove nothing.
    for (const kind of ['process', 'interface', 'rule', 'cgroup', 'folder', 'record'])
      assert(kinds.has(kind), `no ${kind} of a rig that runs`);
    const image = buildImage(rig);
    log('an image was built with a RUN step that installs a package, and pushed');
    const version = await runJob(rig, 'version', image, ['prefect', 'version'], signal);
    assert.match(version, /Version:\s+3\.8\.8/);
    const number = await runJob(
      rig,
      'package',
      image,
      ['python', '-c', 'import humanize; print(humanize.intcomma(12345))'],
      signal,
    );
    assert.equal(number.trim(), '12,345');
    log('Jobs ran on it: Prefect says its version, the package is there');
    const page = await fetch(rig.prefectUiUrl, { signal });
    assert.match(await page.text(), /<html/i);
  } finally {
    await rig.stop();
  }
  assert.deepEqual(remainsOf(marks), []);
  assert.equal(existsSync(marks.folder), false);
  log('stop left nothing');
}

/** Builds and pushes as a user does: the official base image, a RUN step that needs the network, no special flag. */
function buildImage(rig: Rig): string {
  const context = mkdtempSync(join(tmpdir(), 'slipway-proof-'));
  const image = `${rig.registry}/proof:1`;
  try {
    writeFileSync(join(context, 'requirements.txt'), 'prefect>=3\nhumanize==4.9.0\n');
    const lines = [
      'FROM prefecthq/prefect:3-latest',
      'COPY requirements.txt .',
      'RUN uv pip install -r requirements.txt',
    ];
    writeFileSync(join(context, 'Dockerfile'), `${lines.join('\n')}\n`);
    const env = { ...process.env, ...rig.env };
    const built = spawnSync('docker', ['buildx', 'build', '--push', '--tag', image, context], {
      env,
      encoding: 'utf8',
    });
    assert.equal(built.status, 0, built.stderr);
    return image;
  } finally {
    rmSync(context, { recursive: true });
  }
}

async function proveDeathOfOwner(log: Log): Promise<void> {
  const { owner, marks } = await startOwner(['docker', 'kubernetes']);
  assert(
    remainsOf(marks).some((line) => line.includes('containerd-shim')),
    'no pod runs',
  );
  owner.kill('SIGKILL');
  await untilNothingRemains(marks);
  assert.equal(existsSync(marks.folder), false);
  log('SIGKILL of the owner left nothing, the running pod included');
}

async function proveInterruptedStart(log: Log): Promise<void> {
  const owner = spawnOwner(['docker', 'kubernetes']);
  const lines = createInterface({ input: readable(owner, 'stderr') });
  // "containerd is ready at unix://FOLDER/data/containerd.sock": from here on there is something to undo.
  const folder = await new Promise<string>((resolve) => {
    lines.on('line', (line) => {
      const place = /unix:\/\/(\S+)\/data\//.exec(line)?.[1];
      if (place !== undefined) resolve(place);
    });
  });
  owner.kill('SIGINT');
  await once(owner, 'exit');
  const deadline = Date.now() + 15_000;
  while (existsSync(folder) && Date.now() < deadline) await sleep(100);
  assert.equal(existsSync(folder), false, 'the folder of the interrupted start is still there');
  assert.deepEqual(
    readRecords().filter((record) => record.folder === folder),
    [],
  );
  log('SIGINT while starting left nothing');
}

async function proveDeathOfBoth(log: Log): Promise<void> {
  const { owner, marks } = await startOwner(['docker']);
  const enclosure = readRecord(recordFile(marks.id))?.enclosure;
  assert(enclosure !== undefined);
  const first = pidsInNamespace(marks.namespace).get(1);
  assert(first !== undefined);
  // In this order neither has the time to notice the other's end.
  process.kill(first, 'SIGKILL');
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  await sleep(500);
  assert.deepEqual([...pidsInNamespace(marks.namespace).values()], []);
  assert(remainsOf(marks).length > 0, 'nobody was there to undo the bridge');
  await sweepDeadRigs(log);
  assert.deepEqual(remainsOf(marks), []);
  log('SIGKILL of owner and enclosure: all processes ended, and the next start undid the rest');
}

function spawnOwner(parts: readonly string[]): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, 'lifecycle.owner.ts'), ...parts], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function startOwner(parts: readonly string[]): Promise<{ owner: ChildProcess; marks: RigMarks }> {
  const owner = spawnOwner(parts);
  let words = '';
  readable(owner, 'stderr').on('data', (piece: Buffer) => {
    words += piece.toString();
  });
  const ended = once(owner, 'exit').then((): never => {
    throw new Error(`the owner ended by itself: ${words}`);
  });
  const [line] = await Promise.race([once(createInterface({ input: readable(owner, 'stdout') }), 'line'), ended]);
  ended.catch(() => undefined);
  return { owner, marks: RigMarks.parse(JSON.parse(String(line))) };
}

function readable(child: ChildProcess, name: 'stdout' | 'stderr'): NodeJS.ReadableStream {
  const stream = child[name];
  if (stream === null) throw new Error(`${name} is not a pipe`);
  return stream;
}

async function untilNothingRemains(marks: RigMarks): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (remainsOf(marks).length > 0 && Date.now() < deadline) await sleep(100);
  assert.deepEqual(remainsOf(marks), []);
}

if (import.meta.main) {
  const begun = Date.now();
  const log: Log = (line) => console.log(`${((Date.now() - begun) / 1000).toFixed(1).padStart(6)} ${line}`);
  await proveRigLifecycle(log, new AbortController().signal);
  log('proven');
}
