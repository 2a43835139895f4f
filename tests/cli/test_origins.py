"""Where each setting comes from."""

from supervisor.cli.origins import explain

VALUES = {
    "state_dir": "/s",
    "port": 1,
    "host": "h",
    "token": "secret",
    "socket": None,
    "checkpoint": {"after_s": 5.0, "retry_s": 1.0, "tolerance": 0.1},
    "allowed_roots": ["/a"],
}


def test_the_nearest_source_is_named() -> None:
    environ = {"TRAIND_PORT": "1", "traind_checkpoint__after_s": "5", "TRAIND_HOST": "h", "HOME": "/"}
    from_file = {"host": "x", "checkpoint": {"retry_s": 1.0}, "allowed_roots": ["/a"]}
    found = explain(VALUES, {"port": 1}, environ, from_file, "/c.toml")

    assert {item.name: item.origin for item in found} == {
        "state_dir": "default",
        "port": "--port",
        "host": "TRAIND_HOST",
        "token": "default",
        "socket": "default",
        "checkpoint.after_s": "traind_checkpoint__after_s",
        "checkpoint.retry_s": "/c.toml",
        "checkpoint.tolerance": "default",
        "allowed_roots": "/c.toml",
    }


def test_a_variable_may_give_a_whole_group_and_systemd_the_state_directory() -> None:
    found = explain(VALUES, {}, {"TRAIND_CHECKPOINT": "{}", "STATE_DIRECTORY": "/s"}, {}, "/c")
    origins = {item.name: item.origin for item in found}

    assert origins["checkpoint.after_s"] == "TRAIND_CHECKPOINT"
    assert origins["state_dir"] == "STATE_DIRECTORY"


def test_a_token_may_come_as_a_credential() -> None:
    found = explain(VALUES | {"socket": None}, {}, {"CREDENTIALS_DIRECTORY": "/c"}, {}, "/c")
    assert ("token", "CREDENTIALS_DIRECTORY") in {(item.name, item.origin) for item in found}
    without = explain({"token": None}, {}, {"CREDENTIALS_DIRECTORY": "/c"}, {}, "/c")
    assert without[0].origin == "default"


def test_secrets_are_masked_and_values_are_readable() -> None:
    shown = {item.name: item.shown for item in explain(VALUES, {}, {}, {}, "/c")}

    assert (shown["token"], shown["socket"], shown["host"]) == ("***", "-", "h")
    assert (shown["allowed_roots"], shown["checkpoint.after_s"]) == ('["/a"]', "5.0")
    unset = explain({"token": None}, {}, {}, {}, "/c")
    assert unset[0].value is None
