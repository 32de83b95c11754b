"""
Answers, with the real Prefect, what its Kubernetes worker would send to Kubernetes for each case of fixtures/cases.json.

    python prefect_jobs.py < fixtures/cases.json > answers.json

Run by `npm run test:differential:worker` in the rig's environment (prefect 3.8.8, prefect-kubernetes 0.8.0). For each
case `KubernetesWorkerJobConfiguration.resolve_for_flow_run` prepares the Job and `KubernetesWorker._create_job` sends it,
through the real Kubernetes client, whose last step alone is replaced: it notes the requests and answers that all is well.
The Prefect API is replaced by what the case says of flow, blocks and variables. Prefect reads its settings when it is
imported, so cases with the same environment share a process of their own.

A case: `template` (RFC 6902 operations on the default template), `deployment`, `run` (their job variables), `names`,
`parameters`, `tags`, `noDeployment`, `blocks` (by `<type slug>/<name>` or id), `variables`, `env` (of the worker).
An answer: the requests in order, or the error that crashes the run.
"""

import asyncio
import copy
import json
import os
import re
import subprocess
import sys
import urllib.parse

IDS = {
    "flow": "965ec140-bdf6-4be6-b7ea-03db5a8b4e8d", "deployment": "f808ae91-4d8a-4542-a878-b6f1507e4ac8",
    "run": "9d063037-f5cd-4b83-95c1-a8b05c531c04", "pool": "0cf1f936-cbd6-4fb0-9d6b-011047176562",
}
NAMES = {"flow": "my-flow", "deployment": "my-deployment", "run": "amiable-labrador", "pool": "my-pool", "worker": "my-worker"}
WORKER_ENV = {"PREFECT_API_URL": "http://127.0.0.1:4277/api", "HOME": "/nonexistent"}
# Not passed on to pods; a fault here should be told at once and not after Prefect's pauses.
AT_ONCE = {"PREFECT_INTEGRATIONS_KUBERNETES_WORKER_CREATE_JOB_RETRY_MAX_RETRIES": "1"}


def records(case):
    """The objects of the server that a case is about, as the API gives them."""
    names = {**NAMES, **case.get("names", {})}
    deployment = None if case.get("noDeployment") else {
        "id": IDS["deployment"], "name": names["deployment"], "flow_id": IDS["flow"],
        "updated": "2026-11-23T07:32:15.021261Z", "job_variables": case.get("deployment", {}),
    }
    run = {
        "id": IDS["run"], "name": names["run"], "flow_id": IDS["flow"], "deployment_id": deployment and IDS["deployment"],
        "parameters": case.get("parameters", {}), "tags": case.get("tags", []), "job_variables": case.get("run", {}),
    }
    return {
        "flow": {"id": IDS["flow"], "name": names["flow"]}, "deployment": deployment, "run": run,
        "pool": {"id": IDS["pool"], "name": names["pool"], "type": "kubernetes"}, "worker": names["worker"],
    }


async def answer(case):
    import jsonpatch
    from prefect.client.schemas.objects import Flow, FlowRun, WorkPool
    from prefect.client.schemas.responses import DeploymentResponse
    from prefect_kubernetes.worker import KubernetesWorker, KubernetesWorkerJobConfiguration

    template = jsonpatch.apply_patch(KubernetesWorker.get_default_base_job_template(), case.get("template", []))
    about = records(case)
    requests = []
    try:
        configuration = await KubernetesWorkerJobConfiguration.resolve_for_flow_run(
            FlowRun.model_validate(about["run"]),
            client=server(case, Flow.model_validate(about["flow"])),
            work_pool=WorkPool.model_validate({**about["pool"], "base_job_template": template}),
            worker_name=about["worker"],
            deployment=about["deployment"] and DeploymentResponse.model_validate(about["deployment"]),
        )
        worker = KubernetesWorker(work_pool_name=about["pool"]["name"], name=about["worker"])
        async with kubernetes(requests) as client:
            await worker._create_job(configuration, client)
    except Exception as exc:
        return {"about": case["about"], "error": f"{type(exc).__name__}: {exc}"}
    return {"about": case["about"], "requests": requests}


def server(case, flow):
    from types import SimpleNamespace

    import httpx
    from prefect.exceptions import ObjectNotFound

    def block(key):
        if key not in case.get("blocks", {}):
            raise ObjectNotFound(http_exc=httpx.HTTPError("404"))
        return SimpleNamespace(data=copy.deepcopy(case["blocks"][key]))

    async def read_flow(_):
        return flow

    async def by_name(name, block_type_slug, **_):
        return block(f"{block_type_slug}/{name}")

    async def by_id(id, **_):
        return block(str(id))

    async def variable(name):
        known = case.get("variables", {})
        return SimpleNamespace(value=known[name]) if name in known else None

    return SimpleNamespace(
        read_flow=read_flow, read_block_document_by_name=by_name, read_block_document=by_id, read_variable_by_name=variable
    )


def kubernetes(requests):
    """The real client, whose requests are noted instead of sent; no Secret exists, and everything can be created."""
    from kubernetes_asyncio.client import ApiClient
    from kubernetes_asyncio.client.exceptions import ApiException

    class Answer:
        status, reason = 201, "Created"

        def __init__(self, body):
            self.data = json.dumps(body).encode()

        def getheaders(self):
            return {}

        def getheader(self, *_):
            return None

    client = ApiClient()

    async def request(method, url, query_params=None, headers=None, post_params=None, body=None, **_):
        if method == "GET":
            missing = ApiException(status=404)
            missing.body = b"{}"
            raise missing
        path = urllib.parse.urlsplit(url).path
        requests.append({"method": method, "path": path, "body": json.loads(json.dumps(body))})
        name = body["metadata"].get("name") or body["metadata"].get("generateName", "") + "abcde"
        return Answer({"metadata": {"name": name, "namespace": path.split("/")[-2], "uid": "u"}})

    client.request = request
    return client


async def answers(cases):
    return [await answer(case) for case in cases]


def main():
    document = json.load(sys.stdin)
    if sys.argv[1:] == ["--here"]:
        json.dump(asyncio.run(answers(document["cases"])), sys.stdout)
        return
    groups = {}
    for case in document["cases"]:
        groups.setdefault(json.dumps(case.get("env", {}), sort_keys=True), []).append(case)
    answered = {}
    for env, cases in groups.items():
        made = subprocess.run(
            [sys.executable, "-W", "ignore", __file__, "--here"], input=json.dumps({"cases": cases}), text=True,
            stdout=subprocess.PIPE, check=True, env={"PATH": os.environ["PATH"], **WORKER_ENV, **AT_ONCE, **json.loads(env)},
        )
        answered.update({each["about"]: each for each in json.loads(made.stdout)})
    made = json.dumps([answered[case["about"]] for case in document["cases"]])
    sys.stdout.write(re.sub("-env-[0-9a-f]{8}", "-env-00000000", made))


if __name__ == "__main__":
    main()
