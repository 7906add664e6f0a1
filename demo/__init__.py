"""A real Home Assistant with a simulated gateway, to try the integration by hand.

Run it by ``script/demo``. What belongs to Home Assistant are the YAML files here: they
are copied into a configuration folder of the demo's own under ``.demo/``.
"""
