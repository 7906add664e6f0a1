"""The gateway itself: Asterisk's channels, the spans with their SIMs, SMS, USSD and calls.

Nothing here knows the manager interface or the command line. From top to bottom:

- `gateway`: the spans, and what comes in through them
- `span`: one span, made of its `phone`, `power` switch, `sending` of SMS and `ussd`
- `span_state`: what a span is at the moment; `calls`: one call
- `core`: what all spans share: `asterisk` (channels, events, clients) and the `journal`
- `driver_sms` and `deliver`: what an SMS is made of, in the driver and in the network
- `channels`, `outcomes`, `users`, `box`: plain things
"""
