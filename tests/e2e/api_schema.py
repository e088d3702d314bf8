"""api_schema - OpenAI's own description of its API, to hold replies against."""

import json
import pathlib

import jsonschema
import referencing
import referencing.jsonschema

DATA = pathlib.Path(__file__).resolve().parents[3] / "shared/data/api/openai_openapi.json"


def _with_null(schema):
    """nullable, which the draft does not know, in its words."""
    if isinstance(schema, list):
        return [_with_null(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _with_null(value) for key, value in schema.items()}
    return {"anyOf": [made, {"type": "null"}]} if made.get("nullable") is True else made


class Schemas:
    """Schemas by name; where the description is missing, all is valid."""

    def __init__(self):
        self.registry = None
        if not DATA.exists():
            print(f"skipped: replies against their schemas, {DATA} is missing")
            return
        resource = referencing.jsonschema.DRAFT202012.create_resource(
            _with_null(json.loads(DATA.read_text())))
        self.registry = referencing.Registry().with_resource("urn:openai", resource)

    def check(self, name, value):
        if not self.registry:
            return
        validator = jsonschema.Draft202012Validator(
            {"$ref": f"urn:openai#/components/schemas/{name}"}, registry=self.registry)
        for error in validator.iter_errors(value):
            best = jsonschema.exceptions.best_match([error])
            raise AssertionError(f"{name}{best.json_path}: {best.message[:300]}")
