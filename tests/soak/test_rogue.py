"""The rogue of the soak: it notices when it gets the password."""

from contextlib import suppress
import random

import pytest

from custom_components.openvox_gsm.ami import AmiError, Credentials, Session
from simulator import Simulator
from soak import rogue as rogue_module
from soak.gateway import SECRET
from soak.rogue import running_rogue


@pytest.mark.parametrize("is_careless", [True, False])
async def test_who_gives_the_password_away(
    monkeypatch: pytest.MonkeyPatch, is_careless: bool
) -> None:
    """Whoever logs in without a challenge does, and nobody else."""
    monkeypatch.setattr(rogue_module, "HOST", "127.0.0.1")
    async with Simulator() as gateway:
        port = gateway.port  # which is free from now on
    credentials = Credentials("admin", SECRET, may_be_plain=is_careless)
    got_it = []
    for seed in range(5):
        dice = random.Random(seed)
        async with running_rogue(port, dice, encrypts=False) as rogue:
            with suppress(AmiError):
                await Session.connect("127.0.0.1", port, credentials, timeout=5)
        assert rogue.connections == 1
        got_it.append(rogue.has_password)
    assert any(got_it) is is_careless
