"""api_schema - OpenAI's and Ollama's own descriptions of their APIs, to hold replies against."""

import json
import pathlib

import jsonschema
import referencing
import referencing.jsonschema

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "shared/data/api"
DATA = FOLDER / "openai_openapi.json"


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


def _closed(schema):
    """Objects take what is described, and nothing beside."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
        made["additionalProperties"] = False
    return made


class Ollama:
    """Ollama's; a field that they do not have is an error, but for those named here, which its
    other documents have."""

    MORE = {"ModelSummary.details": ("parent_model",)}

    def __init__(self):
        path = FOLDER / "ollama_openapi.yaml"
        self.root = None
        if not path.exists():
            print(f"skipped: replies against their schemas, {path} is missing")
            return
        import yaml
        self.root = _closed(yaml.safe_load(path.read_text()))
        for place, names in self.MORE.items():
            schema, field = place.split(".")
            inner = self.root["components"]["schemas"][schema]["properties"][field]
            inner["properties"].update({name: {"type": "string"} for name in names})

    def check(self, name, value):
        if self.root:
            jsonschema.Draft202012Validator(
                {"$ref": f"#/components/schemas/{name}"} | self.root).validate(value)
