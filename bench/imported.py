"""Imports modules and prints how long it took; a process of its own each time.

Its input is JSON: `before` is imported first and not counted, then `modules`. Prints
the seconds of the processor, and all modules that are loaded then, in the order in
which that began.
"""

from contextlib import suppress
from importlib import import_module
import json
import sys
from time import process_time

if __name__ == "__main__":
    request = json.load(sys.stdin)
    for module in request["before"]:
        # Some are loaded under a name by which nobody can import them.
        with suppress(Exception):
            import_module(module)
    begun = process_time()
    for module in request["modules"]:
        import_module(module)
    seconds = process_time() - begun
    json.dump({"seconds": seconds, "loaded": list(sys.modules)}, sys.stdout)
