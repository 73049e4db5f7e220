"""A run worker on a machine with a GPU: what a student may do there, and what becomes of it."""

import io
import time
import zipfile

import numpy as np
import pytest
import torch
from sqlalchemy import select

from podium.models import Submission, WorkerProcess
from podium_scoring.features import Network, convolutional, save

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
ENDED = {"scored", "failed", "error", "invalid"}
ON_GPU = {
    "kinds": ["predictions", "code"],
    "resources": {"run": "gpu", "gpu_memory_mib": 4000},
    "run": {"limits": {"memory_mib": 8192, "wall_s": 120, "processes": 256}},
}
COMPUTES = """
import torch
print(torch.cuda.get_device_name(), torch.cuda.device_count())
labels = (torch.arange(20, device="cuda") % 10).tolist()
with open("/out/predictions.csv", "w") as out:
    print("id,label", file=out)
    for row, label in enumerate(labels):
        print(f"{row},{label}", file=out)
"""
FILLS = """
import torch
kept = [torch.empty(1 << 30, device="cuda") for _ in range(1000)]
"""


def zipped(code: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("predict.py", code)
    return packed.getvalue()


def ended(installation, submission_id: int, limit_s: float = 120.0) -> Submission:
    end = time.monotonic() + limit_s
    while True:
        with installation.database.reading() as session:
            found = session.get_one(Submission, submission_id)
            if found.state in ENDED:
                assert found.attempts
                return found
            assert time.monotonic() < end, found.state
        time.sleep(0.1)


def test_what_fills_the_gpu_fails_and_what_follows_is_run_there(
    installation, factory, run_worker, scorer
):
    factory.competition(spec=ON_GPU)
    ada, ben = factory.member("ada-01"), factory.member("ben-01")
    run_worker("run-gpu")
    full = ended(installation, factory.submit(ada, zipped(FILLS), kind="code"))
    assert (full.state, full.verdict) == ("failed", "memory_limit"), full.attempts[-1].log
    assert "GPU's memory was full" in full.reason
    well = ended(installation, factory.submit(ben, zipped(COMPUTES), kind="code"))
    assert well.state == "scored", well.attempts[-1].log
    assert " 1\n" in well.attempts[0].log
    with installation.database.reading() as session:
        worker = session.scalars(select(WorkerProcess)).one()
    assert (worker.trouble, worker.driver != "", worker.memory_mib > 4000) == ("", True, True)


@pytest.fixture
def pictures(tmp_path):
    """Forty images, and the weights of a network whose features tell them apart."""
    torch.manual_seed(0)
    sha256 = save(convolutional(3), tmp_path / "weights.npz")
    network = Network.read("portraits-1", tmp_path / "weights.npz", sha256)
    weights = {f"network.{name}": array for name, array in network.weights.items()}
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3)).astype(np.uint8)
    return {"id": np.arange(40), "image": images} | weights


def npz(**arrays):
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def test_a_score_worker_has_the_features_of_the_cpu_from_its_gpu(
    installation, factory, operator, pictures
):
    image = {"name": "image", "type": "integer", "low": 0, "high": 255, "shape": [16, 16, 3]}
    row_id = {"name": "id", "type": "integer"}
    tables = {
        "metric": {"name": "frechet"},
        "submission": {"format": "npz", "id": row_id, "columns": [image], "rows": 20},
        "answers": {"format": "npz", "columns": [image], "network": "portraits-1"},
    }
    answers = npz(**pictures, Usage=np.array(["Public", "Private"] * 20))
    fakes = np.random.default_rng(1).integers(0, 256, (20, 16, 16, 3)).astype(np.uint8)
    file = npz(id=np.arange(20), image=fakes)
    found = {}
    for slug, resources in (("on-cpu", {}), ("on-gpu", {"score": "gpu"})):
        spec = {"resources": resources}
        factory.competition(slug, declared=(tables, answers, file), spec=spec)
        ada = factory.member(f"ada-{slug}", slug)
        submission_id = factory.submit(ada, file, slug, file_name="images.npz")
        queue = "score-gpu" if resources else "score"
        done = operator.run("worker", "--queue", queue, "--burst", "--name", queue)
        assert done.returncode == 0, done.stderr
        judged = ended(installation, submission_id)
        assert judged.state == "scored", judged.reason
        with installation.database.reading() as session:
            rows = session.get_one(Submission, submission_id).evaluations
            found[slug] = sorted(row.value for row in rows)
    assert found["on-gpu"] == pytest.approx(found["on-cpu"], rel=1e-3)
