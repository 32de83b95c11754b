import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { KNOWN_AT_DEPLOY } from './foresight.ts';
import { planGitEnvironment, readOnlyGit } from './read-only-git.ts';
import { runShellScript } from './run-shell-script.ts';
import { splitWords } from './shell-words.ts';
import { makeDirectory, testRun } from './testing-run.ts';

describe('what of git runs in plan mode', () => {
  it.each([
    'git rev-parse HEAD',
    'git rev-parse --short HEAD',
    'git rev-parse --short=8 HEAD',
    'git rev-parse --abbrev-ref HEAD',
    'git describe --tags --always --dirty --abbrev=8',
    "git describe --match 'v*' --first-parent",
    'git status --porcelain',
    'git status -s -uno -- src',
    'git branch --show-current',
  ])('%s', (line) => {
    expect(readOnlyGit(splitWords(line))).toEqual(splitWords(line));
  });

  it.each([
    ['git log -1 --format=%H', '-1 --format=%H'],
    ['git log --oneline -n 5 main..HEAD -- src --output', '--oneline -n 5 main..HEAD -- src --output'],
    ['git log --since=yesterday --date iso', '--since=yesterday --date iso'],
  ])('%s, without the programs that configuration may name', (line, rest) => {
    expect(readOnlyGit(splitWords(line))?.join(' ')).toBe(
      `git log --no-ext-diff --no-textconv --no-show-signature ${rest}`,
    );
  });

  it.each([
    'git',
    'git -C sub log',
    'git -c core.pager=x log',
    'git -c alias.log=!x log',
    'git --exec-path=. log',
    'git --git-dir=sub log',
    'git -p log',
    'git commit -m x',
    'git branch',
    'git branch -D main',
    'git branch --show-current x',
    'git log --output=x',
    'git log --outp x',
    'git log --ext-diff',
    'git log --ext',
    'git show --textconv HEAD:file',
    'git show --text',
    'git log -Ofile',
    'git log -L:f:x',
    'git log --show-signature',
    'git log --format=%G?',
    "git log --pretty 'format:%GS'",
    'git log --help',
    'git rev-parse --help',
    'git describe --broken',
    'git status -v',
    'git toString',
    'git __proto__',
    'git diff',
    'git fetch',
    '/usr/bin/git log',
    './git log',
    'echo git log',
  ])('not %s', (line) => {
    expect(readOnlyGit(splitWords(line))).toBeUndefined();
  });

  it('with settings beside those that are in the environment already', () => {
    expect(
      planGitEnvironment({ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'a.b', GIT_CONFIG_VALUE_0: 'c' }),
    ).toMatchObject({
      GIT_CONFIG_COUNT: '4',
      GIT_CONFIG_KEY_0: 'a.b',
      GIT_CONFIG_KEY_1: 'safe.bareRepository',
      GIT_CONFIG_KEY_2: 'core.fsmonitor',
      GIT_CONFIG_KEY_3: 'core.hooksPath',
    });
  });
});

/** A repository whose configuration and attributes name programs at every place that git's readers look at. */
describe('a hostile work tree', () => {
  let directory: string;
  let traces: string;

  beforeEach(async () => {
    directory = await makeDirectory();
    traces = await makeDirectory();
    await mkdir(join(directory, 'hooks'));
    const trace = (name: string) => `touch ${join(traces, name)}`;
    await writeFile(join(directory, 'hooks/post-index-change'), `#!/bin/sh\n${trace('hook')}\n`);
    await chmod(join(directory, 'hooks/post-index-change'), 0o755);
    await writeFile(join(directory, '.gitattributes'), '*.txt diff=own\n');
    await writeFile(join(directory, 'a.txt'), 'one\n');
    const script = [
      'git init -q -b main .',
      'git config user.name x',
      'git config user.email x@example.com',
      'git add -A',
      'git commit -q -m one',
      'git config core.hooksPath hooks',
      `git config core.fsmonitor "${trace('fsmonitor')}"`,
      `git config core.pager "${trace('pager')}"`,
      `git config diff.external "${trace('external')}"`,
      `git config diff.own.textconv "${trace('textconv')}; cat"`,
      `git config diff.own.command "${trace('command')}"`,
      `git config gpg.program ${join(traces, 'gpg')}`,
      'git config log.showSignature true',
      `git config alias.log "!${trace('alias')}"`,
    ].join('\n');
    await runShellScript.run({ ...(await testRun({ script })), directory });
    // Same text, newer time: the index wants a refresh.
    await writeFile(join(directory, 'a.txt'), 'one\n');
  });

  it.each([
    ['git status --porcelain', /^$/],
    ['git describe --always --dirty', /^[0-9a-f]{7,}$/],
    ['git log -p -1 --format=%s', /^one\n[\s\S]*\+one/],
    ['git show HEAD', /one/],
    ['git show HEAD:a.txt', /^one$/],
    ['git rev-parse --abbrev-ref HEAD', /^main$/],
    ['git branch --show-current', /^main$/],
  ])('has no program of its own run by %s', async (script, expected) => {
    const step = await testRun({ script, expand_env_vars: true }, { mode: 'plan' });
    const { outputs } = await runShellScript.run({ ...step, directory });
    expect(outputs.stdout).toMatch(expected);
    expect(await readdir(traces)).toEqual([]);
  });

  it('cannot smuggle an option in through the environment', async () => {
    const step = await testRun(
      { script: 'git log -1\ngit log $MORE', expand_env_vars: true },
      { mode: 'plan', env: { MORE: '--output=made' } },
    );
    const { outputs } = await runShellScript.run({ ...step, directory });
    expect(outputs.stdout).toBe(KNOWN_AT_DEPLOY);
    expect(await readdir(directory)).not.toContain('made');
  });
});
