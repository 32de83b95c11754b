import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type OwnRegistry, startOwnRegistry } from '../e2e/own-registry.ts';
import { buildBuildkit, buildBuildx } from '../rig/builds/go-binaries.ts';
import { startServer } from '../rig/child.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { type Enclosure, METADATA_ADDRESS, openEnclosure } from './enclosure.ts';
import { type Minted, openMinted } from './minted.ts';
import { type CloudServer, startCloudServer } from './server.ts';
import { openSky, type Sky } from './sky.ts';

const run = promisify(execFile);

/**
 * Where the clouds are played: the enclosure with BuildKit in it, and outside of it, behind its doors, the server that
 * plays them, the registry that holds the images, and a Prefect server. Failure model: what starts inside ends with
 * the enclosure; `close` ends the rest in the opposite order of its start, also of a start that failed.
 */
export interface Setting {
  readonly enclosure: Enclosure;
  /** For a test's own files; removed at the end. */
  readonly folder: string;
  readonly server: CloudServer;
  /** `host:port` of the registry that holds all images, as seen outside. */
  readonly registry: string;
  /** What a runner in here has in its environment: Docker with buildx and the builder, and whom Node trusts. */
  readonly env: Readonly<Record<string, string>>;
  readonly minted: Minted;
  /** All arguments that docker was started with, one start a line. */
  dockerArguments(): string;
  /** Fresh clouds, played from now on. */
  openSky(): Promise<Sky>;
  close(): Promise<void>;
}

/** @param prefectApiUrl of a server on 127.0.0.1, reached inside at the same address. */
export async function openSetting(prefectApiUrl: string): Promise<Setting> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-clouds-'));
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const minted = openMinted();
    const first = await openSky(minted);
    const hosts = first.clouds.flatMap((cloud) => cloud.hosts);
    const certificates = await makeCertificates(join(folder, 'certificates'), hosts);
    const registry = await startOwnRegistry(join(folder, 'registry'), 'none');
    closing.push(() => registry.stop());
    const server = await startPlaying(folder, certificates, registry);
    closing.push(() => server.close());
    const prefect = new URL(prefectApiUrl);
    const prefectSocket = join(folder, 'prefect.sock');
    const forward = await forwardTo(prefectSocket, Number(prefect.port));
    closing.push(() => new Promise((resolve) => forward.close(resolve)));
    const enclosure = await openEnclosure({
      folder: join(folder, 'enclosure'),
      hosts,
      authority: certificates.authority,
      doors: [
        { address: '127.0.0.1', port: 443, socket: join(folder, 'tls.sock') },
        { address: METADATA_ADDRESS, port: 80, socket: join(folder, 'plain.sock') },
        // Where Google's metadata service is known by a name.
        { address: '127.0.0.1', port: 80, socket: join(folder, 'plain.sock') },
        { address: '127.0.0.1', port: Number(prefect.port), socket: prefectSocket },
      ],
    });
    closing.push(() => enclosure.stop());
    const env = {
      PREFECT_API_URL: prefectApiUrl,
      NODE_EXTRA_CA_CERTS: certificates.authorityFile,
      ...(await startBuilder(join(folder, 'builder'), enclosure)),
    };
    return {
      enclosure,
      folder,
      server,
      registry: registry.host,
      env,
      minted,
      dockerArguments: () => readFileSync(join(folder, 'builder', 'arguments'), 'utf8'),
      async openSky() {
        const sky = await openSky(minted);
        server.play(sky.clouds);
        return sky;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function startPlaying(folder: string, certificates: Certificates, registry: OwnRegistry): Promise<CloudServer> {
  const sockets = { tls: join(folder, 'tls.sock'), plain: join(folder, 'plain.sock') };
  return startCloudServer({ certificates, registry: registry.host, sockets });
}

/** A Unix socket that is joined with a port of this machine. */
function forwardTo(socket: string, port: number): Promise<Server> {
  const server = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    from.pipe(to).pipe(from);
    from.on('error', () => to.destroy());
    to.on('error', () => from.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(socket, () => resolve(server));
  });
}

/**
 * BuildKit inside the enclosure as buildx's current builder, in a Docker configuration of its own, and a `docker` before
 * the real one on the PATH that notes what it is started with.
 */
async function startBuilder(folder: string, enclosure: Enclosure): Promise<Record<string, string>> {
  const [log, signal] = [() => undefined, AbortSignal.timeout(600_000)];
  const buildx = await buildBuildx(log, signal);
  const buildkitd = await buildBuildkit(log, signal);
  await mkdir(join(folder, 'docker', 'cli-plugins'), { recursive: true });
  await symlink(buildx, join(folder, 'docker', 'cli-plugins', 'docker-buildx'));
  await writeFile(join(folder, 'docker', 'config.json'), '{}');
  const socket = join(folder, 'buildkit.sock');
  const [command = '', ...entry] = enclosure.entry('/');
  const args = ['--root', join(folder, 'data'), '--oci-worker=true', '--containerd-worker=false'];
  await startServer(
    {
      name: 'buildkitd',
      command,
      args: [...entry, buildkitd, ...args, '--addr', `unix://${socket}`],
      address: `unix://${socket}`,
      probe: { kind: 'socket', socket },
      timeoutMs: 60_000,
      remedy: 'see its log above',
    },
    { folder, logFile: join(folder, 'buildkitd.log'), env: { PATH, HOME: folder }, log, signal },
  );
  await writeFile(join(folder, 'arguments'), '');
  await mkdir(join(folder, 'bin'));
  const noting = `#!/bin/sh\nprintf '%s ' "$@" | tr '\\n' ' ' >> '${folder}/arguments'\necho >> '${folder}/arguments'\n`;
  const { stdout: docker } = await run('sh', ['-c', 'command -v docker']);
  await writeFile(join(folder, 'bin', 'docker'), `${noting}exec '${docker.trim()}' "$@"\n`, { mode: 0o755 });
  const env = {
    PATH: `${folder}/bin:${PATH}`,
    DOCKER_CONFIG: join(folder, 'docker'),
    BUILDX_CONFIG: join(folder, 'docker', 'buildx'),
  };
  const create = ['create', '--name', 'clouds', '--driver', 'remote', '--use', `unix://${socket}`];
  await run(buildx, create, { env });
  return env;
}

const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
