"""The gateway itself: Asterisk's channels, the spans with their SIMs, SMS, USSD and calls.

Nothing here knows the manager interface or the command line. From top to bottom:

- `gateway`: the spans, and what comes in through them
- `span`: one span, made of its `phone`, `power` switch, `sending` of SMS and `ussd`
- `span_state`: what a span is at the moment; `calls`: one call
- `core`: what all spans share: `asterisk` (channels, events, clients) and the `journal`
- `deliver` makes the PDUs of the network, `driver_sms` reads them as the driver does,
  `submit` makes the driver's own; `driver_alphabet` is the alphabet as it knows it
- `dialplan`, `channels`, `outcomes`, `users`, `box`: plain things
"""
