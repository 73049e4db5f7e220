"""Courses, their people, and grades."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from podium.client.submissions import Submissions
from podium.client.transport import part, persist

if TYPE_CHECKING:
    from podium.client import answers


class Courses(Submissions):
    """Routes of courses and of grades."""

    def courses(self) -> list[answers.Course]:
        """The own courses."""
        return self._items("/courses")

    def course(self, course: str) -> answers.Course:
        """One of them."""
        return self._json("GET", f"/courses/{part(course)}")

    def create_course(self, course: str, title: str, time_zone: str) -> answers.Course:
        """A new course: for instructors."""
        asked = {"slug": course, "title": title, "time_zone": time_zone}
        return self._json("POST", "/courses", send=asked)

    def change_course(self, course: str, options: answers.CourseOptions) -> answers.Course:
        """Change options of a course: for its instructors."""
        return self._json("PATCH", f"/courses/{part(course)}", send=options)

    def renew_course_code(self, course: str, until: str | None) -> answers.Course:
        """A new join code; `until` is ISO 8601 with zone."""
        return self._json("POST", f"/courses/{part(course)}/code", send={"until": until})

    def close_course_code(self, course: str) -> answers.Course:
        """Nobody joins by a code any more."""
        return self._json("DELETE", f"/courses/{part(course)}/code")

    def join_course(self, code: str) -> answers.Course:
        """Join a course by its code."""
        return self._json("POST", "/courses/join", send={"code": code})

    def join_requests(self, course: str) -> list[answers.Request]:
        """Who came by a course's code and waits: for staff."""
        return self._items(f"/courses/{part(course)}/requests")

    def decide_request(
        self, course: str, request_id: int, *, accepts: bool, reason: str = ""
    ) -> None:
        """Let a person in, or decline."""
        said = {"accepts": accepts, "reason": reason}
        self._do("POST", f"/courses/{part(course)}/requests/{request_id}", send=said)

    def roster(self, course: str) -> list[answers.Place]:
        """Everybody in a course: for its staff."""
        return self._items(f"/courses/{part(course)}/roster")

    def import_roster(
        self, course: str, file: Path, *, dry_run: bool = False, remove_absent: bool = False
    ) -> answers.RosterDifference:
        """Bring a course to a class list: for its staff; what was changed."""
        fields = {
            "dry_run": str(dry_run).lower(),
            "remove_absent": str(remove_absent).lower(),
        }
        path = f"/courses/{part(course)}/roster"
        return persist(lambda: self._send("POST", path, fields, {"file": file}))

    def enrol(self, course: str, handle: str, role: str, section: str = "") -> answers.Place:
        """Give a person with an account a place in a course: for its staff."""
        asked = {"handle": handle, "role": role, "section": section}
        return self._json("POST", f"/courses/{part(course)}/people", send=asked)

    def change_place(
        self, course: str, place_id: int, options: answers.PlaceRequest
    ) -> answers.Place:
        """Change the role or the section of a place: for staff."""
        return self._json("PATCH", f"/courses/{part(course)}/people/{place_id}", send=options)

    def remove_place(self, course: str, place_id: int) -> None:
        """Take a person out of a course: for staff."""
        self._do("DELETE", f"/courses/{part(course)}/people/{place_id}")

    def grades(self, slug: str) -> answers.Grades:
        """The rule and everybody's grade as computed now: for staff that may grade."""
        return self._json("GET", f"/competitions/{part(slug)}/grades")

    def my_grade(self, slug: str) -> answers.MyGrade:
        """The own grade, when it is released."""
        return self._json("GET", f"/competitions/{part(slug)}/grades/mine")

    def set_grade_rule(self, slug: str, rule: answers.RuleRequest) -> None:
        """Publish how scores become percent: for instructors."""
        self._do("PUT", f"/competitions/{part(slug)}/grades/rule", send=rule)

    def override_grade(self, slug: str, email: str, percent: float | None, note: str) -> None:
        """Set a student's grade by hand, or with None take that back."""
        asked = {"email": email, "percent": percent, "note": note}
        self._do("PUT", f"/competitions/{part(slug)}/grades/override", send=asked)

    def release_grades(self, slug: str, reason: str = "") -> answers.Released:
        """Show every student their grade: for instructors."""
        path = f"/competitions/{part(slug)}/grades/release"
        return self._json("POST", path, send={"reason": reason})

    def export_grades(
        self, slug: str, style: str, class_list: Path | None = None
    ) -> answers.Export:
        """Grades as a file: csv, or canvas and moodle filled into their class list."""
        files = {} if class_list is None else {"file": class_list}
        path = f"/competitions/{part(slug)}/grades/export"
        return persist(lambda: self._send("POST", path, {"style": style}, files))
