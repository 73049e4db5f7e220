"""The caller's notifications, and how they want to be told."""

from apiflask import APIBlueprint

from podium import notifications
from podium.web import identity, installation
from podium.web.api import myselfshapes as shapes

blueprint = APIBlueprint(
    "api_notifications", __name__, url_prefix="/api/v1/me/notifications", tag="Notifications"
)


@blueprint.get("")
@blueprint.input(shapes.NotificationQuery, location="query", arg_name="query")
@blueprint.output(shapes.Notifications)
@blueprint.doc(security="token", responses=[401, 403])
def list_notifications(query: shapes.NotificationQuery) -> shapes.Notifications:
    """What the caller was told, the latest first."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        found = notifications.of_user(
            session,
            caller.id,
            only_unread=query.unread,
            page=query.page,
            per_page=query.per_page,
        )
        return shapes.Notifications(
            items=[shapes.Notification.model_validate(one) for one in found],
            page=query.page,
            per_page=query.per_page,
            total=notifications.count(session, caller.id, only_unread=query.unread),
            unread=notifications.unread(session, caller.id),
        )


@blueprint.post("/read")
@blueprint.input(shapes.ReadRequest, arg_name="asked")
@blueprint.output(shapes.Unread)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403])
def read(asked: shapes.ReadRequest) -> shapes.Unread:
    """Mark some, or all, as read."""
    caller = identity.need_oneself()
    with installation().database.writing() as session:
        notifications.read(session, caller.id, asked.ids)
        return shapes.Unread(unread=notifications.unread(session, caller.id))


@blueprint.get("/preferences")
@blueprint.output(shapes.Preferences)
@blueprint.doc(security="token", responses=[401, 403])
def preferences() -> shapes.Preferences:
    """How the caller is told of each kind."""
    caller = identity.need_caller()
    with installation().database.reading() as session:
        return shapes.Preferences(kinds=notifications.preferences(session, caller.id))


@blueprint.patch("/preferences")
@blueprint.input(shapes.Preferences, arg_name="asked")
@blueprint.output(shapes.Preferences)
@blueprint.doc(security=[{"token": ["submit"]}], responses=[401, 403])
def prefer(asked: shapes.Preferences) -> shapes.Preferences:
    """Change how the caller is told of the kinds that are named."""
    caller = identity.need_oneself()
    with installation().database.writing() as session:
        return shapes.Preferences(kinds=notifications.prefer(session, caller.id, asked.kinds))
