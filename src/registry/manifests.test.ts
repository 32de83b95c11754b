import { expect, it } from 'vitest';
import { readImage, type Shelf } from './manifests.ts';

const PRESENT = `sha256:${'a'.repeat(64)}`;
const GONE = `sha256:${'b'.repeat(64)}`;
const INDEX = 'application/vnd.oci.image.index.v1+json';
const IMAGE = 'application/vnd.oci.image.manifest.v1+json';

it('an index that has lost one of its images is no image to take', async () => {
  await expect(readImage(shelfWith([PRESENT, GONE]), 'v1')).rejects.toThrow(`an index without its image ${GONE}`);
  expect((await readImage(shelfWith([PRESENT]), 'v1'))?.labels).toEqual([{ a: 'b' }]);
});

/** A repository whose index lists these images, of which it has one. */
function shelfWith(digests: readonly string[]): Shelf {
  const held: Record<string, { type: string; body: unknown }> = {
    'manifests/v1': { type: INDEX, body: { manifests: digests.map((digest) => ({ digest })) } },
    [`manifests/${PRESENT}`]: { type: IMAGE, body: { config: { digest: 'sha256:c' } } },
    'blobs/sha256:c': { type: 'application/json', body: { config: { Labels: { a: 'b' } } } },
  };
  return {
    host: 'registry.example.com',
    path: 'acme/hello',
    async ask(what) {
      const found = held[what];
      const headers = new Headers(found === undefined ? {} : { 'content-type': found.type });
      const body = Buffer.from(JSON.stringify(found?.body ?? {}));
      return { status: found === undefined ? 404 : 200, headers, body };
    },
  };
}
