"""For admins: workers, queues, challenges that could not be prepared, people and their roles."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session, defer
from werkzeug.wrappers import Response

from podium import accounts, monitoring, waiting, workers
from podium.models import AuditEntry, Challenge, Submission, User
from podium.waiting import Place
from podium.web import identity, installation

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

USERS_SHOWN = 100
AUDIT_SHOWN = 30
STUCK_SHOWN = 50
LISTED = (  # without declarations and texts, which are long
    select(Challenge).options(defer(Challenge.spec), defer(Challenge.text)).order_by(Challenge.slug)
)


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
            in_hand=monitoring.in_hand(session),
            stuck=_explained(session, here.config.lease_s),
            challenges=session.scalars(LISTED).all(),
            users=session.scalars(users).all(),
            audit=session.execute(
                select(AuditEntry, User.handle)
                .outerjoin(User, User.id == AuditEntry.user_id)
                .order_by(AuditEntry.id.desc())
                .limit(AUDIT_SHOWN)
            ).all(),
            roles=accounts.ROLES,
            search=search,
            lease_s=here.config.lease_s,
        )


def _explained(session: Session, lease_s: float) -> list[tuple[Submission, Place | None]]:
    """What has been open for long, with its place and the reason why it waits."""
    found = monitoring.stuck(session, STUCK_SHOWN)
    return [(submission, waiting.place(session, submission, lease_s)) for submission in found]


@blueprint.post("/workers/<name>/drain")
def drain(name: str) -> Response:
    """Ask a worker to end after what it has in hand; audited."""
    admin = identity.need_role("admin")
    with installation().database.writing() as session:
        workers.drain(session, [name], None)
        session.add(AuditEntry(user_id=admin.id, action="worker.drain", subject=f"worker:{name}"))
    flash(f"{name} ends after what it has in hand.")
    return redirect(url_for("admin.show"), 303)


@blueprint.post("/users/<handle>/role")
def change_role(handle: str) -> Response:
    """Give a person another role; audited with who, when and why."""
    admin = identity.need_role("admin")
    role, reason = request.form.get("role", ""), request.form.get("reason", "").strip()[:500]
    with installation().database.writing() as session:
        accounts.set_role(session, handle, role, by=admin.id, reason=reason)
    flash(f"{handle} is {role} now.")
    return redirect(url_for("admin.show"), 303)
