import { createReadStream } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { SeededImage } from '../plan.ts';
import { type Descriptor, readManifest } from './image.ts';

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
}

/**
 * Pushes an image into a registry without credentials (OCI distribution specification, "Pushing manifests" and
 * "Pushing a blob monolithically").
 *
 * @param registry for example `http://127.0.0.1:5000`.
 * @throws Error naming the request when the registry answers anything else than what the specification says.
 */
export async function pushImage(registry: string, image: SeededImage, signal: AbortSignal): Promise<void> {
  const { text, manifest } = readManifest(image.folder);
  const base = `${registry}/v2/${image.repository}`;
  for (const blob of [...manifest.layers, manifest.config]) await pushBlob(base, image.folder, blob, signal);
  for (const tag of image.tags) {
    const headers = { 'content-type': manifest.mediaType, 'content-length': String(Buffer.byteLength(text)) };
    await send('PUT', `${base}/manifests/${tag}`, headers, text, [201], signal);
  }
}

/**
 * Makes an image's layers known in another repository of the same registry, without sending them (OCI distribution
 * specification, "Mounting a blob from another repository"): so they are where a first push would have put them.
 *
 * @param repository for example `hello`; it need not exist yet.
 */
export async function mountLayers(
  registry: string,
  image: SeededImage,
  repository: string,
  signal: AbortSignal,
): Promise<void> {
  const { manifest } = readManifest(image.folder);
  for (const layer of manifest.layers) {
    const query = new URLSearchParams({ mount: layer.digest, from: image.repository });
    const url = `${registry}/v2/${repository}/blobs/uploads/?${query}`;
    await send('POST', url, { 'content-length': '0' }, '', [201], signal);
  }
}

async function pushBlob(base: string, folder: string, blob: Descriptor, signal: AbortSignal): Promise<void> {
  const begun = await send('POST', `${base}/blobs/uploads/`, { 'content-length': '0' }, '', [202], signal);
  if (begun.location === undefined) throw new Error(`${base}: the registry named no place for an upload`);
  const target = new URL(begun.location, base);
  target.searchParams.set('digest', blob.digest);
  const headers = { 'content-type': 'application/octet-stream', 'content-length': String(blob.size) };
  const file = join(folder, 'blobs', blob.digest);
  await send('PUT', target.href, headers, createReadStream(file, { highWaterMark: 1 << 20 }), [201], signal);
}

function send(
  method: string,
  url: string,
  headers: Record<string, string>,
  body: string | NodeJS.ReadableStream,
  expected: readonly number[],
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method, headers, signal }, (response) => {
      response.resume();
      response.once('end', () => {
        const status = response.statusCode ?? 0;
        if (expected.includes(status)) resolve({ status, location: response.headers.location });
        else reject(new Error(`${method} ${url}: the registry answered ${status}`));
      });
      response.once('error', reject);
    });
    call.once('error', reject);
    if (typeof body === 'string') call.end(body);
    else body.once('error', reject).pipe(call);
  });
}
