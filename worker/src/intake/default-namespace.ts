import { isJsonObject, type JsonObject } from '@slipway/prefect/json';

/** The namespace that Jobs get when nobody says otherwise. @param template the pool's base job template. */
export function defaultNamespaceOf(template: JsonObject): string {
  const { variables } = template;
  const properties = isJsonObject(variables) ? variables.properties : undefined;
  const namespace = isJsonObject(properties) ? properties.namespace : undefined;
  return isJsonObject(namespace) && typeof namespace.default === 'string' ? namespace.default : 'default';
}
