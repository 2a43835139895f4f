"""Events as they are stored and shown."""

from supervisor.domain.events import RunQueued, Warned, data_of


def test_an_event_s_data_are_its_fields_and_its_type_is_not_among_them() -> None:
    assert data_of(Warned("code", "text")) == {"code": "code", "text": "text"}
    assert (RunQueued.type, data_of(RunQueued("/t.py", None))) == (
        "run_queued",
        {"script": "/t.py", "device": None},
    )
