"""The workflows on GitHub: they may do little, run what was looked at, and end."""

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

import pytest

from homeassistant.util.yaml import parse_yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TRIGGERS = True  # YAML reads the key "on" so

PINNED = re.compile(r"uses: [\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # \S+")
"""An action at a commit, and what people call that commit."""

each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path: Path) -> dict[Any, Any]:
    """Return a workflow."""
    workflow = parse_yaml(path.read_text())
    assert isinstance(workflow, dict)
    return workflow


def jobs(path: Path) -> Iterator[dict[str, Any]]:
    """Return the jobs of a workflow that have steps of their own."""
    for job in read(path)["jobs"].values():
        if "uses" not in job:
            yield job


def test_there_are_workflows() -> None:
    """So that the tests below look at something."""
    names = [path.stem for path in WORKFLOWS]
    assert names == ["newest", "release", "test", "validate"]


@each_workflow
def test_actions_are_pinned(path: Path) -> None:
    """A tag can be moved to other code, a commit can't; ours are of the same commit."""
    lines = [line.strip("- ") for line in path.read_text().splitlines()]
    uses = [line for line in lines if line.startswith("uses: ")]

    assert uses
    for line in uses:
        local = line.removeprefix("uses: ./")
        assert PINNED.fullmatch(line) or (ROOT / local).is_file(), line


@each_workflow
def test_permissions(path: Path) -> None:
    """They read the repository; only the release may write to it."""
    assert read(path)["permissions"] == {"contents": "read"}
    more = [job["permissions"] for job in jobs(path) if "permissions" in job]
    assert more == ([{"contents": "write"}] if path.stem == "release" else [])


@each_workflow
def test_the_token_is_not_kept(path: Path) -> None:
    """What a step runs from a package can't read it from the checkout."""
    for job in jobs(path):
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


@each_workflow
def test_a_job_ends(path: Path) -> None:
    """GitHub would let it hang for six hours."""
    for job in jobs(path):
        assert 5 <= job["timeout-minutes"] <= 60


@each_workflow
def test_a_workflow_can_be_started_by_hand(path: Path) -> None:
    """And doesn't run twice for the same branch or tag at the same time."""
    workflow = read(path)
    assert "workflow_dispatch" in workflow[TRIGGERS]
    # A workflow that another one calls would have that one's name and wait for it.
    assert workflow["concurrency"]["group"] == path.stem + "-${{ github.ref }}"


@each_workflow
def test_scripts_exist(path: Path) -> None:
    """Each that a step runs is a file that can be run."""
    for job in jobs(path):
        for step in job["steps"]:
            for name in re.findall(r"\bscript/[\w-]+", step.get("run", "")):
                assert (ROOT / name).stat().st_mode & 0o100, name


def test_what_has_to_pass_runs_on_github() -> None:
    """All that .ci/run runs; the real Asterisk in Debian, with Git for the checkout."""
    local = re.findall(
        r"^script/[^|\n]*\w", (ROOT / ".ci/run").read_text(), re.MULTILINE
    )
    by_job = {
        name: [step["run"] for step in job["steps"] if "run" in step]
        for name, job in read(ROOT / ".github/workflows/test.yml")["jobs"].items()
    }

    wanted = {line.removesuffix(" 2>&1") for line in local}
    assert len(wanted) == 6
    assert wanted <= {line for lines in by_job.values() for line in lines}
    asterisk = read(ROOT / ".github/workflows/test.yml")["jobs"]["asterisk"]
    assert asterisk["container"].startswith("debian:")
    assert re.search(r"\bgit\b", asterisk["steps"][0]["run"])
    assert asterisk["steps"][-1]["run"] == "script/asterisk"


def test_dependabot() -> None:
    """It looks after the actions and all requirements but the oldest ones."""
    updates = read(ROOT / ".github/dependabot.yml")["updates"]

    assert [each["package-ecosystem"] for each in updates] == ["github-actions", "pip"]
    assert updates[1]["exclude-paths"] == ["requirements_oldest.txt"]


def test_issue_forms_are_valid() -> None:
    """Each has a name, a description and fields with labels."""
    for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        form = read(path)
        if path.stem == "config":
            continue
        assert form["name"]
        assert form["description"]
        for field in form["body"]:
            assert field["attributes"].get("label") or field["type"] == "markdown"
