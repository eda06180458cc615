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


def test_search_and_its_siblings_are_answered_without_a_request(opted_in, start, api):
    """What was said a moment ago is found and shown on the screen; nothing in the arguments is executed; no request is made."""
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        asked = len(api.requests)
        client.say('/export-dedup-search "the harbour" $(touch pwned) ; touch pwned')
        client.wait_for("no message with")
        client.say("/export-dedup-search harbour twice")
        client.wait_for("What moves the water of the «harbour» «twice» a day?")
        client.say("/export-dedup-show")
        client.wait_for("1 conversation")
        client.say("/export-dedup-status")
        client.wait_for("no export was processed yet")
        client.say("/export-dedup-doctor")
        client.wait_for("export-dedup doctor:")
        assert len(api.requests) == asked
    assert not (opted_in.root / "pwned").exists()
    assert not [text for text in opted_in.talk() if "export-dedup" in text]
    opted_in.verify()


def test_the_classic_command_refuses_arguments_that_a_shell_obeys(opted_in, start, api):
    """With command_banner "model" the hook stops them before the client has put them into a line of shell."""
    opted_in.set(command_banner="model")
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        asked = len(api.requests)
        client.say("/export-dedup x ; touch pwned")
        client.wait_for("through a shell")
        assert len(api.requests) == asked
    assert not (opted_in.root / "pwned").exists()


def test_the_classic_search_hands_its_words_to_the_model_as_data(opted_in, start, api):
    """With command_banner "model" the words stand in the request, and no shell has seen them."""
    opted_in.set(command_banner="model")
    with start(opted_in) as client:
        client.ask("What moves the water of the harbour twice a day?")
        client.say("/export-dedup-search don't $(touch pwned) !`touch pwned`")
        client.wait_until(lambda: "don't $(touch pwned)" in str(api.requests[-1:]), "the words in a request")
    assert not (opted_in.root / "pwned").exists()
