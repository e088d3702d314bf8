"""batch_lines - requests of a batch, and OpenAI's description of its replies."""

import json
import os
import pathlib

NUMBER = {"type": "object", "properties": {"n": {"enum": [9, "nine"]}}, "required": ["n"],
          "additionalProperties": False}


def request(i):
    body = {"model": "demo", "max_tokens": 4 + i,
            "messages": [{"role": "system", "content": "You are brief."},
                         {"role": "user", "content": f"Say a word about the number {i}."}]}
    if i % 3 == 0:
        body["temperature"] = 0
    if i % 5 == 0:
        body["n"] = 2
    if i in (2, 5):
        body |= {"logprobs": True, "top_logprobs": i, "presence_penalty": 0.5, "min_p": 0.02,
                 "frequency_penalty": 0.25, "repetition_penalty": 1.1, "seed": 4,
                 "logit_bias": {"11": -4, "13": 1.5}, "priority": 3, "typical_p": 0.8}
    if i == 9:
        body["max_tokens"] = 60
        body["response_format"] = {"type": "json_schema", "json_schema": {
            "name": "number", "strict": True, "schema": NUMBER}}
    if i == 10:
        body["response_format"] = {"type": "json_schema", "json_schema": {
            "name": "number", "schema": {"properties": {"a": {"uniqueItems": True}}}}}
    if i == 11:
        body["max_tokens"] = 60
        body["chunk"] = "It is valid  for\nthree years."
        body["response_format"] = {"type": "json_schema", "json_schema": {
            "name": "citation", "schema": {"x-copied-from": "chunk", "type": "string",
                                           "minLength": 1}}}
    if i == 7:
        body["n"] = 1000  # refused, as a result of its own
    return {"custom_id": f"request-{i}", "method": "POST", "url": "/v1/chat/completions",
            "body": body}


def check_shape(value, schema, schemas, path="reply"):
    """Holds a reply against what OpenAI's description says of it."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        wrong = []
        for way in schema["anyOf"]:
            try:
                return check_shape(value, way, schemas, path)
            except AssertionError as error:
                wrong.append(str(error))
        raise AssertionError(f"{path}: {wrong}")
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
             "number": (int, float), "null": type(None)}
    kind = schema.get("type")
    if value is None and schema.get("nullable"):
        return None
    assert kind is None or isinstance(value, kinds[kind]), f"{path}: {value!r} is no {kind}"
    assert value in schema.get("enum", [value]), f"{path}: {value!r} is not in the list"
    if isinstance(value, dict):
        for key in schema.get("required", []):
            assert key in value, f"{path}.{key} is missing"
        for key, inner in schema.get("properties", {}).items():
            if key in value:
                check_shape(value[key], inner, schemas, f"{path}.{key}")
    for i, item in enumerate(value if isinstance(value, list) else []):
        check_shape(item, schema.get("items", {}), schemas, f"{path}[{i}]")
    return None


def openai_schemas():
    """By name; none where the description is missing."""
    data = os.environ.get("COHORT_TEST_DATA") or "../shared/data"
    described = pathlib.Path(data, "api/openai_openapi.json")
    if not described.exists():
        print(f"skipped: replies against their schemas, {described} is missing")
        return {}
    return json.loads(described.read_text())["components"]["schemas"]
