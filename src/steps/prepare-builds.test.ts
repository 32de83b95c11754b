import { describe, expect, it } from 'vitest';
import { BUILD, CHANGE, PUSH, prepared, SHELL } from './testing-prepare.ts';

describe('a build step', () => {
  it.each([
    ['nothing', ''],
    [
      'git’s readers',
      `- ${SHELL}: {script: "git rev-parse --short HEAD\\ngit log -1 --format=%s", directory: REPOSITORY}\n`,
    ],
    ['a change of directory', `- ${CHANGE}: {directory: /}\n`],
    ['another image', `- ${BUILD}: {image_name: acme/other, tag: x}\n- ${PUSH}: {image_name: acme/other, tag: x}\n`],
  ])('builds what was committed after %s', async (_what, before) => {
    expect(await changedBy(before.replace('REPOSITORY', import.meta.dirname))).toBeUndefined();
  });

  it.each([
    ['a script', `- ${SHELL}: {id: generate, script: echo}\n`, 'the step run_shell_script (id generate)'],
    [
      'git in a shell',
      `- ${SHELL}: {script: git rev-parse HEAD, shell: true, directory: REPOSITORY}\n`,
      'the step run_shell_script',
    ],
    [
      'what may have changed files first',
      `- ${SHELL}: {id: one, script: echo}\n- ${SHELL}: {id: two, script: echo}\n`,
      'the step run_shell_script (id one)',
    ],
  ])('may build something else after %s', async (_what, before, step) => {
    expect(await changedBy(before.replace('REPOSITORY', import.meta.dirname))).toBe(step);
  });

  it('may build something else after another deployment’s script', async () => {
    const text = `deployments:
- {name: a, build: [{${SHELL}: {script: echo}}]}
- {name: b, build: [{${BUILD}: {image_name: acme/hello, tag: v1}}]}
`;
    const { context } = await prepared(text);
    expect(context.builds.map(({ plan }) => plan.changedBy)).toEqual(['the step run_shell_script']);
  });

  it('asks for a build of its own with ignore_cache', async () => {
    const text = `build: [{${BUILD}: {image_name: acme/hello, tag: v1, ignore_cache: true}}]\ndeployments: [{name: x}]`;
    expect((await prepared(text)).context.builds[0]?.plan.isFresh).toBe(true);
  });

  async function changedBy(before: string): Promise<string | undefined> {
    const text = `build:\n${before}- ${BUILD}: {image_name: acme/hello, tag: v1}\ndeployments: [{name: x}]`;
    const { context } = await prepared(text);
    return context.builds.at(-1)?.plan.changedBy;
  }
});
