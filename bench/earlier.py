"""Runs a module of this package on the code as it is now, and on version 0.1.0.

The simulated gateway is the same for both; only the integration differs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
import json
from pathlib import Path
import subprocess
import sys
import tarfile
from tempfile import TemporaryDirectory
from typing import Any

from .child import PROJECT

_COMMIT = "844078def0ad2a5cb92d0a4ef52d4f01eead6770"  # version 0.1.0

type Figures = dict[str, Any]


@contextmanager
def earlier_version() -> Iterator[Path]:
    """Make a folder with version 0.1.0, where the modules of this package find it."""
    archive = subprocess.run(
        ["git", "archive", _COMMIT, "custom_components"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    with TemporaryDirectory() as name:
        folder = Path(name)
        with tarfile.open(fileobj=BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        (folder / "bench").symlink_to(PROJECT / "bench")
        yield folder


def measure_both(
    earlier: Path, module: str, *arguments: str
) -> tuple[Figures, Figures]:
    """Return what a module prints, as JSON, on the code now and on version 0.1.0."""
    now, before = (
        json.loads(
            subprocess.run(
                [sys.executable, "-m", f"bench.{module}", *arguments],
                cwd=folder,
                stdout=subprocess.PIPE,
                check=True,
            ).stdout
        )
        for folder in (PROJECT, earlier)
    )
    return now, before
