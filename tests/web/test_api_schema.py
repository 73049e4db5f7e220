"""Every route of the API, called with what its description allows and with what it does not.

No answer is a fault of the server, and none has a status or a form that the description lacks.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from podium import accounts

# The workers' own routes need an attempt; test_api_work.py calls them.
LEFT_OUT = r"/work/"
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
PREDICTIONS = "id,label\n" + "".join(f"{row},0\n" for row in range(20))
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
TRIES = settings(
    max_examples=3,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def headers(installation, factory):
    """`headers(role)` of a person who may call what that role may."""

    def of(role: str) -> dict[str, str]:
        caller = factory.person(f"{role}-01", role)
        with installation.database.writing() as session:
            _, token = accounts.create_token(session, caller.id, "test", None)
        # Asked for uncompressed: called without a server, nobody would decode it.
        return {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}

    return of


@pytest.mark.filterwarnings("ignore")  # of the library, on formats that it does not know
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("role", ["student", "admin"])
def test_every_answer_is_as_described(app, factory, headers, role):
    factory.competition()
    student = factory.member("student-01")
    factory.submit(student, PREDICTIONS)
    known = {"slug": "toy", "id": 1, "submission_id": 1}
    faults: dict[str, str] = {}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    for found in schema.exclude(path_regex=LEFT_OUT).get_all_operations():
        operation = found.ok()
        sent = headers(role)  # anew: one of the calls revokes it
        for mode in MODES:
            cases = operation.as_strategy(generation_mode=mode)
            try:
                called(cases, known, sent)
            except Unsatisfiable:
                pass  # nothing can be wrong with a call of this route
            except Exception as error:  # an exception of the application's, or of a check
                faults[f"{operation.label} {mode.name}"] = str(error)[:1500]
    assert not faults, "\n\n".join(f"{name}\n{told}" for name, told in faults.items())


def called(cases, known: dict[str, object], headers: dict[str, str]) -> None:
    @TRIES
    @given(case=cases)
    def call(case) -> None:
        for name in known.keys() & case.path_parameters.keys():
            case.path_parameters[name] = known[name]  # else all would be "not found"
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS)

    call()
