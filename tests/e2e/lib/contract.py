"""Holds answers against an OpenAPI document: the part of JSON Schema that proto/openapi.yaml uses."""
import json
import re

import yaml

METHODS = {"get", "put", "post", "delete", "patch"}
TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
    "integer": int, "number": (int, float),
}


class Contract:
    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            self.doc = yaml.safe_load(f)
        self.seen = set()  # (operationId, status)

    def resolve(self, node):
        while "$ref" in node:
            target = self.doc
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def operation(self, method, template):
        item = self.doc["paths"].get(template)
        assert item, f"{template} is not in openapi.yaml"
        assert method.lower() in item, f"{method} {template} is not in openapi.yaml"
        return item[method.lower()]

    def operations(self):
        for template, item in self.doc["paths"].items():
            for method in METHODS & item.keys():
                yield method.upper(), template, item[method]

    def is_admin(self, operation):
        return operation.get("security", self.doc["security"]) != []

    def check_query(self, method, template, names):
        item = self.doc["paths"][template]
        known = item.get("parameters", []) + self.operation(method, template).get("parameters", [])
        known = {p["name"] for p in map(self.resolve, known) if p["in"] == "query"}
        assert set(names) <= known, f"{method} {template}: {set(names) - known} is not documented"

    def check_request(self, method, template, media, body):
        content = self.operation(method, template)["requestBody"]["content"]
        assert media in content, f"{method} {template}: {media} is not documented"
        self.validate(body, content[media]["schema"], "request")

    def check_response(self, method, template, status, headers, body):
        operation = self.operation(method, template)
        where = f"{method} {template} {status}"
        assert str(status) in operation["responses"], f"{where}: status is not documented"
        response = self.resolve(operation["responses"][str(status)])
        for name in response.get("headers", {}):
            if not (name == "Location" and status != 201):
                assert headers.get(name), f"{where}: header {name} is missing"
        self.seen.add((operation["operationId"], status))
        if "content" not in response:
            assert not body, f"{where}: a body that is not documented: {body!r}"
            return None
        media = headers.get("Content-Type", "").split(";")[0]
        assert media in response["content"], f"{where}: {media!r} is not documented"
        if not media.endswith("json"):
            return body.decode()
        value = json.loads(body)
        self.validate(value, response["content"][media]["schema"], where)
        if media == "application/problem+json":
            assert value["status"] == status, where
        return value

    def validate(self, value, schema, where):
        schema = self.resolve(schema)
        if "type" in schema:
            types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            ok = any(isinstance(value, TYPES[t]) and
                     not (isinstance(value, bool) and t in ("integer", "number")) for t in types)
            assert ok, f"{where}: {value!r} is not {types}"
        if "enum" in schema:
            assert value in schema["enum"], f"{where}: {value!r} is not in {schema['enum']}"
        if isinstance(value, str):
            assert len(value) >= schema.get("minLength", 0), f"{where}: too short"
            assert len(value) <= schema.get("maxLength", len(value)), f"{where}: too long"
            if "pattern" in schema:
                assert re.search(schema["pattern"], value), f"{where}: {value!r}"
            if schema.get("format") == "date-time":
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value), value
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            assert value >= schema.get("minimum", value), f"{where}: {value} is too small"
            assert value <= schema.get("maximum", value), f"{where}: {value} is too large"
        elif isinstance(value, list):
            assert len(value) <= schema.get("maxItems", len(value)), f"{where}: too many"
            for i, item in enumerate(value):
                self.validate(item, schema.get("items", {}), f"{where}[{i}]")
        elif isinstance(value, dict):
            self.validate_object(value, schema, where)

    def validate_object(self, value, schema, where):
        properties = schema.get("properties", {})
        for name in schema.get("required", []):
            assert name in value, f"{where}: {name} is missing"
        for name, member in value.items():
            if name in properties:
                self.validate(member, properties[name], f"{where}.{name}")
                continue
            more = schema.get("additionalProperties", True)
            assert more is not False, f"{where}: {name} is not documented"
            if isinstance(more, dict):
                self.validate(member, more, f"{where}.{name}")
