"""How long it takes to import the integration, and to set up an entry.

Only what is a package's own counts: its modules, with or without the library that it
brings. All else that either of the two needs is imported before, since it depends on
the other integrations of a Home Assistant whether it is there already. All is compiled.
Home Assistant imports integrations in a thread, so the loop isn't held meanwhile.
"""

from importlib.util import find_spec
import json
import os
from pathlib import Path
from statistics import median
import subprocess
import sys
import tempfile
from time import process_time
from typing import Any

from custom_components.openvox_gsm.phone_numbers import preload

from . import set_up
from .child import PROJECT
from .table import Row, millis, ratios, spread

_OURS = "custom_components.openvox_gsm"
_PEER = "homeassistant.components.heos"
_OWN = (_OURS, _PEER, "pyheos")
_LIBRARY = "phonenumbers"
_ROUNDS = 9
_WANTED = 1.5
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


def _imports(cache: str) -> list[Row]:
    ours, peer = _modules(_OURS), _modules(_PEER)
    # First, since it puts its own library in the place of another.
    before = ["homeassistant"]
    before += [
        module
        for module in _import(cache, ["homeassistant"], [*ours, *peer])["loaded"]
        if not module.startswith((*_OWN, "bench", "__"))
    ]
    without_library = [name for name in before if name.partition(".")[0] != _LIBRARY]
    rounds = [
        [
            _import(cache, first, modules)["seconds"]
            for first, modules in (
                (before, ours),
                (without_library, ours),
                (before, peer),
            )
        ]
        for _ in range(_ROUNDS)
    ]
    own, with_library, peers = (list(times) for times in zip(*rounds, strict=True))
    factors = ratios(own, peers)
    beside = f"heos and its library: {millis(median(peers))}"
    return [
        Row(
            "import of all of the integration's own modules, processor",
            millis(median(own)),
            beside,
            spread(factors),
            f"at most {_WANTED:g} ×",
            median(factors) <= _WANTED,
        ),
        Row(
            "the same with its library, phonenumberslite",
            millis(median(with_library)),
            beside,
            spread(ratios(with_library, peers)),
        ),
    ]


def _preload() -> Row:
    begun = process_time()
    preload(["DE"])
    return Row(
        "the data of phonenumberslite, loaded in a thread, processor",
        millis(process_time() - begun),
    )


def run() -> list[Row]:
    """Measure the import, and the set-up beside it."""
    with tempfile.TemporaryDirectory() as cache:
        imports = _imports(cache)
    return [*imports, _preload(), *set_up.run()]
