/**
 * The address of Prefect's web interface for an API URL (contracts/deploy.md §6.6): for Cloud the API's part is
 * replaced, `/api` at the end is cut, account and workspace lose their plural.
 */
export function uiUrlFor(apiUrl: string, cloudApiUrl: string, cloudUiUrl: string | undefined): string {
  if (apiUrl.startsWith(cloudApiUrl)) {
    const base = cloudUiUrl ?? cloudApiUrl.replace(/^https:\/\/api/, 'https://app').replace(/\/api$/, '');
    return (base.replace(/\/+$/, '') + apiUrl.slice(cloudApiUrl.length))
      .replace('/accounts/', '/account/')
      .replace('/workspaces/', '/workspace/');
  }
  return apiUrl
    .replace(/\/api$/, '')
    .replace('/api/', '/')
    .replace('/accounts/', '/account/')
    .replace('/workspaces/', '/workspace/');
}

export type UiObject =
  | { readonly kind: 'flow' | 'flow-run' | 'deployment' | 'automation'; readonly id: string }
  | { readonly kind: 'work-pool'; readonly name: string };

/** A link to one object in the web interface (contracts/deploy.md §6.6). */
export function uiLink(uiUrl: string, object: UiObject): string {
  switch (object.kind) {
    case 'flow':
      return `${uiUrl}/flows/flow/${object.id}`;
    case 'flow-run':
      return `${uiUrl}/runs/flow-run/${object.id}`;
    case 'deployment':
      return `${uiUrl}/deployments/deployment/${object.id}`;
    case 'automation':
      return `${uiUrl}/automations/automation/${object.id}`;
    case 'work-pool':
      return `${uiUrl}/work-pools/work-pool/${encodeURIComponent(object.name)}`;
  }
}
