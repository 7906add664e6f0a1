"""How many SMS may be sent: the limits of gateways and of their SIMs.

`budget.py` counts what counts for one of them, `sims.py` knows which SIM is in which
span. `quota.py` asks both before a message is sent, and `sensors.py` shows what's left.
"""
