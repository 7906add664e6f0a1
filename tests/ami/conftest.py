"""The tests of the manager client talk over real sockets on this machine."""

import pytest


@pytest.fixture(autouse=True)
def allow_sockets(socket_enabled: None) -> None:
    """Lift the ban on sockets that stands in tests of Home Assistant."""
