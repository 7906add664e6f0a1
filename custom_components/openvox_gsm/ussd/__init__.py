"""USSD queries: codes that are sent at an interval, and their entities.

`query.py` sends them and keeps the network's answer, `values.py` reads numbers and dates
in it, and `entity.py` shows them.
"""
