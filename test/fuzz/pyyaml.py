"""Reads prefect.yaml texts as Prefect does: one JSON text a line in, one JSON answer a line out.

Answers are {"value": ...}, as pydantic dumps it in JSON mode, or {"refused": reason}. Sets become lists in the order
written, which Python itself forgets.
"""

import io
import json
import sys

import yaml
from pydantic_core import to_json


class Loader(yaml.SafeLoader):
    def construct_written_set(self, node):
        yield (data := [])
        data.extend(self.construct_mapping(node))


Loader.add_constructor("tag:yaml.org,2002:set", Loader.construct_written_set)


def answer(text):
    try:
        # Text mode, as Prefect opens it: every line end is one newline.
        stream = io.TextIOWrapper(io.BytesIO(text.encode("utf-8", "surrogatepass")), encoding="utf-8")
        value = yaml.load(stream.read(), Loader)
        return '{"value": %s}' % to_json(value, inf_nan_mode="null").decode()
    except RecursionError:
        return json.dumps({"refused": "RecursionError"})
    except Exception as error:
        return json.dumps({"refused": f"{type(error).__name__}: {error}"})


for line in sys.stdin:
    print(answer(json.loads(line)), flush=True)
