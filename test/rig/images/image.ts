import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import * as z from 'zod';

/** What a container started from an image gets (OCI image specification, config.md). */
export interface ImageConfig {
  readonly Env: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
}

const Descriptor = z.object({ mediaType: z.string(), digest: z.string(), size: z.int().nonnegative() });
export type Descriptor = z.infer<typeof Descriptor>;

/** An image manifest, as far as the rig reads it (OCI image specification, manifest.md). */
export const Manifest = z.object({ mediaType: z.string(), config: Descriptor, layers: z.array(Descriptor) });

const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'amd64';

/**
 * Makes an image of one layer from the tar of a root file system, as files in a folder: `manifest.json` and `blobs/`
 * (named sha256:…). The tar is removed.
 *
 * Compression is the fastest there is: the image only travels over loopback.
 */
export async function imageFromRootfs(tar: string, config: ImageConfig, folder: string): Promise<void> {
  const blobs = join(folder, 'blobs');
  mkdirSync(blobs, { recursive: true });
  const content = createHash('sha256');
  const compressed = createHash('sha256');
  const layerFile = join(blobs, 'layer');
  await pipeline(
    createReadStream(tar, { highWaterMark: 1 << 20 }),
    hashing(content),
    createGzip({ level: 1, chunkSize: 1 << 18 }),
    hashing(compressed),
    createWriteStream(layerFile),
  );
  rmSync(tar);
  const layer: Descriptor = {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: `sha256:${compressed.digest('hex')}`,
    size: statSync(layerFile).size,
  };
  renameSync(layerFile, join(blobs, layer.digest));
  const created = '2026-01-01T00:00:00Z';
  const configText = JSON.stringify({
    architecture: ARCHITECTURE,
    os: 'linux',
    created,
    config,
    rootfs: { type: 'layers', diff_ids: [`sha256:${content.digest('hex')}`] },
    history: [{ created, created_by: 'the rig of slipway' }],
  });
  const configDigest = digestOf(configText);
  writeFileSync(join(blobs, configDigest), configText);
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: configDigest,
      size: Buffer.byteLength(configText),
    },
    layers: [layer],
  };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
}

/** The digest of a text as registries write it. */
export function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Reads the manifest of an image folder: its exact text (what the digest is of) and what it says. */
export function readManifest(folder: string): { text: string; manifest: z.infer<typeof Manifest> } {
  const text = readFileSync(join(folder, 'manifest.json'), 'utf8');
  return { text, manifest: Manifest.parse(JSON.parse(text)) };
}

function hashing(hash: ReturnType<typeof createHash>): Transform {
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      hash.update(piece);
      done(null, piece);
    },
  });
}
