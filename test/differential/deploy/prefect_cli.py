"""Prefect's own CLI, many times over: importing Prefect costs ten times what a deploy does.

Reads one JSON object a line from stdin, {"cwd", "env", "args", "log"}, and answers each with {"code"}. Every call is a
fork that begins where a new process would stand after its imports: with that environment, directory and argument list,
settings read anew, and its output in the file `log`.
"""

import importlib
import json
import os
import sys
import traceback

import prefect.cli
import prefect.context

for module in (
    "prefect.cli.deploy._commands",
    "prefect.cli.deploy._core",
    "prefect.deployments.runner",
    "prefect.deployments.steps",
    "prefect.events",
    "prefect.flows",
):
    importlib.import_module(module)


def call(request):
    """Never returns: ends the process with the CLI's exit code."""
    output = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv = ["prefect", *request["args"]]
    # What a new interpreter would have found there: its script's folder, then PYTHONPATH.
    sys.path[0] = os.path.join(sys.prefix, "bin")
    sys.path[1:1] = [os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    code = 0
    try:
        prefect.context.refresh_global_settings_context()
        prefect.cli.app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        call(json.loads(line))
    _, status = os.waitpid(pid, 0)
    print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)
