"""`.env.example` against the settings that exist."""

import re
from pathlib import Path

import pytest

from ghstars_assets.settings import PROJECT_ROOT, Settings

EXAMPLE = (PROJECT_ROOT / ".env.example").read_text()
OFFERED = dict(re.findall(r"^#([A-Z0-9_]+)=(.*)$", EXAMPLE, flags=re.MULTILINE))


def _variables() -> set[str]:
    fields = Settings.model_fields.items()
    return {str(field.validation_alias or f"GHSTARS_{name}").upper() for name, field in fields}


def _variables_of_dagster_yaml() -> set[str]:
    named = re.findall(r"\{env: (\w+)\}", (PROJECT_ROOT / "dagster.yaml").read_text())
    return set(named) - {"DAGSTER_HOME"}


def test_every_setting_is_offered_and_every_offer_is_a_setting() -> None:
    assert set(OFFERED) == _variables() | _variables_of_dagster_yaml()


def test_an_example_with_every_line_uncommented_says_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in _variables():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    defaults = Settings().model_dump()
    filled = [f"{name}={value}\n" for name, value in OFFERED.items() if value]
    (tmp_path / ".env").write_text("".join(filled))
    assert Settings().model_dump() == defaults
