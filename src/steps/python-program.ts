/**
 * What runs a step's function in Python, as a file in a private folder. The request comes on standard input, so that no
 * secret stands in an argument, in the environment or on the disk; the outcome is left beside the program as
 * `outcome.json`. It needs nothing but Python's own library, 3.8 or newer.
 *
 * The ways of Prefect it keeps (prefect/deployments/steps/core.py `_get_function_for_step`, utilities/importtools.py
 * `import_object`, _internal/installation.py): `requires` are imported first, each up to its version; only when an
 * import fails all of them are installed, by uv when Python has that package, else by pip, together with the Prefect that
 * is there; a failed installation is no error by itself; then the function is imported again.
 */
export const PYTHON_PROGRAM = `import asyncio
import importlib
import importlib.metadata
import importlib.util
import inspect
import json
import math
import os
import re
import subprocess
import sys
import traceback

EXTRAS = {"prefect-" + name: "prefect[" + name + "]" for name in ("kubernetes", "aws", "gcp", "azure", "docker")}


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    # The project's modules must not stand in for those imported above, nor this folder for the project.
    sys.path[:] = [entry for entry in sys.path if entry != folder]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    request = json.loads(sys.stdin.buffer.read())
    for directory in (request["project"], os.getcwd()):
        if sys.path[:1] != [directory]:
            sys.path.insert(0, directory)
    outcome = attempt(request)
    with open(os.path.join(folder, "outcome.json"), "w", encoding="utf-8") as file:
        json.dump(outcome, file)


def attempt(request):
    start = os.getcwd()
    installed = {}
    try:
        function = load(request["function"], request["requires"], installed)
    except BaseException as error:
        if not isinstance(error, (ImportError, AttributeError)):
            traceback.print_exc()
        return failure("not-imported", error, **installed)
    try:
        value = function(**request["inputs"])
        if inspect.isawaitable(value):
            value = asyncio.run(result_of(value))
        # Prefect takes nothing but a dict for outputs.
        outputs = plain(value) if isinstance(value, dict) else None
    except BaseException as error:
        traceback.print_exc()
        return failure("raised", error)
    end = os.getcwd()
    return {"kind": "returned", "outputs": outputs, "directory": None if end == start else end}


def failure(kind, error, **more):
    version = "%d.%d.%d" % sys.version_info[:3]
    text = "exit code %s" % error.code if isinstance(error, SystemExit) else str(error)
    return {"kind": kind, "type": type(error).__name__, "text": text, "python": version, "executable": sys.executable, **more}


async def result_of(value):
    return await value


def load(name, requires, installed):
    try:
        for requirement in requires:
            importlib.import_module(re.split("[<>=!~]", requirement)[0].strip().replace("-", "_"))
        return find(name)
    except ImportError as error:
        if not requires:
            raise
        print("%s: %s; installing %s" % (name, error, ", ".join(requires)), flush=True)
    installed["pip"] = install([EXTRAS.get(requirement, requirement) for requirement in requires])
    importlib.invalidate_caches()
    return find(name)


def find(name):
    if ".py:" in name:
        path, attributes = name.rsplit(":", 1)
        found = script(path)
    else:
        module, attributes = name.rsplit(":" if ":" in name else ".", 1)
        found = importlib.import_module(module)
    for attribute in attributes.split("."):
        found = getattr(found, attribute)
    return found


def script(path):
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name if name not in sys.modules else "__step_script__", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except FileNotFoundError as error:
        raise ImportError(str(error)) from error
    return module


def install(packages):
    try:
        prefect = importlib.metadata.version("prefect")
    except importlib.metadata.PackageNotFoundError:
        prefect = None
    pin = ["prefect==" + prefect] if prefect is not None and "+" not in prefect else []
    arguments = ["pip", "install", *pin, *packages]
    try:
        command = [importlib.import_module("uv").find_uv_bin(), *arguments]
    except (ImportError, FileNotFoundError):
        command = [sys.executable, "-m", *arguments]
    return subprocess.call(command, stdin=subprocess.DEVNULL)


def plain(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return str(value)


if __name__ == "__main__":
    main()
`;
