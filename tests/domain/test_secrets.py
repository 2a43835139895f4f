"""Settings as they may be shown."""

import pytest

from supervisor.domain.secrets import masked_args, masked_env


def test_values_of_an_environment_whose_names_speak_of_secrets_are_masked() -> None:
    env = {"WANDB_API_KEY": "hush", "DbPassword": "hush", "LANG": "C"}

    assert masked_env(env) == {"WANDB_API_KEY": "***", "DbPassword": "***", "LANG": "C"}


@pytest.mark.parametrize(
    ("args", "shown"),
    [
        (["--api-key", "hush", "--lr", "0.1"], ["--api-key", "***", "--lr", "0.1"]),
        (["--token=hush", "--lr=0.1"], ["--token=***", "--lr=0.1"]),
        (["--token=hush", "data"], ["--token=***", "data"]),
        (["--token=hu=sh"], ["--token=***"]),
        (["wandb.api_key=hush", "model.size=3"], ["wandb.api_key=***", "model.size=3"]),
        (["-password", "hush"], ["-password", "***"]),
        (["--auth", "--lr", "0.1"], ["--auth", "--lr", "0.1"]),
        (["--secret", "-9hush", "x"], ["--secret", "***", "x"]),
        (["--password", "a=b"], ["--password", "***"]),
        (["token", "plain"], ["token", "plain"]),
        ([], []),
    ],
)
def test_the_value_after_an_argument_that_names_a_secret_is_masked(args: list[str], shown: list[str]) -> None:
    assert masked_args(args) == shown
