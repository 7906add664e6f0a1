"""How long it takes to import the integration, and to set up an entry.

Only what is a package's own counts: its modules and, for heos, the library that it
brings. All else that either of the two needs is imported before, since it depends on
the other integrations of a Home Assistant whether it is there already. All is compiled.
"""

from importlib.util import find_spec
import json
import os
from pathlib import Path
from statistics import median
import subprocess
import sys
import tempfile
from typing import Any

from . import set_up
from .child import PROJECT
from .table import Row, millis, ratios, spread

_OURS = "custom_components.openvox_gsm"
_PEER = "homeassistant.components.heos"
_OWN = (_OURS, _PEER, "pyheos")
_ROUNDS = 9
# What is compiled is kept, whatever this machine does otherwise.
_ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name != "PYTHONDONTWRITEBYTECODE"
}


def _modules(package: str) -> list[str]:
    """Name all modules of a package that Home Assistant may import."""
    spec = find_spec(package)
    assert spec
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0])
    names = (
        file.relative_to(folder).with_suffix("").parts for file in folder.rglob("*.py")
    )
    return sorted(
        ".".join((package, *(part for part in name if part != "__init__")))
        for name in names
    )


def _import(cache: str, before: list[str], modules: list[str]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(
        subprocess.run(
            [sys.executable, "-m", "bench.imported"],
            cwd=PROJECT,
            env=_ENVIRONMENT | {"PYTHONPYCACHEPREFIX": cache},
            input=json.dumps({"before": before, "modules": modules}).encode(),
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
    )
    return answer


def _imports(cache: str) -> Row:
    ours, peer = _modules(_OURS), _modules(_PEER)
    # First, since it puts its own library in the place of another.
    before = ["homeassistant"]
    before += [
        module
        for module in _import(cache, ["homeassistant"], [*ours, *peer])["loaded"]
        if not module.startswith((*_OWN, "bench", "__"))
    ]
    rounds = [
        [_import(cache, before, modules)["seconds"] for modules in (ours, peer)]
        for _ in range(_ROUNDS)
    ]
    our_times, peer_times = (list(times) for times in zip(*rounds, strict=True))
    factors = ratios(our_times, peer_times)
    return Row(
        "import of all of the integration's own modules",
        millis(median(our_times)),
        f"heos and its library: {millis(median(peer_times))}",
        spread(factors),
        "not slower",
        median(factors) <= 1,
    )


def run() -> list[Row]:
    """Measure the import, and the set-up beside it."""
    with tempfile.TemporaryDirectory() as cache:
        imports = _imports(cache)
    return [imports, *set_up.run()]
