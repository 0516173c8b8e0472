"""The workflow that publishes: it verifies first, and asks for no more rights than it needs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def jobs() -> dict[str, Any]:
    """The jobs of the workflow."""
    text = (ROOT / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    assert content["permissions"] == {"contents": "read"}
    return dict(content["jobs"])


def test_what_is_uploaded_was_built_verified_and_checked_before(jobs: dict[str, Any]) -> None:
    steps = jobs["build"]["steps"]
    commands = [step.get("run", step.get("uses", "")) for step in steps]
    upload = next(n for n, said in enumerate(commands) if said.startswith("actions/upload-pages"))
    made = [said for said in commands[:upload] if said.startswith("make ")]
    assert made == ["make report", "make verify"]
    assert commands[upload - 1] == "make verify"
    assert steps[upload]["with"]["path"] == "reports/site"
    assert not any("continue-on-error" in step or "if" in step for step in steps)


def test_nothing_is_deployed_unless_the_build_succeeded(jobs: dict[str, Any]) -> None:
    assert jobs["deploy"]["needs"] == "build"
    assert jobs["deploy"]["permissions"] == {"pages": "write", "id-token": "write"}
    assert "permissions" not in jobs["build"]


def test_each_make_command_of_the_workflow_is_in_the_makefile(jobs: dict[str, Any]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    runs = "\n".join(step.get("run", "") for step in jobs["build"]["steps"])
    for command in re.findall(r"^make (\w+)", runs, re.M):
        assert re.search(rf"^{command}:", makefile, re.M), command


def test_every_action_is_pinned_by_digest(jobs: dict[str, Any]) -> None:
    used = [step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step]
    assert used and all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name) for name in used), used
