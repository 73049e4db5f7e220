"""Admin → Storage and Settings: what fills the disk, what may go, what the settings are."""

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from podium import operation, retention, usage
from podium.errors import BadRequestError
from podium.retention import Policy
from podium.web import identity, installation
from podium.web.pages import forms

blueprint = Blueprint("operation", __name__, url_prefix="/admin")


@blueprint.get("/storage")
def show_storage() -> str:
    """What fills the storage, and with `days` what a policy would delete."""
    identity.need_role("admin")
    here = installation()
    policy = _policy(request.args) if request.args.get("days") else None
    return render_template(
        "admin/storage.html",
        usage=usage.latest(here),
        kinds=usage.KINDS,
        of_rows=usage.OF_ROWS,
        home=usage.HOME,
        policy=policy,
        plan=retention.plan(here, policy) if policy else None,
        days=here.config.retention_days,
        also_scored=here.config.retention_scored,
    )


@blueprint.post("/storage/count")
def count() -> Response:
    """Look at all files again."""
    identity.need_role("admin")
    usage.count(installation())
    return redirect(url_for("operation.show_storage"), 303)


@blueprint.post("/storage/prune")
def prune() -> Response:
    """Delete what the policy says; audited."""
    admin = identity.need_role("admin")
    policy = _policy(request.form)
    done = retention.apply(installation(), policy, admin, request.form.get("reason", ""))
    usage.count(installation())
    flash(f"{done.total.files} files were deleted. Scores and logs are kept.")
    return redirect(url_for("operation.show_storage"), 303)


def _policy(form: Mapping[str, str]) -> Policy:
    days = forms.number(form, "days")
    if days is None:
        raise BadRequestError("Say after how many days.", field="days")
    return Policy(
        days,
        also_scored=forms.is_on(form, "also_scored"),
        unnamed=forms.is_on(form, "unnamed"),
    )


@blueprint.get("/settings")
def show_settings() -> str:
    """The settings in force, without their secrets."""
    identity.need_role("admin")
    return render_template("admin/settings.html", settings=list(installation().config.shown()))


@blueprint.post("/submissions/<int(max=2147483647):submission_id>/release")
def release(submission_id: int) -> Response:
    """Take a submission from the worker that holds it."""
    admin = identity.need_role("admin")
    operation.release(installation(), admin, submission_id, request.form.get("reason", ""))
    flash(f"Submission {submission_id} waits again. What its worker still does is dropped.")
    return redirect(url_for("admin.show"), 303)
