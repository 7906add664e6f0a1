"""The scripts that a developer runs: they say how, before they do anything."""

from pathlib import Path
import subprocess

import pytest

ROOT = Path(__file__).parents[1]


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script from another folder; what begins its work takes too long here."""
    return subprocess.run(
        [ROOT / "script" / name, *arguments],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("asterisk", "script/asterisk -k quoting"),
        ("bench", "script/bench stream delay"),
        ("browser", "script/browser --pictures"),
        ("demo", "script/demo --check"),
        ("demo", "--newest"),
        ("fuzz", "script/fuzz 3600"),
        ("lint", "mypy"),
        ("owner", "script/owner octocat"),
        ("record", "script/record 192.0.2.10 --user admin"),
        ("release-notes", "script/release-notes v0.2.0"),
        ("replay", "script/replay FILE"),
        ("setup", "script/setup --oldest"),
        ("soak", "script/soak 60 --dialect 14"),
        ("test", "script/test tests/gateway"),
    ],
)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(name: str, says: str, option: str) -> None:
    """What it does, and with which arguments; no line of the script itself."""
    result = run(name, option)

    assert (result.returncode, result.stderr) == (0, "")
    assert says in result.stdout
    assert not any(sign in result.stdout for sign in ("#", "set -e", "#!"))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("bench", ["steam"]),
        ("bench", ["stream", "box"]),
        ("bench", ["round_trip delay"]),
        ("bench", [""]),
        ("demo", ["--chekc"]),
        ("demo", ["--check", "--check"]),
        ("demo", ["--check", "--newest"]),
        ("fuzz", ["--long"]),
        ("fuzz", ["0"]),
        ("fuzz", ["10", "20"]),
        ("lint", ["tests"]),
        ("owner", []),
        ("owner", ["two", "names"]),
        ("record", []),
        ("record", ["--port"]),
        ("release-notes", []),
        ("replay", []),
        ("replay", ["one", "two"]),
        ("setup", ["--latest"]),
    ],
)
def test_what_it_does_not_know(name: str, arguments: list[str]) -> None:
    """It says so in a line, and does nothing."""
    result = run(name, *arguments)

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"script/{name}: ")
    assert result.stderr.count("\n") == 1


def test_bench_names_modules() -> None:
    """Each name that it takes is a module that measures something."""
    said = run("bench", "nothing").stderr
    names = said.partition("there are ")[2].rstrip(".\n").split()

    assert names
    for name in names:
        assert "\ndef run()" in (ROOT / "bench" / f"{name}.py").read_text("utf-8")
        assert name in run("bench", "--help").stdout
