"""What a file must look like: its format, its id, its columns, and what holds within a row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from podium_scoring.column import Column, column_of
from podium_scoring.errors import ChallengeError

FORMATS = {
    "csv": "CSV with a header",
    "jsonl": "JSON Lines, an object a line",
    "parquet": "Parquet",
    "npz": "NumPy's .npz, an array a column",
    "png": "a zip of PNG images named by id",
    "coco": "COCO results, a JSON list of boxes",
    "txt": "text, a line for each id",
}
SUFFIXES = {"png": ".zip", "coco": ".json"}  # of a format's files, where it is not its name
ARRAYS = ("npz", "png", "coco")  # formats whose columns may have a shape


BOX_COLUMNS = (Column("bbox", "number", shape=(4,)), Column("score", "number"))


@dataclass(frozen=True)
class Schema:
    """The declared form of a file: the id, the values, the format.

    The columns named in `probabilities` are between 0 and 1 and sum to 1 in every row, within
    0.001; a single number a row is the chance of class 1. With `repeated` an id may have any
    number of rows, whose order counts. With `distinct` the values of a row, or of all rows of an
    id, differ. `rows` declares the ids to be 0 to rows - 1; a .npz may then leave them out.
    """

    id: Column
    columns: tuple[Column, ...]
    format: str = "csv"
    probabilities: tuple[str, ...] = ()
    repeated: bool = False
    distinct: bool = False
    rows: int | None = None

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ChallengeError(
                f"Files have format {self.format!r}. Formats are {', '.join(FORMATS)}."
            )
        if self.format == "coco":
            object.__setattr__(self, "repeated", True)
        for fault in (*self._faults_of_form(), *self._faults_of_columns()):
            raise ChallengeError(fault)

    def _faults_of_form(self) -> Iterator[str]:
        names = self.header
        if len(set(names)) < len(names):
            yield f"A column is declared twice. There are {', '.join(names)}."
        if self.id.shape or self.id.type not in ("integer", "string"):
            yield f"The id {self.id.name!r} is an integer or a string in each row."
        if self.format in ("png", "txt") and len(self.columns) != 1:
            yield f"Format {self.format} has one column besides the id, not {len(self.columns)}."
        if self.rows is not None and (self.rows < 1 or self.id.type != "integer"):
            yield f"rows is {self.rows!r} with {self.id.type} ids. It counts integer ids from 0."
        if self.rows is not None and self.format == "txt":
            yield "The rows of a .txt are those of its sample: leave `rows` out."

    def _faults_of_columns(self) -> Iterator[str]:
        for column in self.columns:
            if column.shape and self.format not in ARRAYS and column.type != "runs":
                yield (
                    f"Column {column.name!r} has shape {column.shape}. Format {self.format} has "
                    f"one value in a row and column; {' and '.join(ARRAYS)} have arrays."
                )
            if self.format in ARRAYS and column.type in ("items", "runs"):
                yield (
                    f"Column {column.name!r} is of {column.type}, which are text. Use CSV, JSON "
                    "Lines or Parquet, or arrays of numbers."
                )
            if self.format == "png" and not column.is_image:
                yield (
                    f"Images are integers of shape (height, width) or (height, width, 3), not "
                    f"{column.type} of shape {column.shape}."
                )
        for name in self.probabilities:
            found = self.column(name)
            if found is None or found is self.id or found.type != "number":
                yield f"Probabilities are in {name!r}, which is no number column."

    @property
    def suffix(self) -> str:
        """How the name of such a file ends, such as ".csv"."""
        return SUFFIXES.get(self.format, f".{self.format}")

    @property
    def words(self) -> str:
        """The format in words: "CSV with a header"."""
        words = FORMATS[self.format]
        return f"{words}; or {FORMATS['png']}" if self.takes_png else words

    @property
    def takes_png(self) -> bool:
        """Whether a zip of PNG is as good as a .npz: of generated images, its one array."""
        return (
            self.format == "npz"
            and self.rows is not None
            and len(self.columns) == 1
            and self.columns[0].is_image
        )

    @property
    def header(self) -> list[str]:
        """Names of all columns, the id first."""
        return [self.id.name, *(column.name for column in self.columns)]

    def column(self, name: str) -> Column | None:
        """The column of this name, the id included."""
        return next((one for one in (self.id, *self.columns) if one.name == name), None)

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Self:
        """The schema of a table as in challenge.toml: format, id, columns, and the rest.

        Of COCO results `columns` holds the category only; box and score are added.
        """
        try:
            format = table.get("format", "csv")
            columns = tuple(column_of(one) for one in table["columns"])
            return cls(
                column_of(table["id"]),
                columns + (BOX_COLUMNS if format == "coco" else ()),
                format,
                tuple(table.get("probabilities", ())),
                bool(table.get("repeated", False)),
                bool(table.get("distinct", False)),
                table.get("rows"),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ChallengeError(
                f"The schema is not complete ({error!r}). It has id, columns (each with name and "
                "type), and may have format and probabilities."
            ) from None
