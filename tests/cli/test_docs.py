"""The reference pages name what there is."""

from __future__ import annotations

from pathlib import Path

from recado.gateway.settings import Settings

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_setting_is_in_its_page() -> None:
    page = (DOCS / "reference" / "settings.md").read_text()
    for name, field in Settings.model_fields.items():
        aliases = getattr(field.validation_alias, "choices", None) or [f"RECADO_{name.upper()}"]
        assert any(f"`{alias}`" in page for alias in aliases), name


def test_every_command_and_option_is_in_its_page() -> None:
    import typer.main

    from recado.cli.main import app

    page = (DOCS / "reference" / "cli.md").read_text()
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        assert f"`recado {name}`" in page
        for option in command.params:
            assert f"`{option.opts[0]}`" in page
