import { describe, expect, it } from 'vitest';
import { Problem } from '../problem.ts';
import type { Exec } from '../world.ts';
import { ExecNotStarted, ExecTimeout } from '../world.ts';
import { checkBuilder, readInspection } from './preflight.ts';

const good = (driver: string, more = '') => `Name:   default
Driver: ${driver}

Nodes:
Name:             default
Endpoint:         default
Status:           running
BuildKit version: v0.8+unknown
Platforms:        linux/amd64, linux/386
${more}`;

// Texts as buildx 0.38 and the docker CLI 28.2 write them.
describe('readInspection', () => {
  it.each([
    ['classic dockerd, which sets no times', 'docker', '', false],
    [
      'dockerd with the containerd image store',
      'docker',
      'Labels:\n org.mobyproject.buildkit.worker.snapshotter: overlayfs\n',
      true,
    ],
    ['a builder in a container', 'docker-container', '', true],
    ['a remote builder', 'remote', '', true],
  ])('knows %s', (_what, driver, more, rewritesTimestamps) => {
    const found = readInspection({ exitCode: 0, stdout: good(driver, more), stderr: '' }, undefined);
    expect(found).toEqual({ name: 'default', driver, rewritesTimestamps, platform: 'linux/amd64' });
  });

  it('takes a container builder that is not started yet', () => {
    const stdout = good('docker-container').replace('running', 'inactive');
    expect(readInspection({ exitCode: 0, stdout, stderr: '' }, undefined).driver).toBe('docker-container');
  });

  it.each([
    [
      'docker has no buildx plugin',
      {
        exitCode: 1,
        stdout: '',
        stderr: "docker: unknown command: docker buildx\n\nRun 'docker --help' for more information\n",
      },
      'setup-buildx-action',
    ],
    [
      'docker has no buildx plugin',
      { exitCode: 1, stdout: '', stderr: "docker: 'buildx' is not a docker command.\nSee 'docker --help'\n" },
      'setup-buildx-action',
    ],
    [
      'the Docker daemon does not answer: failed to connect to the docker API at unix:///var/run/docker.sock',
      {
        exitCode: 0,
        stdout:
          'Name:          default\nDriver:        \nLast Activity: 2026-11-24 00:12:05 +0000 UTC\nError:         failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory\n',
        stderr: '',
      },
      'Start the Docker daemon',
    ],
    [
      'the Docker daemon does not answer: Cannot connect to the Docker daemon at tcp://127.0.0.1:1',
      {
        exitCode: 0,
        stdout:
          'Name:   default\nDriver: \nError:  Cannot connect to the Docker daemon at tcp://127.0.0.1:1. Is the docker daemon running?\n',
        stderr: '',
      },
      'Start the Docker daemon',
    ],
    [
      'this user may not speak to the Docker daemon',
      {
        exitCode: 0,
        stdout:
          'Name:   default\nDriver: \nError:  permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock\n',
        stderr: '',
      },
      'group docker',
    ],
    [
      'there is no builder "mine"',
      { exitCode: 1, stdout: '', stderr: 'ERROR: no builder "mine" found\n' },
      'Create it',
    ],
    [
      'the builder rk cannot be used: nothing answers at unix:///run/rk.sock',
      {
        exitCode: 0,
        stdout:
          'Name:          rk\nDriver:        remote\n\nNodes:\nName:     rk0\nEndpoint: unix:///run/rk.sock\nStatus:   inactive\n',
        stderr: '',
      },
      'docker buildx inspect',
    ],
  ])('says that %s', (message, result, remedy) => {
    const problem = problemOf(() => readInspection(result, 'mine'));
    expect(problem.message).toContain(message);
    expect(problem.remedy).toContain(remedy);
  });
});

describe('checkBuilder', () => {
  const options = { builder: undefined, env: {}, cwd: '/', signal: new AbortController().signal };

  it.each<[string, Error]>([
    ['docker is not on the PATH', new ExecNotStarted('docker', 'ENOENT', undefined)],
    ['does not answer', new ExecTimeout('docker', 60_000)],
  ])('says that docker %s', async (message, error) => {
    const exec: Exec = () => Promise.reject(error);
    await expect(checkBuilder({ ...options, exec })).rejects.toThrow(message);
  });

  it('asks for the builder by name', async () => {
    let asked: readonly string[] = [];
    const exec: Exec = (_command, args) => {
      asked = args;
      return Promise.resolve({ exitCode: 0, stdout: good('remote'), stderr: '' });
    };
    await checkBuilder({ ...options, builder: 'mine', exec });
    expect(asked).toEqual(['buildx', 'inspect', 'mine']);
  });
});

function problemOf(run: () => unknown): Problem {
  try {
    run();
  } catch (error) {
    if (error instanceof Problem) return error;
  }
  throw new Error('there was no Problem');
}
