"""How many SMS may be sent on each span."""

from custom_components.openvox_gsm.gateway.model import SendFailure


class Quota:
    """What a message may use up; this one allows everything.

    A message is tried at most once on each span.
    """

    def reserve(self, span: int, parts: int) -> SendFailure | None:
        """Count the SMS of a message that is about to be tried on a span.

        Returns why they may not be sent (LIMIT_REACHED on any span, or
        SIM_LIMIT_REACHED on this one), None where they may.
        """
        return None

    def cancel(self, span: int) -> None:
        """Stop counting what was reserved on a span, as it certainly wasn't sent."""
