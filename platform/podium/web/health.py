"""For machines that watch Podium: does it live, is it ready, what does it do."""

import logging

from flask import Blueprint, Response, jsonify
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from podium import __version__, monitoring
from podium.attempts import FAULT, LOST
from podium.monitoring import Numbers
from podium.web import installation

OUTCOMES = frozenset({LOST, FAULT, "scored"})  # shown from the start, as zero

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
    states = _gauge(registry, "podium_submissions", "Submissions by state", "state")
    for state, count in now.submissions.items():
        states.labels(state).set(count)
    _fill_queues(registry, now)
    beats = _gauge(
        registry, "podium_worker_heartbeat_age_seconds", "Since it was heard", "worker", "queue"
    )
    for worker in now.workers:
        age = (now.moment - worker.heartbeat_at).total_seconds()
        beats.labels(worker.name, worker.queue).set(max(0.0, age))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _fill_queues(registry: CollectorRegistry, now: Numbers) -> None:
    waiting = _gauge(registry, "podium_queue_waiting", "Submissions that wait", "queue")
    oldest = _gauge(registry, "podium_queue_oldest_seconds", "The longest wait", "queue")
    depth = _gauge(registry, "podium_queue_depth", "Wake-ups in Redis", "queue")
    at_work = _gauge(registry, "podium_queue_at_work", "Submissions at work", "queue")
    online = _gauge(registry, "podium_workers_online", "Workers that take work", "queue")
    ended = _gauge(
        registry, "podium_attempts_last_hour", "Attempts by their end", "queue", "outcome"
    )
    took = _gauge(
        registry, "podium_attempt_seconds_last_hour", "How long they took", "queue", "quantile"
    )
    for queue in now.queues:
        waiting.labels(queue.name).set(queue.waiting)
        oldest.labels(queue.name).set(queue.oldest_s or 0.0)
        at_work.labels(queue.name).set(queue.at_work)
        online.labels(queue.name).set(queue.workers)
        if queue.woken is not None:
            depth.labels(queue.name).set(queue.woken)
        for outcome in sorted(OUTCOMES | set(queue.outcomes)):
            ended.labels(queue.name, outcome).set(queue.outcomes.get(outcome, 0))
        if queue.pace is not None:
            took.labels(queue.name, "0.5").set(queue.pace.p50_s)
            took.labels(queue.name, "0.95").set(queue.pace.p95_s)


def _gauge(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Gauge:
    return Gauge(name, text, labels, registry=registry)
