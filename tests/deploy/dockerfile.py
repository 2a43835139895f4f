"""Reads the Dockerfile: its stages, and the instructions of each. Knows what ours uses and nothing else."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

_FLAG = re.compile(r"--(?P<name>[a-z-]+)(?:=(?P<value>\S+))?\s+")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: `COPY`, its flags (`from`, `mount` …; they may repeat), and the rest as written."""

    keyword: str
    flags: tuple[tuple[str, str], ...]
    value: str

    def flag(self, name: str) -> list[str]:
        return [value for key, value in self.flags if key == name]

    def words(self) -> list[str]:
        """The value of the JSON form, else its words."""
        return list(json.loads(self.value)) if self.value.startswith("[") else shlex.split(self.value)

    def pairs(self) -> dict[str, str]:
        """`NAME=value NAME=value`, as ENV, LABEL and ARG have them; an ARG may have no value."""
        split = (word.partition("=") for word in self.words())
        return {name: value for name, _, value in split}


@dataclass(frozen=True, slots=True)
class Stage:
    """`FROM base AS name`, and what follows."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, keyword: str) -> list[Instruction]:
        return [each for each in self.instructions if each.keyword == keyword]


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """`arguments` are those before the first stage."""

    arguments: dict[str, str]
    stages: dict[str, Stage]

    def lineage(self, target: str) -> list[Stage]:
        """The stages that make up the image of this target, from the base image on."""
        stage = self.stages[target]
        return [*(self.lineage(stage.base) if stage.base in self.stages else []), stage]

    def needed(self, target: str) -> list[Stage]:
        """What is built for this target, each stage after those that it takes from."""
        found: dict[str, Stage] = {}
        for stage in self.lineage(target):
            for copy in stage.all("COPY"):
                for source in copy.flag("from"):
                    found.update((each.name, each) for each in self.needed(source))
            found[stage.name] = stage
        return list(found.values())


def read(path: Path) -> Dockerfile:
    """The Dockerfile at this path."""
    arguments: dict[str, str] = {}
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for instruction in _instructions(path.read_text()):
        if instruction.keyword == "FROM":
            base, _, name = instruction.words()
            stage = stages[name] = Stage(base, name)
        elif stage is None:
            arguments |= instruction.pairs()
        else:
            stage.instructions.append(instruction)
    return Dockerfile(arguments, stages)


def expand(text: str, values: dict[str, str]) -> str:
    """`${NAME}` replaced; a name without a value raises `KeyError`."""
    return _VARIABLE.sub(lambda match: values[match[1]], text)


def _instructions(text: str) -> list[Instruction]:
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", kept)
    return [_instruction(line) for line in joined.splitlines() if line.strip()]


def _instruction(line: str) -> Instruction:
    keyword, _, rest = line.partition(" ")
    flags: list[tuple[str, str]] = []
    rest = rest.lstrip()
    while match := _FLAG.match(rest):
        flags.append((match["name"], match["value"] or ""))
        rest = rest[match.end() :]
    return Instruction(keyword, tuple(flags), rest.strip())
