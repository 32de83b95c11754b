import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startServer } from '../child.ts';
import { pushImage } from '../images/push.ts';
import type { Part } from '../part.ts';
import type { SeededImage } from '../plan.ts';

/**
 * Debian's docker-registry, holding the rig's base images under their official names: whoever asks it as Docker Hub's
 * mirror gets those. Ready means that they are in.
 */
export function registry(port: number, images: readonly SeededImage[]): Part {
  return {
    name: 'registry',
    async start(context) {
      const url = `http://127.0.0.1:${port}`;
      const config = {
        version: 0.1,
        log: { level: 'warn', accesslog: { disabled: true } },
        storage: {
          filesystem: { rootdirectory: join(context.folder, 'data') },
          cache: { blobdescriptor: 'inmemory' },
          delete: { enabled: true },
        },
        http: { addr: `127.0.0.1:${port}`, secret: 'one registry, so nothing to keep from another' },
      };
      const file = join(context.folder, 'config.yml');
      writeFileSync(file, JSON.stringify(config)); // JSON is YAML.
      const running = await startServer(
        {
          name: 'registry',
          command: 'docker-registry',
          args: ['serve', file],
          address: url,
          probe: { kind: 'http', url: `${url}/v2/` },
          port,
          timeoutMs: 30_000,
          remedy: 'see its log above',
        },
        context,
      );
      await Promise.all(images.map((image) => pushImage(url, image, context.signal)));
      return running;
    },
  };
}
