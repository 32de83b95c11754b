import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../child.ts';
import type { Part } from '../part.ts';
import { RigError } from '../rig-error.ts';
import { ask, run } from '../run.ts';

export interface PostgresqlOptions {
  readonly port: number;
  /** Of the one user there is, `prefect`. */
  readonly password: string;
}

/** Where Debian 12 keeps PostgreSQL's programs; they are not on PATH. */
export const POSTGRESQL_BIN = '/usr/lib/postgresql/15/bin';
/** In the enclosure's private /run: the user who runs PostgreSQL cannot enter the rig's folder, which is root's alone. */
const HOME = '/run/slipway-postgresql';
/** PostgreSQL refuses to run as root, so it gets the user that its package makes. */
const AS_POSTGRES = ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--no-new-privs', '--'];
const READY_MS = 60_000;

/** The address of the database as SQLAlchemy writes it. */
export function databaseUrl({ port, password }: PostgresqlOptions): string {
  return `postgresql+asyncpg://prefect:${password}@127.0.0.1:${port}/postgres`;
}

export function newPostgresqlPassword(): string {
  return randomBytes(16).toString('hex');
}

/** Debian's PostgreSQL on 127.0.0.1. It never waits for the disk: its data end with the rig. */
export function postgresql({ port, password }: PostgresqlOptions): Part {
  return {
    name: 'postgresql',
    async start(context) {
      const remedy = 'on Debian 12: apt-get install -y postgresql-15; without it there is no postgresql in the rig';
      if (!existsSync(join(POSTGRESQL_BIN, 'initdb'))) throw new RigError('PostgreSQL 15 is missing', remedy);
      const tool = { logFile: context.logFile, signal: context.signal, env: context.env, cwd: context.folder };
      writeFileSync(join(context.folder, 'password'), password, { mode: 0o600 });
      mkdirSync(HOME);
      await run('mount', ['--bind', context.folder, HOME], { ...tool, remedy: 'run as root on Linux' });
      await run('chown', ['-R', 'postgres:postgres', HOME], { ...tool, remedy });
      const data = join(HOME, 'data');
      const initdb = [
        join(POSTGRESQL_BIN, 'initdb'),
        `--pgdata=${data}`,
        '--username=prefect',
        `--pwfile=${join(HOME, 'password')}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C.UTF-8',
        '--no-sync',
      ];
      await run('setpriv', [...AS_POSTGRES, ...initdb], { ...tool, cwd: HOME, remedy: 'see its words above' });
      const settings = {
        listen_addresses: '127.0.0.1',
        port,
        unix_socket_directories: HOME,
        fsync: 'off',
        synchronous_commit: 'off',
        full_page_writes: 'off',
        max_connections: 200,
        shared_buffers: '256MB',
      };
      const running = await startServer(
        {
          name: 'postgresql',
          command: 'setpriv',
          args: [
            ...AS_POSTGRES,
            join(POSTGRESQL_BIN, 'postgres'),
            '-D',
            data,
            ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
          ],
          address: `127.0.0.1:${port}`,
          probe: { kind: 'socket', socket: join(context.folder, `.s.PGSQL.${port}`) },
          port,
          timeoutMs: READY_MS,
          remedy: 'see its log above',
        },
        { ...context, folder: HOME },
      );
      // It takes connections before it takes queries.
      const isReady = [`--host=127.0.0.1`, `--port=${port}`, '--quiet'];
      for (const begun = Date.now(); (await ask(join(POSTGRESQL_BIN, 'pg_isready'), isReady)) === undefined; ) {
        if (Date.now() - begun > READY_MS) throw new RigError('postgresql takes no queries', remedy, context.logFile);
        await sleep(100, undefined, { signal: context.signal });
      }
      return running;
    },
  };
}
