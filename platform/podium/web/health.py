"""For machines that watch Podium: does it live, is it ready, what does it do."""

import logging

from flask import Blueprint, Response, jsonify
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from podium import __version__, monitoring
from podium.web import installation

blueprint = Blueprint("health", __name__)
log = logging.getLogger(__name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """This process answers; nothing else is asked."""
    return jsonify({"ok": True, "version": __version__})


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Database, queue and storage answer: 200, else 503 with the names of those that do not."""
    troubles = monitoring.troubles(installation())
    for name, reason in troubles.items():
        log.warning("not ready: %s: %s", name, reason)
    checks = {name: name not in troubles for name in ("database", "queue", "storage")}
    return jsonify({"ok": not troubles, "checks": checks}), 503 if troubles else 200


@blueprint.get("/metrics")
def metrics() -> Response:
    """Counts in Prometheus' text format. All processes read the same database: no registry."""
    now = monitoring.read(installation())
    registry = CollectorRegistry()
    Gauge("podium_up", "1 while the web answers", ["version"], registry=registry).labels(
        __version__
    ).set(1)
    _fill(registry, "podium_submissions", "Submissions by state", "state", now.submissions)
    _fill(registry, "podium_workers_online", "Workers online by queue", "queue", now.workers)
    if now.queued is not None:
        _fill(registry, "podium_queue_depth", "Ids waiting in the queue", "queue", now.queued)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _fill(
    registry: CollectorRegistry, name: str, text: str, label: str, values: dict[str, int]
) -> None:
    gauge = Gauge(name, text, [label], registry=registry)
    for value, count in values.items():
        gauge.labels(str(value)).set(count)
