import { isJsonObject, type Json, type JsonObject, sameJson } from '@slipway/prefect/json';
import { pythonStr } from '@slipway/prefect/template';
import { RenderError } from './render-error.ts';

/** What every manifest has to have, and with which values (contracts/worker.md §2.4); keys in Prefect's order. */
const SKELETON: JsonObject = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { annotations: {}, labels: {} },
  spec: {
    template: {
      spec: { parallelism: 1, completions: 1, restartPolicy: 'Never', containers: [{ name: 'prefect-job' }] },
    },
  },
};

/** A manifest that has what Prefect asks of it, so that its parts can be reached without looking. */
export interface CheckedManifest {
  readonly manifest: JsonObject;
  readonly metadata: JsonObject;
  readonly spec: JsonObject;
  readonly podTemplate: JsonObject;
  readonly container: JsonObject;
}

/**
 * Fills in the metadata that a manifest lacks and checks it against Prefect's skeleton, with Prefect's own texts, which
 * its users know (contracts/worker.md §2.4, kw `_validate_job_manifest`). More than the skeleton is always fine.
 *
 * @param manifest a copy that may be changed; the parts of the result belong to it.
 * @throws RenderError naming every missing path, or else every value that does not fit.
 */
export function checkManifest(manifest: JsonObject, namespace: string): CheckedManifest {
  const metadata = manifest.metadata ?? {};
  if (!isJsonObject(metadata)) throw new RenderError('The job manifest’s "metadata" is not a mapping.');
  manifest.metadata = metadata;
  metadata.annotations ??= {};
  metadata.labels ??= {};
  metadata.namespace ??= namespace;
  const findings: Findings = { missing: [], extra: [], incompatible: [] };
  compare(manifest, SKELETON, '', findings);
  const missing = reallyMissing(findings);
  if (missing.length > 0) {
    throw new RenderError(`Job is missing required attributes at the following paths: ${missing.sort().join(', ')}`);
  }
  if (findings.incompatible.length > 0) {
    throw new RenderError(
      `Job has incompatible values for the following attributes: ${findings.incompatible.sort().join(', ')}`,
    );
  }
  const spec = member(manifest, 'spec');
  const podTemplate = member(spec, 'template');
  const containers = member(podTemplate, 'spec').containers;
  const container = Array.isArray(containers) ? containers[0] : undefined;
  if (!isJsonObject(container)) throw new RenderError('The job manifest’s first container is not a mapping.');
  return { manifest, metadata, spec, podTemplate, container };
}

interface Findings {
  readonly missing: { readonly at: string; readonly value: Json }[];
  /** Values that stand where the skeleton has nothing. */
  readonly extra: Json[];
  readonly incompatible: string[];
}

/**
 * Prefect reads what is missing off a JSON patch, and the library that makes it turns a value that lacks in one place and
 * is too many in another into a move: with a `backoffLimit: 1`, a manifest need not have `completions: 1`.
 */
function reallyMissing({ missing, extra }: Findings): string[] {
  // By their text: to that library 1 and 1.0 differ.
  const left = extra.map((value) => JSON.stringify(value));
  return missing.flatMap(({ at, value }) => {
    const same = left.indexOf(JSON.stringify(value));
    if (same < 0) return [at];
    left.splice(same, 1);
    return [];
  });
}

function compare(found: Json, wanted: Json, path: string, findings: Findings): void {
  if (isJsonObject(found) && isJsonObject(wanted)) {
    for (const [key, value] of Object.entries(found)) {
      if (wanted[key] === undefined) findings.extra.push(value);
    }
    for (const [key, value] of Object.entries(wanted)) {
      const at = `${path}/${key}`;
      const present = found[key];
      if (present === undefined) findings.missing.push({ at, value });
      else compare(present, value, at, findings);
    }
  } else if (Array.isArray(found) && Array.isArray(wanted)) {
    findings.extra.push(...found.slice(wanted.length));
    for (const [index, value] of wanted.entries()) {
      const present = found[index];
      if (present === undefined) findings.missing.push({ at: `${path}/${index}`, value });
      else compare(present, value, `${path}/${index}`, findings);
    }
  } else if (!sameJson(found, wanted)) {
    findings.incompatible.push(`${path} must have value ${representation(wanted)}`);
  }
}

function representation(value: Json): string {
  // pythonStr writes a text as it is; inside a list it is written as Python's repr() does.
  return typeof value === 'string' ? pythonStr([value]).slice(1, -1) : pythonStr(value);
}

function member(mapping: JsonObject, key: string): JsonObject {
  const value = mapping[key];
  if (!isJsonObject(value)) throw new RenderError(`The job manifest’s "${key}" is not a mapping.`);
  return value;
}
