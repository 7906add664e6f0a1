"""What people type where a gateway's host is asked for."""

import pytest

from custom_components.openvox_gsm.connecting.address import read_address


@pytest.mark.parametrize(
    ("typed", "host", "port"),
    [
        ("192.168.1.5", "192.168.1.5", None),
        (" GW.local ", "gw.local", None),
        ("192.168.1.5:5039", "192.168.1.5", 5039),
        ("gw.local:5039/", "gw.local", 5039),
        ("fe80::1", "fe80::1", None),
        ("[fe80::1]", "fe80::1", None),
        ("[fe80::1]:5039", "fe80::1", 5039),
        ("[fe80::1%eth0]:5039", "fe80::1%eth0", 5039),
        ("fe80::1%eth0", "fe80::1%eth0", None),
    ],
)
def test_a_host_and_its_port(typed: str, host: str, port: int | None) -> None:
    """The port is that of the API."""
    assert read_address(typed) == (host, port)


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("http://192.168.1.5", "192.168.1.5"),
        ("http://192.168.1.5:8080/cgi-bin/php/login.php", "192.168.1.5"),
        ("https://GW.local:443/cgi-bin/?next=http://x:1/", "gw.local"),
        ("https://admin:secret@gw.local/", "gw.local"),
        ("http://[fe80::1]:80/", "fe80::1"),
        ("192.168.1.5/cgi-bin/", "192.168.1.5"),
    ],
)
def test_a_web_address(typed: str, host: str) -> None:
    """Its port is that of the web interface."""
    assert read_address(typed) == (host, None)


@pytest.mark.parametrize(
    "typed",
    ["", "http://", "gw:", "gw:0", "gw:port", "gw:65536", "[fe80::1", "1:2:3", "a b"],
)
def test_what_has_no_port(typed: str) -> None:
    """And may have no host, either: it stays as it is, for the name server to refuse."""
    host, port = read_address(typed)

    assert port is None
    assert host in (typed, "gw")
