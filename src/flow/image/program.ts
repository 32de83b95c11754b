/**
 * The Python that runs in the image: Prefect's own loading and Prefect's own schema, one line of JSON for each flow.
 *
 * Arguments: a word that begins each line of ours, seconds until the end. Standard input: a JSON list of
 * `{directories, entrypoints}`. What the user's code prints goes to standard error. Each list of directories has a
 * process of its own, since modules of one name may lie in several of them; the entrypoints in one share what they
 * import, as in `prefect deploy --all`. Code that ends its process ends the answer for its own flow only.
 */
export const PROGRAM = `
import hashlib, json, os, signal, sys, traceback

word, seconds = sys.argv[1], int(sys.argv[2])
out = os.dup(1)
os.dup2(2, 1)
child = 0

def stop(*_):
    if child:
        os.kill(child, signal.SIGKILL)
    os._exit(124)

def answer(one):
    os.write(out, (word + json.dumps(one) + "\\n").encode())

def why(error):
    return traceback.format_exception_only(error)[-1].strip()[:2000]

def place(error):
    root = os.getcwd() + os.sep
    if isinstance(error, SyntaxError) and error.filename:
        frames = [(error.filename, error.lineno)]
    else:
        frames = [(one.filename, one.lineno) for one in traceback.extract_tb(error.__traceback__)]
    frames = [(os.path.abspath(name), line) for name, line in frames if not name.startswith("<")]
    own = [(name, line) for name, line in frames if name.startswith(root) and "site-packages" not in name]
    return {"file": own[-1][0][len(root):], "line": own[-1][1] or 1} if own else None

def version_of(flow):
    try:
        import inspect
        with open(inspect.getsourcefile(flow.fn), "rb") as file:
            hashed = hashlib.md5(file.read(), usedforsecurity=False).hexdigest()
    except Exception:
        hashed = None
    return None if flow.version == hashed else flow.version

def describe(entrypoint):
    flow = load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)
    schema = parameter_schema(flow).model_dump_for_openapi()
    schema = {key: value for key, value in schema.items() if value or key not in ("required", "definitions")}
    found = {"name": flow.name, "description": flow.description or None, "version": version_of(flow), "schema": schema}
    json.dumps(found, allow_nan=False)
    return found

answer({"kind": "begun"})
signal.signal(signal.SIGALRM, stop)
signal.signal(signal.SIGTERM, stop)
signal.alarm(seconds)
asked = json.load(sys.stdin)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
sys.path[:] = [one for one in sys.path if one != ""]
try:
    from prefect.exceptions import ScriptError
    from prefect.flows import load_flow_from_entrypoint
    from prefect.utilities.callables import parameter_schema
except Exception as error:
    answer({"kind": "no prefect", "error": why(error)})
    os._exit(0)

def tell(group, directories, entrypoints, done):
    try:
        for directory in directories:
            os.chdir(directory)
    except OSError as error:
        answer({"kind": "no directory", "group": group, "error": why(error)})
        os.write(done, b"." * len(entrypoints))
        return
    for entrypoint in entrypoints:
        told = {"group": group, "entrypoint": entrypoint}
        try:
            answer({"kind": "flow", **told, **describe(entrypoint)})
        except BaseException as error:
            error = error.user_exc if isinstance(error, ScriptError) else error
            answer({"kind": "not loaded", **told, "error": why(error), "place": place(error)})
        os.write(done, b".")

for group, one in enumerate(asked):
    left = one["entrypoints"]
    while left:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            tell(group, one["directories"], left, writer)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            done = len(pipe.read())
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        child = 0
        if done < len(left):
            error = f"Python ended (exit code {status}) while the module was imported"
            answer({"kind": "not loaded", "group": group, "entrypoint": left[done], "error": error, "place": None})
        left = left[done + 1:]
os._exit(0)
`;
