"""For admins: workers, queues, challenges that could not be prepared, people and their roles."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from podium import accounts, monitoring
from podium.models import AuditEntry, Challenge, User, WorkerProcess
from podium.models.record import now
from podium.web import identity, installation

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

USERS_SHOWN = 100
AUDIT_SHOWN = 30


@blueprint.get("/")
def show() -> str:
    """The state of the house on one page."""
    identity.need_role("admin")
    here = installation()
    search = request.args.get("search", "").strip().lower()
    users = select(User).order_by(User.id.desc()).limit(USERS_SHOWN)
    if search:
        users = users.where(User.handle.contains(search, autoescape=True))
    with here.database.reading() as session:
        return render_template(
            "admin/show.html",
            numbers=monitoring.read(here),
            troubles=monitoring.troubles(here),
            workers=session.scalars(select(WorkerProcess).order_by(WorkerProcess.name)).all(),
            challenges=session.scalars(select(Challenge).order_by(Challenge.slug)).all(),
            users=session.scalars(users).all(),
            audit=session.execute(
                select(AuditEntry, User.handle)
                .outerjoin(User, User.id == AuditEntry.user_id)
                .order_by(AuditEntry.id.desc())
                .limit(AUDIT_SHOWN)
            ).all(),
            roles=accounts.ROLES,
            search=search,
            now=now(),
            lease_s=here.config.lease_s,
        )


@blueprint.post("/users/<handle>/role")
def change_role(handle: str) -> Response:
    """Give a person another role; audited with who, when and why."""
    admin = identity.need_role("admin")
    role, reason = request.form.get("role", ""), request.form.get("reason", "").strip()[:500]
    with installation().database.writing() as session:
        accounts.set_role(session, handle, role, by=admin.id, reason=reason)
    flash(f"{handle} is {role} now.")
    return redirect(url_for("admin.show"), 303)
