/** What buildx's plain progress says of a failure, taken apart. */
export interface Evidence {
  /** The last `ERROR:` line without the layers of "failed to …" before it; empty when there is none. */
  readonly error: string;
  readonly phase: Phase;
  /** Line of the Dockerfile that BuildKit points at. */
  readonly line: number | undefined;
}

/** Which part of the build failed, by the step ("vertex") that BuildKit names between two rules of dashes. */
export type Phase =
  | { readonly kind: 'base image'; readonly image: string }
  /** An instruction of the Dockerfile, as BuildKit spells it: `RUN pip install x`. */
  | { readonly kind: 'instruction'; readonly text: string }
  | { readonly kind: 'push' }
  | { readonly kind: 'connection' }
  | { readonly kind: 'unknown' };

const LAYERS = [
  'failed to build: ',
  'failed to solve: ',
  'rpc error: code = Unknown desc = ',
  'failed to solve with frontend dockerfile.v0: ',
  'failed to create LLB definition: ',
];

/**
 * Reads the failure out of the last lines of `docker buildx build --progress=plain`, oldest first. Forms seen with
 * buildx 0.38 on BuildKit 0.34 and on dockerd 20.10's own BuildKit, which points at no line.
 */
export function readEvidence(lines: readonly string[]): Evidence {
  const last = lines.findLast((line) => /^ERROR: /.test(line)) ?? lines.findLast((line) => line.trim() !== '') ?? '';
  const error = withoutLayers(last.replace(/^ERROR: /, ''));
  const vertex = lines.findLast((line) => /^ > .+:$/.test(line))?.slice(3, -1);
  return { error, phase: phaseOf(vertex), line: pointedLine(lines, error) };
}

function withoutLayers(text: string): string {
  const layer = LAYERS.find((candidate) => text.startsWith(candidate));
  return layer === undefined ? text.trim() : withoutLayers(text.slice(layer.length));
}

function phaseOf(vertex: string | undefined): Phase {
  if (vertex === undefined) return { kind: 'unknown' };
  const image = /^\[(?:[^\]]* )?internal\] load metadata for (\S+)$/.exec(vertex)?.[1];
  if (image !== undefined) return { kind: 'base image', image };
  if (vertex === '[internal] waiting for connection') return { kind: 'connection' };
  if (/^(?:exporting to|pushing) /.test(vertex)) return { kind: 'push' };
  const text = /^\[(?!internal\]|auth\])[^\]]*\d+\/\d+\] (.+)$/s.exec(vertex)?.[1];
  return text === undefined ? { kind: 'unknown' } : { kind: 'instruction', text };
}

/** `Dockerfile:2`, then a rule of dashes, then the excerpt; an error in the syntax names its line in words. */
function pointedLine(lines: readonly string[], error: string): number | undefined {
  const at = lines.findLastIndex((line, index) => /^\S.*:\d+$/.test(line) && /^-{10,}$/.test(lines[index + 1] ?? ''));
  const digits = /:(\d+)$/.exec(lines[at] ?? '')?.[1] ?? /parse error (?:on )?line (\d+)/i.exec(error)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
