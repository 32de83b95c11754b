import type { DockerfileSource } from '../model.ts';
import type { Dependencies } from './dependencies.ts';

export interface GeneratedParts {
  /** What it begins with; it has uv, as Prefect's images do. */
  readonly baseImage: string;
  /** Where the context goes, e.g. `/opt/prefect/hello` (design.md, difference 14). */
  readonly directory: string;
  readonly dependencies: Dependencies;
  /** What stays out of the image (src/image/dockerfile/ignore.ts). */
  readonly ignore: string;
  /** Secrets of the build that installing may need, as variables of the same name. */
  readonly secretIds?: readonly string[];
}

/**
 * The Dockerfile of `auto`, pure: dependencies in a layer of their own below the code, so that a change of the code
 * installs nothing again. With a requirements.txt, or with nothing to install, it does what Prefect's does
 * (contracts/deploy.md §2.7; prefect_docker/deployments/steps.py).
 */
export function generatedDockerfile(parts: GeneratedParts): Extract<DockerfileSource, { kind: 'generated' }> {
  const { baseImage, directory } = parts;
  const lines = [`FROM ${baseImage}`, ...installing(parts), copy(['.'], `${directory}/`), `WORKDIR ${directory}/`];
  return { kind: 'generated', content: lines.map((line) => `${line}\n`).join(''), dockerignore: parts.ignore };
}

/**
 * Bytecode that names its source by hash: named by time, it would differ from build to build, and be thrown away at each
 * start once the files have the commit's time. An ARG is there while installing and not in the image.
 */
const BYTECODE = 'ARG PYC_INVALIDATION_MODE=CHECKED_HASH';

function installing({ directory, dependencies, secretIds = [] }: GeneratedParts): string[] {
  const run = ['RUN', ...secretIds.map((id) => `--mount=type=secret,id=${id},env=${id}`)].join(' ');
  if (dependencies.kind === 'requirements.txt') {
    const path = `${directory}/requirements.txt`;
    const command = PLAIN.test(path)
      ? `uv pip install -r ${path}`
      : JSON.stringify(['uv', 'pip', 'install', '-r', path]);
    return [BYTECODE, copy(['requirements.txt'], path), `${run} ${command}`];
  }
  if (dependencies.kind === 'uv.lock') {
    return [
      BYTECODE,
      copy(['pyproject.toml', 'uv.lock'], `${directory}/`),
      `WORKDIR ${directory}/`,
      // The lock's own versions, into the Python that Prefect is in: `uv sync` would make another one beside it.
      `${run} uv export --quiet --frozen --no-dev --no-emit-workspace --output-file /tmp/locked.txt && uv pip install -r /tmp/locked.txt && rm /tmp/locked.txt`,
    ];
  }
  if (dependencies.kind === 'pyproject.toml') {
    return [
      BYTECODE,
      copy(['pyproject.toml'], `${directory}/`),
      `WORKDIR ${directory}/`,
      `${run} uv pip install -r pyproject.toml`,
    ];
  }
  return [];
}

/** Paths with spaces or quotes need the JSON form. */
const PLAIN = /^[\w./@+-]+$/;

function copy(from: readonly string[], to: string): string {
  return PLAIN.test(to) ? `COPY ${[...from, to].join(' ')}` : `COPY ${JSON.stringify([...from, to])}`;
}
