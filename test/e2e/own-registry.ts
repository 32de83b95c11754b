import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { startServer } from '../rig/child.ts';
import { pickPorts } from '../rig/ports.ts';

/** The one user of a registry with a password; a colon and a dollar sign have broken clients before. */
export const USER = { username: 'bob', password: 'pw:with:colon$' } as const;

/** bcrypt of that password (cost 5). */
const HTPASSWD = 'bob:$2b$05$abcdefghijklmnopqrstuuYxc64XidtZL3mzaqhlL4VAqjT3yXKwW\n';

export interface OwnRegistry {
  /** `127.0.0.1:PORT`: another name than the rig's `localhost`, whose layers BuildKit would else offer to mount. */
  readonly host: string;
  stop(): Promise<void>;
}

/**
 * A docker-registry (distribution) of the test's own beside the rig's, empty.
 *
 * @param folder for its data, made here and removed on stop.
 * @param auth `htpasswd` lets in USER alone.
 */
export async function startOwnRegistry(folder: string, auth: 'none' | 'htpasswd'): Promise<OwnRegistry> {
  const {
    ports: [port],
    release,
  } = await pickPorts(1);
  const host = `127.0.0.1:${port}`;
  mkdirSync(folder);
  writeFileSync(`${folder}/htpasswd`, HTPASSWD);
  const config = {
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: `${folder}/data` } },
    http: { addr: host },
    ...(auth === 'none' ? {} : { auth: { htpasswd: { realm: 'test', path: `${folder}/htpasswd` } } }),
  };
  writeFileSync(`${folder}/config.yml`, JSON.stringify(config)); // JSON is YAML.
  const running = await startServer(
    {
      name: `registry (${auth})`,
      command: 'docker-registry',
      args: ['serve', `${folder}/config.yml`],
      address: `http://${host}`,
      probe: { kind: 'http', url: `http://${host}/` },
      ...(port === undefined ? {} : { port }),
      timeoutMs: 30_000,
      remedy: 'see its log above',
    },
    {
      folder,
      logFile: `${folder}/registry.log`,
      env: { PATH: `${process.env.PATH}:/usr/bin` },
      log: () => undefined,
      signal: AbortSignal.timeout(60_000),
    },
  );
  return {
    host,
    async stop() {
      await running.stop();
      release();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
