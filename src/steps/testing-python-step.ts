import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { problemsOf } from '../problem.ts';
import { prepared } from './testing-prepare.ts';
import { makeDirectory, type TestSettings } from './testing-run.ts';

const MODULE = `
import asyncio, datetime, enum, os, pathlib, sys

def show(**inputs):
    print("shown", sorted(inputs))
    return inputs

async def later(seconds=0):
    await asyncio.sleep(seconds)
    return {"waited": seconds}

def odd():
    return {
        "path": pathlib.PurePosixPath("a/b"), "when": datetime.date(2026, 1, 2), "pair": (1, 2.0), "big": 2**70,
        "nan": float("nan"), 1: "one", "deep": {"list": [{"x": True}]}, "nothing": None, "text": "\\ud800é",
    }

def listing():
    return ["no dict"]

def change():
    os.chdir("sub")
    return {}

def boom(token):
    print("about to fail", file=sys.stderr)
    raise ValueError("cannot use " + token)

def leave():
    sys.exit(3)

def die():
    os._exit(7)

def look():
    return {"argv": sys.argv[1:], "stdin": sys.stdin.read(), "env": dict(os.environ), "here": os.getcwd()}

class Group:
    @staticmethod
    def inside():
        return {"from": "a class"}
`;

/** A project with a team's own steps in `my_team/steps.py`. */
export async function project(): Promise<string> {
  const directory = await makeDirectory();
  await mkdir(join(directory, 'my_team'));
  await mkdir(join(directory, 'sub'));
  await writeFile(join(directory, 'my_team/steps.py'), MODULE);
  return directory;
}

/** Runs the build steps of one deployment in such a project. */
export async function run(steps: string, settings: TestSettings = {}) {
  const directory = settings.directory ?? (await project());
  return await prepared(`build: [${steps}]\ndeployments: [{name: x}]`, { ...settings, directory });
}

/** Why they cannot run. */
export async function refused(steps: string, settings: TestSettings = {}) {
  const thrown = await run(steps, settings).catch((error: unknown) => error);
  const [problem] = problemsOf(thrown) ?? [];
  if (problem === undefined) throw thrown;
  return problem;
}
