"""Encryption: whose certificate is taken, and what is sent before that is known."""

import asyncio
from asyncio.sslproto import SSLProtocol
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import gc
import ssl

import pytest

from custom_components.openvox_gsm.ami import (
    AmiError,
    CannotConnectError,
    CertificateError,
    Credentials,
    Packet,
    Session,
    Tls,
    TlsError,
    read_fingerprint,
    unverified_context,
)
from simulator import Simulator

from tests.certificates import Certificate, certificate
from tests.common import named, until

CREDENTIALS = Credentials("admin", "admin")
LOCAL = "127.0.0.1"


@pytest.fixture
def shown() -> Certificate:
    """The certificate that the gateway shows."""
    return certificate()


@pytest.fixture
async def gateway(shown: Certificate) -> AsyncIterator[Simulator]:
    """A gateway with TLS."""
    async with Simulator(tls=shown.server) as simulator:
        yield simulator


async def connect(gateway: Simulator, tls: Tls | None) -> Session:
    """Log in at the gateway."""
    return await Session.connect(
        gateway.host, gateway.port, CREDENTIALS, tls=tls, timeout=5
    )


@asynccontextmanager
async def listener(
    context: ssl.SSLContext | None, *says: bytes
) -> AsyncIterator[tuple[int, bytearray]]:
    """Serve who comes, say something at once, and keep all that is received."""
    received = bytearray()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        for each in says:
            writer.write(each)
        try:
            while data := await reader.read(1000):
                received.extend(data)
        except OSError:
            pass
        received.extend(b"<end>")

    server = await asyncio.start_server(serve, LOCAL, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], received
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()


async def test_a_trusted_certificate(gateway: Simulator, shown: Certificate) -> None:
    """It needs no fingerprint; commands and their answers pass as without TLS."""
    session = await connect(gateway, Tls(shown.trusting()))

    assert "GSM span 4" in await session.command("gsm show spans")
    await session.close()
    await until(lambda: gateway.connections == 0)


async def test_a_large_answer(gateway: Simulator, shown: Certificate) -> None:
    """It comes in several records, which cut it anywhere."""
    session = await connect(gateway, Tls(unverified_context(), shown.fingerprint))

    for number in range(5, 33):
        gateway.add_span(number)
    assert "GSM span 32" in await session.command("gsm show spans")
    await session.close()


async def test_an_accepted_certificate(gateway: Simulator, shown: Certificate) -> None:
    """Its fingerprint is enough."""
    session = await connect(gateway, Tls(unverified_context(), shown.fingerprint))

    assert session.version == "1.1"
    await session.close()


async def test_an_untrusted_certificate(gateway: Simulator) -> None:
    """It is refused."""
    with pytest.raises(CertificateError, match="not trusted: self-signed"):
        await connect(gateway, Tls(ssl.create_default_context()))

    assert gateway.actions == []


async def test_a_certificate_for_another_address(shown: Certificate) -> None:
    """It is refused, even if its issuer is trusted."""
    other = certificate("127.0.0.9")
    async with Simulator(tls=other.server) as gateway:
        with pytest.raises(CertificateError, match="IP address mismatch"):
            await connect(gateway, Tls(other.trusting()))


async def test_another_certificate_than_the_accepted_one() -> None:
    """Nothing is sent to who shows it, and nothing that comes from there counts."""
    shown = certificate("127.0.0.3")
    # Up to this version the server may speak as soon as the handshake is over.
    shown.server.maximum_version = ssl.TLSVersion.TLSv1_2
    events: list[Packet] = []
    forged = b"Event: Newexten\r\nContext: gsm-1\r\n\r\n"
    async with listener(
        shown.server, b"Asterisk Call Manager/1.1\r\n" + forged, forged
    ) as (port, received):
        with pytest.raises(CertificateError, match="another certificate"):
            await Session.connect(
                LOCAL,
                port,
                CREDENTIALS,
                tls=Tls(unverified_context(), certificate("127.0.0.2").fingerprint),
                subscribe=lambda session: session.subscribe(
                    named("Newexten"), events.append
                ),
                timeout=5,
            )
        await until(lambda: received.endswith(b"<end>"))

    assert received == b"<end>"
    assert events == []


async def test_an_old_gateway() -> None:
    """It speaks TLS 1.0 only and has a short key: fine where its certificate is known."""
    old = certificate(old=True)
    async with Simulator(tls=old.server) as gateway:
        assert old.fingerprint == await read_fingerprint(
            gateway.host, gateway.port, unverified_context()
        )
        session = await connect(gateway, Tls(unverified_context(), old.fingerprint))
        await session.close()

        with pytest.raises(TlsError) as caught:
            await connect(gateway, Tls(old.trusting()))
        assert not isinstance(caught.value, CertificateError)


async def test_the_fingerprint_is_read(gateway: Simulator, shown: Certificate) -> None:
    """Nobody logs in for that, and no connection is left."""
    fingerprint = await read_fingerprint(
        gateway.host, gateway.port, unverified_context()
    )

    assert fingerprint == shown.fingerprint
    await until(lambda: gateway.connections == 0)
    assert gateway.actions == []


async def test_no_tls_there() -> None:
    """The gateway answers in plain text."""
    async with Simulator() as gateway:
        with pytest.raises(TlsError):
            await connect(gateway, Tls(unverified_context(), "00"))
        with pytest.raises(TlsError):
            await read_fingerprint(gateway.host, gateway.port, unverified_context())
        assert gateway.actions == []


async def test_nothing_there() -> None:
    """That is no question of encryption."""
    async with Simulator() as gateway:
        pass
    with pytest.raises(CannotConnectError, match="No connection to"):
        await read_fingerprint(gateway.host, gateway.port, unverified_context())


async def test_a_handshake_that_does_not_end() -> None:
    """It is given up in time."""
    async with listener(None) as (port, _):
        with pytest.raises(CannotConnectError, match=r"within 0\.05 seconds"):
            await Session.connect(
                LOCAL,
                port,
                CREDENTIALS,
                tls=Tls(unverified_context(), "00"),
                timeout=0.05,
            )
        with pytest.raises(CannotConnectError, match=r"within 0\.05 seconds"):
            await read_fingerprint(LOCAL, port, unverified_context(), timeout=0.05)


async def test_the_connection_is_lost(gateway: Simulator, shown: Certificate) -> None:
    """As without TLS."""
    session = await connect(gateway, Tls(unverified_context(), shown.fingerprint))

    gateway.drop_connections(abort=True)

    assert isinstance(await session.lost, AmiError)


async def test_a_gateway_that_hangs_up_in_the_handshake() -> None:
    """As some do that find no version in common."""

    def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with await asyncio.start_server(hang_up, LOCAL) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TlsError, match="hung up"):
            await read_fingerprint(LOCAL, port, unverified_context())


# What an error keeps


def encryptions() -> int:
    """Return how many connections are held with their encryption, open or not."""
    gc.collect()
    return sum(type(each) is SSLProtocol for each in gc.get_objects())


@pytest.mark.parametrize(
    "how", ["no greeting", "refused", "silent", "lost", "no handshake", "hangs up"]
)
async def test_an_error_that_is_kept(
    gateway: Simulator, shown: Certificate, how: str
) -> None:
    """It doesn't keep the connection, which needs 256 KiB for its encryption."""
    before = encryptions()
    gateway.login_penalty = 0
    tls = Tls(unverified_context(), shown.fingerprint)
    secret = "wrong" if how == "refused" else "admin"
    if how == "no greeting":
        gateway.faults.greeting = None

    async def fail(port: int) -> None:
        """Connect, and do something that fails in the way that is asked for."""
        session = await Session.connect(
            LOCAL, port, Credentials("admin", secret), tls=tls, timeout=0.3
        )
        gateway.faults.freeze()
        action = asyncio.create_task(session.action("Ping", timeout=0.3))
        if how == "lost":
            await asyncio.sleep(0)  # until it's sent
            gateway.faults.drop_sessions()
        try:
            await action
        finally:
            session.abort()

    async def stranger(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Hang up during the handshake, or let it wait."""
        await reader.read(1)
        if how == "hangs up":
            writer.transport.abort()
        await reader.read()

    server = await asyncio.start_server(stranger, LOCAL, 0)
    is_strange = how in ("no handshake", "hangs up")
    with pytest.raises(AmiError) as error:
        await fail(server.sockets[0].getsockname()[1] if is_strange else gateway.port)
    server.close()
    server.close_clients()
    gateway.faults.thaw()
    await until(lambda: encryptions() == before)
    assert error.value
