"""Records what a gateway says, and plays it again: script/record and script/replay.

Neither needs Home Assistant. The packages `ami` and `gateway` of the integration don't
either, but the integration itself, which contains them, imports it.
"""

from pathlib import Path
import sys
from types import ModuleType

_ROOT = Path(__file__).parents[1]


def _import_without_home_assistant() -> None:
    """Let the packages inside the integration be imported without the integration."""
    for name in ("custom_components", "custom_components.openvox_gsm"):
        if name not in sys.modules:
            module = ModuleType(name)
            module.__path__ = [str(_ROOT.joinpath(*name.split(".")))]
            sys.modules[name] = module


if "homeassistant" not in sys.modules:
    _import_without_home_assistant()
