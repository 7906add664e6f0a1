"""A long run of the integration against a gateway that misbehaves; see `script/soak`.

Home Assistant's core is real, the gateway is the simulator in a process of its own.
What both ends counted is compared when it is over.
"""
