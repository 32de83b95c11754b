import { Problem } from '../problem.ts';

/** An image repository taken apart. */
export interface Repository {
  /** Host and port as Docker writes them: `docker.io`, `localhost:5000`, `ghcr.io`. */
  readonly host: string;
  /** Name within the registry: `library/python`, `acme/hello`. */
  readonly path: string;
}

const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_NAMES: readonly string[] = [DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io'];
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const HOST =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:.]+\])(?::\d+)?$/;

/**
 * The registry host an image repository (without tag) belongs to, by Docker's rule: the part before the first slash
 * when it has a dot, a colon or a capital or is `localhost`, else Docker Hub (distribution reference grammar;
 * anchors/action.md §3.4).
 */
export function registryHost(repository: string): string {
  return splitHost(repository).host;
}

/**
 * Host and path of a repository without tag; Docker Hub's one-part names become `library/…`.
 *
 * @throws Problem when the text breaks the grammar, e.g. has capitals or a tag.
 */
export function parseRepository(repository: string): Repository {
  if (isRepository(repository)) return splitHost(repository);
  const slash = repository.indexOf('/');
  const lower = [repository.toLowerCase(), repository.slice(0, slash) + repository.slice(slash).toLowerCase()].find(
    (candidate) => candidate !== repository && isRepository(candidate),
  );
  throw new Problem(`${JSON.stringify(repository)} is no image repository`, {
    remedy:
      lower === undefined
        ? 'Write [host[:port]/]name[/name…] with lower-case letters, digits and single . _ - between them, without a tag.'
        : `Registries want lower case: write ${lower}.`,
  });
}

/** A first part with capitals and without dot and port is a host to Docker, but hardly ever one to its writer. */
function isRepository(text: string): boolean {
  const { host, path } = splitHost(text);
  const isHost = HOST.test(host) && (host === 'localhost' || /[.:]/.test(host));
  return isHost && PATH.test(path) && text.length <= 255;
}

function splitHost(repository: string): Repository {
  const slash = repository.indexOf('/');
  const first = slash === -1 ? '' : repository.slice(0, slash);
  if (!/[.:]/.test(first) && first !== 'localhost' && first === first.toLowerCase()) return onDockerHub(repository);
  const rest = repository.slice(slash + 1);
  return DOCKER_HUB_NAMES.includes(first) ? onDockerHub(rest) : { host: first, path: rest };
}

function onDockerHub(path: string): Repository {
  return { host: DOCKER_HUB, path: path.includes('/') ? path : `library/${path}` };
}

/** The key under which Docker's configuration and credential helpers know a host. */
export function configKey(host: string): string {
  return host === DOCKER_HUB ? 'https://index.docker.io/v1/' : host;
}

/** True when a key of Docker's configuration (`host`, `https://host`, `https://host/v1/`) means this host. */
export function isKeyOf(key: string, host: string): boolean {
  const named = key.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  if (host !== DOCKER_HUB) return named === host;
  return DOCKER_HUB_NAMES.includes(named);
}

/** Host of the registry's HTTP API: Docker Hub's is another than its name. */
export function apiHost(host: string): string {
  return host === DOCKER_HUB ? 'registry-1.docker.io' : host;
}

/** True for this machine itself, the only place where plain HTTP is spoken (anchors/action.md §7). */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '');
  return name === 'localhost' || name === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(name);
}
