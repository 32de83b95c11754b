const ID = /[0-9a-f]{8}-[0-9a-f-]{27}/g;

/** A request to Prefect by method and path, without ids, names and query. */
export function prefectKind(method: string, url: string): string {
  const path = url
    .replace(/\?.*$/, '')
    .replace(/^\/api(?=\/)/, '')
    .replaceAll(ID, ':id')
    .replace(/\/name\/.*$/, '/name/:name')
    .replace(/^\/work_pools\/(?!filter$|$)[^/]+/, '/work_pools/:name');
  return `${method} ${path}`;
}

/** A request to Kubernetes by method and path, without names; a watch is told from a list. */
export function kubernetesKind(method: string, url: string): string {
  const [path = '', query = ''] = url.split('?');
  const isWatch = /(^|&)watch=(1|true)\b/i.test(query);
  // Some thirty requests by which a client finds out what kinds of object there are.
  if (/^\/(api(\/[^/]+)?|apis(\/[^/]+){0,2})$/.test(path)) return `${method} (discovery)`;
  const named = path
    .replace(/\/namespaces\/[^/]+(?=\/)/, '/namespaces/:namespace')
    .replace(/\/(jobs|pods|secrets)\/[^/]+/, '/$1/:name');
  return `${isWatch ? 'WATCH' : method} ${named}`;
}
