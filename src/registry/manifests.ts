import { createHash } from 'node:crypto';
import * as z from 'zod';
import { Problem } from '../problem.ts';
import type { RegistryAnswer, RegistryRequest } from './request.ts';

/** A manifest or index as a registry holds it: its digest is the hash of exactly these bytes. */
export interface Manifest {
  /** `sha256:…` */
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** An image in a registry. */
export interface HeldImage extends Manifest {
  /** The labels in the configuration of each platform's image; one item for a plain image. */
  readonly labels: readonly Readonly<Record<string, string>>[];
}

/** One repository of a registry, signed in to. */
export interface Shelf {
  readonly host: string;
  /** Name within the registry. */
  readonly path: string;
  /** Sends a request for `manifests/<reference>` or `blobs/<digest>`; a refusal is thrown as a Problem. */
  ask(
    what: string,
    request: Pick<RegistryRequest, 'method' | 'accept' | 'content' | 'redirects'>,
  ): Promise<RegistryAnswer>;
}

const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const IMAGE_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const ACCEPT = [...INDEX_TYPES, ...IMAGE_TYPES].join(', ');

/**
 * `sha256:…` of what is under a tag or digest; undefined when there is nothing (anchors/action.md §2.9).
 *
 * @throws Problem when the registry refuses or is in trouble.
 */
export async function readManifestDigest(shelf: Shelf, reference: string): Promise<string | undefined> {
  const head = await shelf.ask(`manifests/${reference}`, { method: 'HEAD', accept: ACCEPT, redirects: 'follow' });
  if (head.status === 404) return undefined;
  const digest = head.headers.get('docker-content-digest');
  if (head.status === 200 && digest !== null && isDigest(digest)) return digest;
  // Some registries answer HEAD without the digest, or not at all.
  return (await readManifest(shelf, reference))?.digest;
}

/**
 * What is under a tag, with the labels of every platform's image; undefined when there is nothing. Attestations, which
 * BuildKit keeps in an index as images of an unknown platform, have no labels of their own and are passed over.
 *
 * @throws Problem when the registry refuses, is in trouble, or holds something that is no image.
 */
export async function readImage(shelf: Shelf, tag: string): Promise<HeldImage | undefined> {
  const manifest = await readManifest(shelf, tag);
  if (manifest === undefined) return undefined;
  const images = INDEX_TYPES.includes(manifest.mediaType) ? await platformImages(shelf, manifest) : [manifest];
  return { ...manifest, labels: await Promise.all(images.map((image) => readLabels(shelf, image))) };
}

/**
 * Puts an image under one more tag of the same repository: the same bytes, so the same digest, and no layer moves.
 *
 * @throws Problem when the registry does not take it.
 */
export async function tagManifest(shelf: Shelf, tag: string, manifest: Manifest): Promise<void> {
  if ((await readManifestDigest(shelf, tag)) === manifest.digest) return;
  const { bytes, mediaType } = manifest;
  const answer = await shelf.ask(`manifests/${tag}`, {
    method: 'PUT',
    content: { bytes, type: mediaType },
    redirects: 'refuse',
  });
  if (answer.status >= 200 && answer.status < 300) return;
  throw trouble(shelf, `for the tag ${shelf.path}:${tag}`, answer.status);
}

/** True for `sha256:` and 64 hex digits. */
export function isDigest(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

const WithType = z.looseObject({ mediaType: z.string().optional() });

async function readManifest(shelf: Shelf, reference: string): Promise<Manifest | undefined> {
  const answer = await shelf.ask(`manifests/${reference}`, { method: 'GET', accept: ACCEPT, redirects: 'follow' });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw trouble(shelf, `for ${shelf.path}:${reference}`, answer.status);
  const header = answer.headers.get('content-type')?.split(';')[0]?.trim();
  const mediaType = header ?? parse(shelf, answer.body, WithType).mediaType ?? '';
  return {
    digest: `sha256:${createHash('sha256').update(answer.body).digest('hex')}`,
    mediaType,
    bytes: answer.body,
  };
}

const Index = z.looseObject({
  manifests: z.array(z.looseObject({ digest: z.string(), annotations: z.record(z.string(), z.string()).optional() })),
});

async function platformImages(shelf: Shelf, index: Manifest): Promise<Manifest[]> {
  const listed = parse(shelf, index.bytes, Index).manifests.filter(
    ({ annotations }) => annotations?.['vnd.docker.reference.type'] !== 'attestation-manifest',
  );
  return await Promise.all(
    listed.map(async ({ digest }) => {
      const manifest = await readManifest(shelf, digest);
      if (manifest !== undefined) return manifest;
      throw new Problem(`${shelf.host}/${shelf.path} holds an index without its image ${digest}`, {
        remedy: 'Push it again: a clean-up of the registry may have removed a part of it.',
      });
    }),
  );
}

const Image = z.looseObject({ config: z.looseObject({ digest: z.string() }) });
const Config = z.looseObject({
  config: z.looseObject({ Labels: z.record(z.string(), z.string()).nullish() }).nullish(),
});

async function readLabels(shelf: Shelf, manifest: Manifest): Promise<Record<string, string>> {
  const { digest } = parse(shelf, manifest.bytes, Image).config;
  const answer = await shelf.ask(`blobs/${digest}`, { method: 'GET', redirects: 'follow' });
  if (answer.status !== 200) throw trouble(shelf, `for the configuration of an image in ${shelf.path}`, answer.status);
  return parse(shelf, answer.body, Config).config?.Labels ?? {};
}

function parse<T>(shelf: Shelf, bytes: Uint8Array, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw new Problem(`registry ${shelf.host} holds something in ${shelf.path} that is no image`, {
      remedy: 'Use a repository for images of this project alone.',
      cause,
    });
  }
}

function trouble(shelf: Shelf, what: string, status: number): Problem {
  return new Problem(`registry ${shelf.host} answered ${status} ${what}`, {
    remedy: 'This is the registry’s own trouble: look at its status page and run the job again.',
  });
}
