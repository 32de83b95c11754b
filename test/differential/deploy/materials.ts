import { isJsonObject, type JsonObject } from '@slipway/prefect/json';
import { defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { z } from 'zod';
import type { Server } from './server.ts';
import { list } from './snapshot.ts';

const WORK_POOLS: readonly JsonObject[] = [
  { name: 'kubernetes', type: 'kubernetes', base_job_template: defaultKubernetesTemplate },
  { name: 'process', type: 'process' },
  { name: 'other', type: 'kubernetes' },
];

const VARIABLES: Readonly<Record<string, unknown>> = {
  region: 'eu-central-1',
  retries: 3,
  ratio: 0.5,
  enabled: true,
  nothing: null,
  tables: ['orders', 'customers'],
  options: { level: 'debug', deep: { list: [1, null, 'x'] } },
  pool_name: 'kubernetes',
};

const BLOCKS: readonly { slug: string; name: string; data: JsonObject }[] = [
  { slug: 'secret', name: 'token', data: { value: 's3cret-of-the-block' } },
  { slug: 'secret', name: 'settings', data: { value: { user: 'ford', port: 5432, hosts: ['a', 'b'] } } },
  {
    slug: 'slack-webhook',
    name: 'alerts',
    data: { url: 'https://hooks.example.com/services/x', notify_type: 'default' },
  },
];

const Id = z.object({ id: z.string() });

/** Makes what projects refer to: work pools, variables, blocks. What is there already stays as it is. */
export async function makeMaterials(server: Server): Promise<void> {
  const missing = async (path: string): Promise<boolean> =>
    await server.ask('GET', path).then(
      () => false,
      () => true,
    );
  const templates = await readTemplates(server);
  for (const pool of WORK_POOLS) {
    if (!(await missing(`/work_pools/${pool.name}`))) continue;
    await server.ask('POST', '/work_pools/', { base_job_template: templates.get(String(pool.type)) ?? {}, ...pool });
  }
  for (const [name, value] of Object.entries(VARIABLES)) {
    if (await missing(`/variables/name/${name}`)) await server.ask('POST', '/variables/', { name, value });
  }
  for (const { slug, name, data } of BLOCKS) {
    if (!(await missing(`/block_types/slug/${slug}/block_documents/name/${name}`))) continue;
    const type = Id.parse(await server.ask('GET', `/block_types/slug/${slug}`));
    const filter = { block_schemas: { block_type_id: { any_: [type.id] } } };
    const [schema] = list(await server.ask('POST', '/block_schemas/filter', filter));
    const document = { name, data, block_type_id: type.id, block_schema_id: Id.parse(schema).id };
    await server.ask('POST', '/block_documents/', document);
  }
}

/** The templates that the server knows for work pool types, by type. */
async function readTemplates(server: Server): Promise<Map<string, JsonObject>> {
  const view = await server.ask('GET', '/collections/views/aggregate-worker-metadata');
  const workers = Object.values(isJsonObject(view) ? view : {}).flatMap((one) =>
    isJsonObject(one) ? Object.entries(one) : [],
  );
  return new Map(
    workers.flatMap(([type, worker]): [string, JsonObject][] => {
      const template = isJsonObject(worker) ? worker.default_base_job_configuration : undefined;
      return isJsonObject(template) ? [[type, template]] : [];
    }),
  );
}

/** Work pools as they were made have these names; their queues are compared. */
export const WORK_POOL_NAMES: readonly string[] = WORK_POOLS.map(({ name }) => z.string().parse(name));
