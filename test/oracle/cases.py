"""Calls that schemathesis makes of a contract, as they go on the wire: cases.py CONTRACT SEED OPERATIONS EXAMPLES.

Writes one JSON line per call: {"mode": "positive" | "negative", "why": text, "method", "target", "headers", "body"},
the body in base64 or null.
"""
import base64
import json
import logging
import sys
import warnings

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


def calls(operation, mode, first, examples):
    found = []

    @seed(first)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def run(case):
        found.append(case)

    run()
    return found


def written(case, mode):
    kwargs = case.as_transport_kwargs(base_url="http://127.0.0.1")
    prepared = requests.Request(
        **{name: value for name, value in kwargs.items() if name not in ("timeout", "verify", "allow_redirects")}
    ).prepare()
    body = prepared.body
    if isinstance(body, str):
        body = body.encode("utf-8")
    if body is not None and not isinstance(body, bytes):
        body = body.read() if hasattr(body, "read") else b"".join(body)
    description = getattr(getattr(case.meta.phase, "data", None), "description", "") or ""
    return {
        "mode": mode.value,
        "why": description[:300],
        "method": prepared.method,
        "target": prepared.path_url,
        "headers": [[name, value if isinstance(value, str) else value.decode("latin-1")] for name, value in prepared.headers.items()],
        "body": None if body is None else base64.b64encode(body).decode("ascii"),
    }


def main():
    path, first, most, examples = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    operations = [found.ok() for found in schemathesis.openapi.from_dict(document).get_all_operations() if hasattr(found, "ok")]
    every = max(1, -(-len(operations) // most))
    for operation in operations[first % every :: every]:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                for case in calls(operation, mode, first, examples):
                    print(json.dumps(written(case, mode)), flush=True)
            except Exception as error:  # it cannot make this operation's calls: told, never counted
                print(json.dumps({"unmade": f"{operation.label}: {type(error).__name__}"}), flush=True)


main()
