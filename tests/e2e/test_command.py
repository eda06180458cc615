"""/export-dedup in the real client: with the model's comment, and as a banner that costs no request."""

from __future__ import annotations

BANNER = "NEW UNIQUE MESSAGES ADDED & BACKED UP"


def test_classic_command_hands_the_report_to_the_model(opted_in, start, api):
    """With command_banner "model", the command processes the export and puts its report before the model."""
    opted_in.set(command_banner="model")
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        client.say("/export notes.txt")
        client.wait_for("Conversation exported to")
        client.say("/export-dedup")
        client.wait_until(lambda: BANNER in str(api.requests), "the report in a request")
    assert opted_in.archived() == ["notes.txt"]
    assert "What moves the water of the harbour twice a day?" in opted_in.talk()
    opted_in.verify()
