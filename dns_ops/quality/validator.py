"""Validation of data with Great Expectations, loaded when it is first used."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from dns_core.errors import InputError
from dns_core.records import FactTable
from dns_core.store.atomic import write_json
from dns_ops.quality.page import write_page
from dns_ops.quality.verdict import RejectedDataError, complaint


class GxValidator:
    """A `dns_core.ports.DataValidator`."""

    def validate(self, tables: Sequence[FactTable], report: Path) -> None:
        """Validate the data; the report has the form shown in the package's docstring.

        Raises:
            RejectedDataError: an expectation is not met.
            InputError: Great Expectations is not installed.
        """
        if find_spec("great_expectations") is None:
            raise InputError(
                "data are validated by Great Expectations: pip install 'distill-and-select[pipeline]'"
            )
        from dns_ops.quality.gx_runner import validated_suites  # noqa: PLC0415 - it takes seconds

        suites = validated_suites(tables)
        success = all(suite["success"] for suite in suites)
        verdict = {"name": report.stem, "success": success, "suites": suites}
        page = report.with_suffix(".html")
        write_json(report, verdict)
        write_page(page, verdict)
        if not success:
            raise RejectedDataError(complaint(verdict, page))
