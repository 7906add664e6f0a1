"""Reads the address of a gateway as people type it, or copy it from the browser."""

from urllib.parse import urlsplit

from homeassistant.util.network import is_ip_address


def read_address(text: str) -> tuple[str, int | None]:
    """Return the host in a text, and the port if one stands behind it.

    Goes in: `gw.local`, `192.168.1.5:5038`, `[fe80::1]:5038`, or the address of the web
    interface, `https://gw.local:443/cgi-bin/`, whose port isn't that of the API. Comes
    out: the host in lower case, without brackets. What can't be read comes out as it is:
    no name server knows it.
    """
    text = text.strip().lower()
    if is_ip_address(text):
        return text, None
    scheme, mark, rest = text.partition("://")
    try:
        parts = urlsplit(f"//{rest if mark else scheme}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return text, None
    return host or text, None if mark else port or None
