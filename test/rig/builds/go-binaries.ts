import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from '../cache.ts';
import type { Log } from '../progress.ts';
import { RigError } from '../rig-error.ts';
import { ask, runLeashed } from '../run.ts';

const RIG = join(import.meta.dirname, '..');

/** A program built from Go modules that are pinned by a go.mod and go.sum of this folder. */
interface GoBinary {
  readonly name: string;
  /** The folder under test/rig with go.mod and go.sum. */
  readonly folder: string;
  /** Files beside go.mod and go.sum that decide the binary. */
  readonly sources: readonly string[];
  /** The module whose version in go.mod is the one to show, and the package to build. */
  readonly module: string;
  readonly package: string;
  /** The variable that holds the version the program says of itself. */
  readonly versionVariable: string;
  readonly takes: string;
}

const KUBERNETES: GoBinary = {
  name: 'kubernetes',
  folder: 'kubernetes',
  sources: ['main.go'],
  module: 'k8s.io/kubernetes',
  package: '.',
  versionVariable: 'k8s.io/component-base/version.gitVersion',
  takes: 'about 6 min',
};

const BUILDX: GoBinary = {
  name: 'buildx',
  folder: 'buildx',
  sources: [],
  module: 'github.com/docker/buildx',
  package: 'github.com/docker/buildx/cmd/buildx',
  versionVariable: 'github.com/docker/buildx/version.Version',
  takes: 'about 2 min',
};

const BUILDKIT: GoBinary = {
  name: 'buildkitd',
  folder: 'buildkit',
  sources: [],
  module: 'github.com/moby/buildkit',
  package: 'github.com/moby/buildkit/cmd/buildkitd',
  versionVariable: 'github.com/moby/buildkit/version.Version',
  takes: 'about 2 min',
};

/** kube-apiserver, kube-controller-manager, kube-scheduler and kubelet in one binary; see kubernetes/main.go. */
export const buildKubernetes = (log: Log, signal: AbortSignal): Promise<string> => build(KUBERNETES, log, signal);

/** The docker CLI's buildx plugin. */
export const buildBuildx = (log: Log, signal: AbortSignal): Promise<string> => build(BUILDX, log, signal);

/** The builder with all that dockerd's own lacks: several platforms, provenance, caches in registries. */
export const buildBuildkit = (log: Log, signal: AbortSignal): Promise<string> => build(BUILDKIT, log, signal);

/** @returns the path of the binary in the cache, built first when this machine does not have it yet. */
async function build(binary: GoBinary, log: Log, signal: AbortSignal): Promise<string> {
  const folder = join(RIG, binary.folder);
  const goMod = readFileSync(join(folder, 'go.mod'), 'utf8');
  const texts = ['go.sum', ...binary.sources].map((name) => readFileSync(join(folder, name), 'utf8'));
  const version = versionIn(goMod, binary.module);
  const flags = ['build', '-mod=readonly', '-trimpath', '-ldflags', `-s -w -X ${binary.versionVariable}=${version}`];
  const entry = await cached(
    {
      part: binary.name,
      ingredients: [goMod, ...texts, ...flags, process.arch],
      title: `building ${binary.name} ${version} from Go modules (first time only, ${binary.takes})`,
      build: async (made, logFile) => {
        await checkGo(goMod, binary.name);
        await runLeashed('go', [...flags, '-o', join(made, binary.name), binary.package], {
          cwd: folder,
          env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
          logFile,
          signal,
          remedy: 'see the compiler\'s words above; "no space left" needs about 6 GB in the Go cache and /tmp',
        });
      },
    },
    log,
    signal,
  );
  return join(entry, binary.name);
}

/** The version a go.mod requires of a module, for example `v1.36.3`. */
export function versionIn(goMod: string, module: string): string {
  for (const line of goMod.split('\n')) {
    const words = line
      .trim()
      .replace(/^require /, '')
      .split(/\s+/);
    if (words[0] === module && words[1] !== undefined) return words[1];
  }
  throw new Error(`go.mod does not require ${module}`);
}

/** Whether `go version`'s words name at least the version that a go.mod asks for in its `go` line. */
export function isGoEnough(goVersion: string, goMod: string): boolean {
  const have = /go(\d+)\.(\d+)(?:\.(\d+))?/.exec(goVersion);
  const want = /^go (\d+)\.(\d+)(?:\.(\d+))?$/m.exec(goMod);
  if (have === null || want === null) return false;
  for (const place of [1, 2, 3]) {
    const difference = Number(have[place] ?? 0) - Number(want[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

async function checkGo(goMod: string, name: string): Promise<void> {
  const wanted = /^go (\S+)$/m.exec(goMod)?.[1] ?? 'of go.mod';
  const remedy = `install Go ${wanted} or newer from go.dev/dl and put its bin folder on PATH; without it the rig has no ${name}`;
  const version = await ask('go', ['version']);
  if (version === undefined) throw new RigError('Go is missing: there is no `go` on PATH', remedy);
  // A newer toolchain may be fetched by Go itself; `go version` inside the module's folder is not asked for that.
  const mayFetch = (await ask('go', ['env', 'GOTOOLCHAIN']))?.trim() !== 'local';
  if (!isGoEnough(version, goMod) && !mayFetch) throw new RigError(`Go is too old: ${version.trim()}`, remedy);
}
