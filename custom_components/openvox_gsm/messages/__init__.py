"""Messages: the SMS and calls of the gateways, kept to be read, and their page.

`record.py` is one of them, `history.py` what's kept of one gateway. `incoming.py` and
`outgoing.py` write them down as they happen. `websocket_api.py` shows them to those whom
`access.py` lets see them, and `panel.py` puts the page into the sidebar.
"""
