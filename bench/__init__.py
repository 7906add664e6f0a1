"""What the integration costs, each figure beside a peer's of the same run.

`script/bench` runs it. What sends the load is a process of its own, so that its work
does not count.
"""
