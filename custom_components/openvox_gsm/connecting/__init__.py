"""How a gateway is reached: by the address in a form, or where DHCP sees it.

`address.py` reads the address that someone typed, `attempt.py` tries a gateway there,
`form_errors.py` says what is wrong with it, and `discovery.py` follows a gateway to a new
address.
"""
