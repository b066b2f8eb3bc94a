from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import campaign_model, perimeter_settings, reference, settings, stack_schema

ROOT = Path(__file__).resolve().parents[2]
REGENERATE = "run: python -m infra.reference"


class TestGeneratedFiles:
    """What is generated from the models is as the models are."""

    def test_the_campaign_schema_is_fresh(self) -> None:
        assert (ROOT / reference.SCHEMA).read_text() == reference.schema(), REGENERATE

    def test_the_schema_of_stacks_is_fresh(self) -> None:
        assert (ROOT / reference.STACK_SCHEMA).read_text() == stack_schema.schema(), REGENERATE

    def test_the_settings_reference_is_fresh(self) -> None:
        text = (ROOT / reference.PAGE).read_text()
        assert reference.page(text) == text, REGENERATE

    def test_every_key_is_in_the_reference(self) -> None:
        text = (ROOT / reference.PAGE).read_text()
        for model in (
            settings.Settings,
            perimeter_settings.OwnedPerimeter,
            perimeter_settings.JoinedPerimeter,
            campaign_model.Campaign,
        ):
            for name, field in model.model_fields.items():
                assert f"{field.alias or name}`" in text

    def test_a_page_without_a_place_for_it_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no place for the reference"):
            reference.page("# A page\n")

    def test_writing_leaves_the_rest_of_the_page_alone(self, tmp_path: Path) -> None:
        for folder in ("docs", "campaigns", "infra"):
            (tmp_path / folder).mkdir()
        page = tmp_path / reference.PAGE
        page.write_text(f"# Before\n{reference.BEGIN}\nstale text\n{reference.END}\nAfter\n")
        reference.write(tmp_path)
        text = page.read_text()
        assert text.startswith("# Before\n")
        assert text.endswith("\nAfter\n")
        assert "stale text" not in text
        assert (tmp_path / reference.SCHEMA).read_text() == reference.schema()
        assert (tmp_path / reference.STACK_SCHEMA).read_text() == stack_schema.schema()


class TestTheSchema:
    """An editor refuses what the program refuses."""

    def schema(self) -> dict[str, Any]:
        loaded = json.loads(reference.schema())
        assert isinstance(loaded, dict)
        return loaded

    def test_every_label_is_mandatory_and_no_other_is_allowed(self) -> None:
        labels = self.schema()["$defs"]["Labels"]
        assert set(labels["required"]) == {"campaign", "owner", "cost-center", "env", "data-class", "ends-on"}
        assert labels["additionalProperties"] is False

    def test_unknown_keys_are_refused_on_every_level(self) -> None:
        schema = self.schema()
        objects = [part for part in (schema, *schema["$defs"].values()) if part.get("type") == "object"]
        assert len(objects) > 4
        assert all(part["additionalProperties"] is False for part in objects)

    def test_every_key_is_described(self) -> None:
        schema = self.schema()
        for part in (schema, *schema["$defs"].values()):
            for name, field in part.get("properties", {}).items():
                assert field.get("description"), f"{name} has no description"

    def test_it_knows_the_models_that_are_served(self) -> None:
        models = self.schema()["$defs"]["Function"]["properties"]["model"]["enum"]
        assert "gemini-3-pro-image" in models

    def test_the_example_campaign_names_it(self) -> None:
        first = (ROOT / "campaigns" / "spring-launch.yaml").read_text().splitlines()[0]
        assert first == f"# yaml-language-server: $schema={reference.SCHEMA.name}"
        assert yaml.safe_load((ROOT / "campaigns" / "spring-launch.yaml").read_text())["labels"]
