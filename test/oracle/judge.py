"""Judges values by validators that are not the gate's: reads NDJSON on stdin, writes a line of verdicts for each.

The first line of a document: {"document": path}; then {"pointer": "/paths/…/schema", "values": [...]}, answered by
{"fast": [bool, …], "slow": [bool, …] | null}. `fast` is the Rust crate jsonschema, `slow` the Python package of that
name, both as JSON Schema 2020-12 with formats asserted; `slow` is asked only where the line says "both": true.
"""
import json
import sys
from urllib.parse import quote

import jsonschema
import jsonschema_rs
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

sys.setrecursionlimit(20_000)


def slow_validator(document, pointer):
    registry = Registry().with_resource("urn:contract", Resource(contents=document, specification=DRAFT202012))
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(
        {"$ref": f"urn:contract#{pointer}"}, registry=registry, format_checker=checker
    )


def main():
    document = registry = None
    for line in sys.stdin:
        asked = json.loads(line)
        if "document" in asked:
            with open(asked["document"], encoding="utf-8") as file:
                document = json.load(file)
            registry = jsonschema_rs.Registry([("urn:contract", document)], draft=jsonschema_rs.Draft202012)
            print("{}", flush=True)
            continue
        # A URI's fragment, where braces are no characters (RFC 3986 §3.5).
        pointer = quote(asked["pointer"], safe="/~")
        try:
            fast = jsonschema_rs.Draft202012Validator(
                {"$ref": f"urn:contract#{pointer}"}, registry=registry, validate_formats=True
            )
            answer = {"fast": [fast.is_valid(value) for value in asked["values"]], "slow": None}
            if asked.get("both"):
                slow = slow_validator(document, pointer)
                answer["slow"] = [slow.is_valid(value) for value in asked["values"]]
        except Exception as error:  # the judge cannot read the schema: told, never counted as a verdict
            answer = {"unreadable": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(answer), flush=True)


main()
