"""JSON Schemas of statements, from the models; docs/schemas/ holds them. docs/statements.md says more, and stands."""

from __future__ import annotations

from functools import lru_cache

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from ledger.core.encoding import Json
from ledger.statements.parse import NEWEST_RULES, STATEMENTS

DIALECT = GenerateJsonSchema.schema_dialect


class _Generator(GenerateJsonSchema):
    """An optional field is left out, never null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        return inner if schema.get("default") is None else inner | {"default": schema["default"]}


@lru_cache(maxsize=4)
def schemas(place: str = "#/$defs/{{model}}", rules: int = NEWEST_RULES) -> dict[str, Json]:
    """Return the JSON Schema of every type; `place`, with `kind`, is where references to shared parts lead."""
    return {
        kind: _required(model.model_json_schema(ref_template=place.format(kind=kind), schema_generator=_Generator))
        for kind, model in STATEMENTS[rules].items()
    }


def schema_of(kind: str) -> dict[str, Json] | None:
    """Return the schema of one type as a document of its own, or None."""
    if kind not in STATEMENTS[NEWEST_RULES]:
        return None
    found: dict[str, Json] = schemas()[kind]
    return {"$schema": DIALECT, "$id": f"urn:provenance-ledger:schema:{NEWEST_RULES}:{kind}"} | found


def _required(schema: dict[str, Json]) -> dict[str, Json]:
    """Ask for `type`, which the models set themselves where code makes them."""
    return schema | {"required": ["type", *schema["required"]]}
