"""What the owner of the repository publishes: names, versions, the archive, the README."""

import json
from pathlib import Path
import re
import shutil
import subprocess

import pytest

ROOT = Path(__file__).parents[1]
MANIFEST = Path("custom_components/openvox_gsm/manifest.json")
README = ROOT / "README.md"

OWNER = re.compile(
    r"github(?:usercontent)?\.com(?:/|%2F)([\w-]+)(?:/|%2F)openvox_gsm"
    r"|hacs_repository/\?owner=([\w-]+)"
)


def files() -> list[str]:
    """Return the paths of all files of the project."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    output = subprocess.run(git, cwd=ROOT, capture_output=True, check=True, text=True)
    return [path for path in output.stdout.split("\0") if (ROOT / path).is_file()]


# The owner


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run script/owner in a copy of the project."""
    return subprocess.run(
        [copy / "script/owner", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def owners(folder: Path) -> dict[str, set[str]]:
    """Return who owns the repository, by the files that say so."""
    found = {}
    for path in files():
        try:
            text = (folder / path).read_text()
        except UnicodeDecodeError:
            continue
        if names := {first or second for first, second in OWNER.findall(text)}:
            found[path] = names
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project, without its history."""
    for path in files():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def test_one_owner() -> None:
    """All files name the same one, the manifest and the README among them."""
    found = owners(ROOT)

    assert {"README.md", "SECURITY.md", str(MANIFEST)} <= found.keys()
    assert len(set().union(*found.values())) == 1


def test_script_owner(copy: Path) -> None:
    """It puts the name everywhere; once more, another one; and changes nothing else."""
    before = owners(copy)
    for name in ("octocat", "Another-1", "blob"):
        result = run(copy, name)

        assert (result.returncode, result.stderr) == (0, "")
        assert set(result.stdout.splitlines()) == before.keys()
        assert owners(copy) == {path: {name} for path in before}
        manifest = json.loads((copy / MANIFEST).read_text())
        assert manifest["codeowners"] == [f"@{name}"]
        assert manifest["documentation"] == f"https://github.com/{name}/openvox_gsm"
        assert not list(copy.rglob("*.before"))

    (old,) = owners(ROOT)["README.md"]
    for path in files():
        if path in before and path != str(MANIFEST):
            now = OWNER.sub(
                lambda found: found[0].replace("blob", old), (copy / path).read_text()
            )
            assert now == (ROOT / path).read_text(), path
        elif path not in before:
            assert (copy / path).read_bytes() == (ROOT / path).read_bytes(), path


def test_an_address_inside_an_address(copy: Path) -> None:
    """As in a button that imports a blueprint; that of another project stays."""
    button = (
        "https://my.home-assistant.io/redirect/blueprint_import/?blueprint_url="
        "https%3A%2F%2Fgithub.com%2F{}%2Fopenvox_gsm%2Fblob%2Fmain%2Fgate.yaml "
        "https://github.com/hacs/action https://raw.githubusercontent.com/{}/openvox_gsm/x"
    )
    page = copy / "page.md"
    page.write_text(button.format("old-name", "old-name"))

    assert run(copy, "octocat").returncode == 0

    assert page.read_text() == button.format("octocat", "octocat")


def test_no_placeholder_is_left(copy: Path) -> None:
    """In no form; something of ours may have a name that begins like it."""
    assert run(copy, "octocat").returncode == 0
    (old,) = owners(ROOT)["README.md"]

    left = re.compile(rf"(?:/|%2F|@|owner=){old}\b(?!-)".encode(), re.IGNORECASE)
    for path in files():
        assert not left.search((copy / path).read_bytes()), path


@pytest.mark.parametrize("name", ["", "two words", "-x", "a/b", "a#b", "a&b"])
def test_a_name_that_github_does_not_allow(copy: Path, name: str) -> None:
    """It would end up in commands and addresses."""
    before = owners(copy)
    result = run(copy, name)

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert owners(copy) == before


# Versions


def release_notes(folder: Path, tag: str) -> subprocess.CompletedProcess[str]:
    """Run script/release-notes."""
    return subprocess.run(
        [folder / "script/release-notes", tag],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )


def version() -> str:
    """Return the version in the manifest."""
    return str(json.loads((ROOT / MANIFEST).read_text())["version"])


def test_the_changelog_begins_with_the_version() -> None:
    """The one in the manifest; whether it is released or not."""
    headings = re.findall(
        r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert headings[0] in (version(), f"{version()} (unreleased)")


def test_release_notes(copy: Path) -> None:
    """The section of the version, and no other."""
    changelog = copy / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace(" (unreleased)", ""))
    first, second = changelog.read_text().split("\n## ")[1:3]

    result = release_notes(copy, f"v{version()}")

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.strip() == first.partition("\n")[2].strip()
    assert second.splitlines()[-1] not in result.stdout


def test_release_notes_of_what_does_not_agree(copy: Path) -> None:
    """A tag of another version, or a changelog that isn't ready."""
    changelog = copy / "CHANGELOG.md"
    changelog.write_text(f"# Changelog\n\n## {version()} (unreleased)\n\n- New\n")

    for tag, reason in (("v9.9.9", "manifest"), (f"v{version()}", "CHANGELOG.md")):
        result = release_notes(copy, tag)
        assert (result.returncode, result.stdout) == (1, "")
        assert reason in result.stderr


def test_the_oldest_home_assistant() -> None:
    """HACS, the README and the tests agree on it."""
    oldest = json.loads((ROOT / "hacs.json").read_text())["homeassistant"]

    requirements = (ROOT / "requirements_oldest.txt").read_text()
    assert f"\nhomeassistant=={oldest}\n" in requirements
    needed = re.search(
        r"You need Home Assistant ([\d.]+\d) or later", README.read_text()
    )
    assert needed
    assert needed[1] == oldest.removesuffix(".0")


# The archive that HACS downloads


def test_the_archive() -> None:
    """It has the integration and the demo whole, and nothing that's only for developers."""
    git = ["git", "check-attr", "--stdin", "-z", "export-ignore"]
    paths = [(path, [path, *map(str, Path(path).parents)][:-1]) for path in files()]
    asked = sorted({each for _path, parts in paths for each in parts})
    output = subprocess.run(
        git,
        cwd=ROOT,
        input="\0".join(asked),
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split("\0")
    ignored = {
        path
        for path, state in zip(output[::3], output[2::3], strict=False)
        if state == "set"
    }
    kept = {path for path, parts in paths if not ignored & set(parts)}

    tops = {path.partition("/")[0] for path in kept}
    assert {"README.md", "LICENSE", "hacs.json", "custom_components"} <= tops
    assert {"blueprints", "demo", "script", "simulator", "recording"} <= tops
    assert not {"tests", "bench", "soak", "docs", ".github"} & tops
    assert {
        path for path, _parts in paths if path.startswith("custom_components/")
    } <= (kept)
    assert sum((ROOT / path).stat().st_size for path in kept) < 3_000_000


# The README, as HACS shows it


def test_hacs_rewrites_the_pictures() -> None:
    """It knows Markdown only, and takes the first bracket of a line for the address."""
    text = README.read_text()

    assert "<img" not in text
    pictures = re.findall(r"^.*!\[.*$", text, re.MULTILINE)
    assert pictures
    for line in pictures:
        if "://" not in line:
            assert re.fullmatch(r"!\[[^()\[\]]+\]\(docs/images/\w+\.png\)", line), line


def test_hacs_does_not_rewrite_links() -> None:
    """So they're whole addresses, or they would lead into Home Assistant."""
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "picture", README.read_text())
    links = re.findall(r"\]\(([^)]+)\)", text) + re.findall(
        r"^\[.+\]: (.+)$", text, re.MULTILINE
    )
    assert links
    for link in links:
        assert link.startswith("https://"), link


def test_it_is_for_those_who_install_first() -> None:
    """They come to a running gateway before anything else."""
    headings = re.findall(r"^## (.+)$", README.read_text(), re.MULTILINE)
    assert headings[:3] == ["Install it", "Prepare the gateway", "Add the gateway"]


def test_pictures_are_small() -> None:
    """And each one is shown somewhere."""
    pages = "".join(page.read_text() for page in (ROOT / "docs").rglob("*.md"))
    for picture in (ROOT / "docs/images").iterdir():
        assert picture.stat().st_size < 150_000, picture
        if picture.suffix == ".png":
            assert picture.name in README.read_text() + pages
