import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PrefectEnvironment } from '../builds/prefect-environment.ts';
import { startServer } from '../child.ts';
import type { Part } from '../part.ts';

/**
 * A Prefect server with its web pages, isolated from every other Prefect of this machine.
 *
 * @param database its address as SQLAlchemy writes it, empty; absent: SQLite, migrated already.
 */
export function prefectServer(port: number, environment: PrefectEnvironment, database?: string): Part {
  return {
    name: 'prefect-server',
    async start(context) {
      const home = join(context.folder, 'home');
      mkdirSync(home);
      if (database === undefined) copyFileSync(environment.database, join(home, 'prefect.db'));
      const url = `http://127.0.0.1:${port}`;
      return startServer(
        {
          name: 'prefect-server',
          command: environment.python,
          args: ['-m', 'prefect', 'server', 'start', '--host', '127.0.0.1', '--port', String(port)],
          env: {
            PREFECT_HOME: home,
            ...(database === undefined ? {} : { PREFECT_SERVER_DATABASE_CONNECTION_URL: database }),
            PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
            // The server writes its pages with its own address into this folder; by default that is the shared environment.
            PREFECT_SERVER_UI_STATIC_DIRECTORY: join(context.folder, 'ui'),
            PREFECT_UI_API_URL: `${url}/api`,
            PYTHONDONTWRITEBYTECODE: '1',
            PYTHONUNBUFFERED: '1',
          },
          address: url,
          probe: { kind: 'http', url: `${url}/api/health` },
          port,
          timeoutMs: 300_000,
          remedy: 'see its log above; on a slow or busy machine start the rig again',
        },
        context,
      );
    },
  };
}
