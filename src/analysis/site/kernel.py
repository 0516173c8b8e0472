"""Run one notebook in a kernel of the running interpreter, with inline values and findings.

Quarto prints a stored inline value without running anything, if it finds it in
``cell.metadata.user_expressions``; so the client asks the kernel for each inline expression at
the moment its Markdown cell is reached. The kernel records what it answers, and what a labelled
cell shows; the findings are asked for once, after the last cell.
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.client import KernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbclient.util import ensure_async
from nbformat import NotebookNode

from analysis.faults import Fault, FaultsError
from analysis.site import recording
from analysis.site.environment import kernel_environment, plain

KERNEL = "interpreter"
# Names of sockets end near 100 characters; some 25 go to the file name and what is put after it.
LONGEST_FOLDER = 75
# What Quarto itself looks for: a language in braces, a blank, an expression without backticks.
_INLINE = re.compile(r"(?:^|[^`])`\{python\}[ \t]+([^`]+)`")
_CELL_LINE = re.compile(r"Cell In\[\d+\], line (\d+)")


class CellError(FaultsError):
    """A cell raised; carries the traceback beside the fault.

    Attributes
    ----------
    traceback : str
        As the kernel printed it, terminal colours included.
    """

    def __init__(self, fault: Fault, traceback: str) -> None:
        super().__init__([fault])
        self.traceback = traceback

    def __str__(self) -> str:
        return f"{self.faults[0]}\n{plain(self.traceback)}".rstrip()


def inline_expressions(markdown: str) -> list[str]:
    """Return the inline expressions of a Markdown text, each once, in order.

    Examples
    --------
    >>> inline_expressions("of `{python} total` claims, `{python} share ` and `{python} total`")
    ['total', 'share']
    """
    return list(dict.fromkeys(result.strip() for result in _INLINE.findall(markdown)))


class InterpreterSpecs(KernelSpecManager):  # type: ignore[misc, unused-ignore]
    """Knows one kernel, the running interpreter, so that none needs to be installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the kernel of the running interpreter, whatever the name."""
        return KernelSpec(
            argv=[
                sys.executable,
                "-m",
                "ipykernel_launcher",
                "-f",
                "{connection_file}",
                "--HistoryManager.hist_file=:memory:",
                # Kernels write to the terminal only what they cannot go on after.
                "--log-level=ERROR",
                # Figures as inline drawings, each once (analysis.results.display).
                "--IPKernelApp.extensions=analysis.results.display",
            ],
            display_name="Python 3",
            language="python",
            metadata={"supported_encryption": ["curve"]},
        )


def kernel_manager(folder: Path) -> AsyncKernelManager:
    """Return a manager of one kernel, its connection file and sockets inside `folder`."""
    # Sockets in a private folder where the platform has them: no open port, no race for one.
    local = sys.platform != "win32" and len(str(folder)) < LONGEST_FOLDER
    return AsyncKernelManager(
        kernel_name=KERNEL,
        kernel_spec_manager=InterpreterSpecs(),
        connection_file=str(folder / "kernel.json"),
        transport="ipc" if local else "tcp",
        transport_encryption="auto" if not local and zmq.has("curve") else "disabled",
    )


class InlineClient(NotebookClient):  # type: ignore[misc, unused-ignore]
    """Runs a notebook and stores inline values and findings in it.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.
    name : str
        The notebook as the project names it, for messages.
    manager : AsyncKernelManager
        Its kernel is started and ended by `run`.
    """

    def __init__(self, notebook: NotebookNode, name: str, manager: AsyncKernelManager) -> None:
        super().__init__(
            notebook,
            km=manager,
            record_timing=False,  # the same notebook run twice is the same file
            coalesce_streams=True,  # as is its printed text, however the kernel chunked it
            store_widget_state=False,
            # A dead kernel is noticed this soon while a reply is awaited.
            shell_timeout_interval=1,
        )
        self.name = name
        self.page = Path(name).stem
        self.n_inline = 0
        self.inline_faults: list[Fault] = []

    async def run(
        self, cwd: Path, env: Mapping[str, str], advance: Callable[[], None]
    ) -> list[dict[str, Any]]:
        """Run all cells and return the findings the notebook recorded.

        Parameters
        ----------
        cwd : Path
            Where the kernel starts.
        env : mapping of str to str
            Its whole environment.
        advance : callable
            Called after each cell.

        Raises
        ------
        CellError
            If a cell raises.
        FaultsError
            If inline expressions fail (all of them together), or the kernel dies.
        """
        # async_execute would install signal handlers per notebook; several run in one loop here.
        self.reset_execution_trackers()
        try:
            await self.async_start_new_kernel(cwd=str(cwd), env=dict(env))
            await self.async_start_new_kernel_client()
            for index, cell in enumerate(self.nb.cells):
                await self._run_cell(cell, index)
                advance()
            if self.inline_faults:
                raise FaultsError(self.inline_faults)
            return await self._findings()
        finally:
            await asyncio.shield(self._end())

    async def _run_cell(self, cell: NotebookNode, index: int) -> None:
        """Run a code cell, or store the inline values of a Markdown cell."""
        try:
            if cell.cell_type == "markdown":
                await self._store_inline(cell, index)
            else:
                await self.async_execute_cell(
                    cell, index, execution_count=self.code_cells_executed + 1
                )
                await self._record_exhibit(cell, index)
        except CellExecutionError as error:
            raise cell_failure(self.name, index, cell.source, error) from None
        except DeadKernelError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # nbclient takes every cancellation for a dead kernel; this one is an interrupt.
                raise asyncio.CancelledError from None
            raise FaultsError(
                [
                    Fault(
                        self.name,
                        "the kernel died while this cell ran",
                        "it often ran out of memory: run the cell by hand and watch it",
                        column=f"cell {index + 1}",
                    )
                ]
            ) from None

    async def _store_inline(self, cell: NotebookNode, index: int) -> None:
        """Ask for each inline expression of a Markdown cell and keep the answers in it."""
        expressions = inline_expressions(cell.source)
        if not expressions:
            return
        asked = []
        for expression in expressions:
            self.n_inline += 1
            behind = recording.cell_behind(expression, self.nb.cells[:index])
            asked.append(recording.inline(expression, self.page, self.n_inline, behind))
        answers = await self._ask(asked)
        stored = []
        for expression, answer in zip(expressions, answers, strict=True):
            problem, remedy = recording.inline_problem(answer)
            if problem:
                place = f"cell {index + 1}"
                self.inline_faults.append(
                    Fault(self.name, problem, remedy, column=place, value=expression)
                )
            else:
                stored.append({"expression": expression, "result": answer})
        cell.metadata["user_expressions"] = stored

    async def _record_exhibit(self, cell: NotebookNode, index: int) -> None:
        """Record the figure or table that a cell shows, and put the figure among its outputs."""
        asked = recording.exhibit(cell, self.page)
        if not asked:
            return
        [answer] = await self._ask([asked])
        about = recording.exhibit_of(answer)
        if "problem" in about:
            place = f"cell {index + 1}"
            self.inline_faults.append(
                Fault(self.name, about["problem"], about["remedy"], column=place)
            )
        elif about:
            recording.put_exhibit(cell, about)

    async def _ask(self, expressions: list[str]) -> list[dict[str, Any]]:
        """Evaluate expressions in the kernel without running code."""
        numbered = {str(number): text for number, text in enumerate(expressions)}
        message = self._client().execute(
            "", silent=True, store_history=False, user_expressions=numbered, stop_on_error=False
        )
        reply = await self.async_wait_for_reply(message)
        content = reply["content"] if reply else {}
        answers = content.get("user_expressions") or {}
        return [answers.get(number, {"status": "error", **_silence}) for number in numbered]

    async def _findings(self) -> list[dict[str, Any]]:
        """Return the findings the kernel holds after the last cell."""
        [answer] = await self._ask([recording.export(self.page)])
        if answer.get("status") != "ok":
            raise FaultsError(
                [
                    Fault(
                        self.name,
                        f"findings cannot be read: {answer.get('ename')}: {answer.get('evalue')}",
                        "look at the findings this notebook records",
                    )
                ]
            )
        rows: list[dict[str, Any]] = json.loads(ast.literal_eval(answer["data"]["text/plain"]))
        return rows

    def _client(self) -> KernelClient:
        """Return the started client; there is one from the first cell to the last."""
        if self.kc is None:
            raise RuntimeError(f"{self.name}: the kernel is not running")
        return self.kc

    async def _end(self) -> None:
        """End the kernel and its sockets, also when the start failed half-way."""
        manager, client = self.km, self.kc
        if client is not None:
            client.stop_channels()
        if manager is not None:
            if manager.has_kernel:
                await ensure_async(manager.shutdown_kernel(now=True))
            await ensure_async(manager.cleanup_resources())
        self.kc = self.km = None


_silence = {"ename": "NoReply", "evalue": "the kernel did not answer"}


def cell_failure(name: str, index: int, source: str, error: CellExecutionError) -> CellError:
    """Return what a reader needs to mend a failing cell.

    Parameters
    ----------
    name : str
        The notebook.
    index : int
        Position of the cell among all cells, from 0.
    source : str
        Its code.
    error : CellExecutionError
        What nbclient raised.
    """
    traceback = str(error.traceback)
    match = _CELL_LINE.search(plain(traceback))
    lines = source.splitlines()
    number = int(match.group(1)) if match else 0
    place = f"cell {index + 1}" + (f", line {number}" if number else "")
    fault = Fault(
        name,
        f"{error.ename}: {plain(str(error.evalue))}",
        "mend the cell and run the build again; finished notebooks are kept",
        column=place,
        value=lines[number - 1].strip() if 0 < number <= len(lines) else "",
    )
    return CellError(fault, traceback)


async def run_notebook(
    notebook: NotebookNode,
    name: str,
    root: Path,
    settings: Path,
    epoch: str,
    advance: Callable[[], None] = lambda: None,
) -> list[dict[str, Any]]:
    """Run a notebook in place and return its findings.

    Parameters
    ----------
    notebook : NotebookNode
        Without outputs; filled in place.
    name : str
        The notebook as the project names it.
    root : Path
        The project folder, where the kernel starts.
    settings : Path
        Folder for what IPython and Matplotlib keep between runs.
    epoch : str
        Seconds, for ``SOURCE_DATE_EPOCH``.
    advance : callable, optional
        Called after each cell.
    """
    # Sockets have short names by law of the platform, so their folder is not inside the project.
    folder = Path(tempfile.mkdtemp(prefix="kernel-"))
    for keeper in ("ipython", "jupyter", "matplotlib"):
        (settings / keeper).mkdir(parents=True, exist_ok=True)
    try:
        client = InlineClient(notebook, name, kernel_manager(folder))
        return await client.run(root, kernel_environment(root, settings, epoch), advance)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
