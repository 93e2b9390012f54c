"""Calls of an MCP server's tools that meet faults."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from mcp import Client, MCPError
from mcp.types import CallToolRequestParams, CallToolResult

from pytest_ultra.errors import ToolFaultError
from pytest_ultra.real_tools.call_records import CallRecord, RecordedError
from pytest_ultra.real_tools.injected_faults import StartedCall, ToolFaults
from pytest_ultra.real_tools.mcp_forwarder import pass_call_on
from pytest_ultra.real_tools.mcp_listing import Listing
from pytest_ultra.real_tools.mcp_results import McpResult, error_result, fault_result, result_text
from pytest_ultra.real_tools.recording import RecordingDivergedError
from pytest_ultra.real_tools.wrapped_functions import run_remake

_PROTOCOL_ERROR = "MCPError"


class FaultyMcpCalls:
    """Calls tools of a real server, of a recording of it, or none of them where a fault says so."""

    def __init__(self, listing: Listing, connect: Callable[[], Awaitable[Client]], faults: ToolFaults) -> None:
        self._listing = listing
        self._connect = connect
        self._faults = faults
        self._forms: dict[str, McpResult] = {}

    async def call(self, params: CallToolRequestParams, progress: Callable[..., Awaitable[None]]) -> Any:
        """Call a tool. The answer to a server's question belongs to a call that has met its fault already."""
        if params.input_responses is not None or params.request_state is not None:
            return await pass_call_on(await self._connect(), params, progress)
        make = partial(self._make, params, progress)
        arguments, form = params.arguments or {}, self._form(params.name)
        try:
            is_valid = self._listing.accepts(params.name, arguments)
            started = self._faults.start(params.name, arguments, form, make, is_valid=is_valid)
        except RecordingDivergedError as error:
            return error_result(str(error))
        if started.error is not None:
            return self._report(started.finish_fault())
        if started.recorded is not None:
            return self._replay(started, started.recorded, form)
        return await self._call_real(started, make)

    async def _call_real(self, started: StartedCall, make: Callable[[], Awaitable[Any]]) -> Any:
        for remake in self._faults.recording.take_served() if self._faults.recording is not None else ():
            await run_remake(remake)
        try:
            result = await make()
        except MCPError as error:
            stored = {"code": error.code, "message": error.message, "data": error.data}
            started.finish_error(RecordedError(_PROTOCOL_ERROR, error.message), stored)
            raise
        except BaseException as error:  # the connection broke, or the client cancelled the call
            started.finish_error(RecordedError(type(error).__name__, str(error)), is_stored=False)
            raise
        return self._finish(started, result)

    async def _make(self, params: CallToolRequestParams, progress: Callable[..., Awaitable[None]]) -> Any:
        return await pass_call_on(await self._connect(), params, progress)

    def _replay(self, started: StartedCall, recorded: CallRecord, form: McpResult) -> Any:
        if recorded.error is not None and recorded.error.type == _PROTOCOL_ERROR:
            started.finish_error(recorded.error, recorded.result)
            raise MCPError(**_mapping(recorded.result))
        return self._finish(started, form.load(recorded.result))

    def _finish(self, started: StartedCall, result: Any) -> Any:
        if isinstance(result, CallToolResult) and result.is_error:
            stored = result.model_dump(mode="json", by_alias=True, exclude_unset=True)
            started.finish_error(RecordedError("isError", result_text(result)), stored)
            return result
        try:
            return started.finish(result)
        except ToolFaultError as error:
            return self._report(error)

    def _report(self, error: ToolFaultError) -> Any:
        """Return the error as a result, or as what the user makes of it: a result, or its text."""
        make = self._faults.settings.error
        made = fault_result(error) if make is None else make(error)
        return made if isinstance(made, CallToolResult) else error_result(str(made))

    def _form(self, name: str) -> McpResult:
        if name not in self._forms:
            tool = self._listing.tools.get(name)
            self._forms[name] = McpResult(None if tool is None else tool.output_schema)
        return self._forms[name]


def _mapping(stored: Any) -> Mapping[str, Any]:
    return stored if isinstance(stored, dict) else {"code": 0, "message": str(stored)}
