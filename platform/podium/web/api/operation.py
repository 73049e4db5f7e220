"""What admins read and do of the installation itself: storage, retention, settings, stuck jobs."""

from datetime import datetime

from apiflask import APIBlueprint
from pydantic import Field

from podium import operation, retention, usage
from podium.web import identity, installation
from podium.web.api.shapes import Reason, Shape

blueprint = APIBlueprint("api_operation", __name__, url_prefix="/api/v1/operation", tag="Admins")


class Part(Shape):
    """A number of files and their bytes."""

    files: int
    size_bytes: int


class Usage(Shape):
    """What fills the storage: by kind, by competition and kind, by challenge; and the home."""

    total: Part
    kinds: dict[str, Part]
    competitions: dict[str, dict[str, Part]]
    challenges: dict[str, Part]
    unnamed: Part
    home: dict[str, Part]
    free_bytes: int | None
    counted_at: datetime


class PruneRequest(Shape):
    """A policy; nothing is deleted unless `apply` says so."""

    days: int = Field(ge=retention.LEAST_DAYS, le=retention.MOST_DAYS)
    also_scored: bool = False
    unnamed: bool = False
    apply: bool = False
    reason: str = ""


class Pruned(Shape):
    """What is (or would be) deleted, and what is kept for a rescoring alone."""

    applied: bool
    total: Part
    uncounted: Part
    scored: Part
    unnamed: Part
    kept_for_rescoring: Part
    by_competition: dict[str, Part]


class Setting(Shape):
    """A setting; whatever is secret in it is hidden."""

    name: str
    value: str
    help: str
    is_changed: bool


class Settings(Shape):
    """All of them."""

    items: list[Setting]


@blueprint.get("/storage")
@blueprint.output(Usage)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403])
def show_storage() -> Usage:
    """What fills the storage, as it was counted last."""
    identity.need_role("admin")
    return Usage.model_validate(usage.latest(installation()))


@blueprint.post("/storage/count")
@blueprint.output(Usage)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403])
def count_storage() -> Usage:
    """Count it again; takes seconds where there are many files."""
    identity.need_role("admin")
    return Usage.model_validate(usage.count(installation()))


@blueprint.post("/storage/prune")
@blueprint.input(PruneRequest, arg_name="asked")
@blueprint.output(Pruned)
@blueprint.doc(security=[{"token": ["host"]}], responses=[400, 401, 403])
def prune(asked: PruneRequest) -> Pruned:
    """Say which files of submissions a policy deletes, and with `apply` delete them."""
    admin = identity.need_role("admin")
    policy = retention.Policy(asked.days, asked.also_scored, asked.unnamed)
    if asked.apply:
        found = retention.apply(installation(), policy, admin, asked.reason)
    else:
        found = retention.plan(installation(), policy)
    values = {name: getattr(found, name) for name in Pruned.model_fields if name != "applied"}
    return Pruned.model_validate(values | {"applied": asked.apply}, from_attributes=True)


@blueprint.get("/settings")
@blueprint.output(Settings)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403])
def show_settings() -> Settings:
    """The settings in force, without their secrets."""
    identity.need_role("admin")
    items = [Setting(**one._asdict()) for one in installation().config.shown()]
    return Settings(items=items)


@blueprint.post("/submissions/<int(max=2147483647):submission_id>/release")
@blueprint.input(Reason, arg_name="asked")
@blueprint.output({}, status_code=204)
@blueprint.doc(security=[{"token": ["host"]}], responses=[401, 403, 404, 409])
def release(submission_id: int, asked: Reason) -> tuple[str, int]:
    """Take a submission from the worker that holds it: it waits again, at no cost."""
    admin = identity.need_role("admin")
    operation.release(installation(), admin, submission_id, asked.reason)
    return "", 204
