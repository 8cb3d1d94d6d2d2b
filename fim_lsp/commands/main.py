"""The command line: arguments in, one function called, an exit code out."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

from fim_lsp import __version__
from fim_lsp.commands.terminal import complete_streams, put, say
from fim_lsp.text.characters import visible

if TYPE_CHECKING:
    import argparse

    from fim_lsp.completion.service import Service
    from fim_lsp.settings.settings import Settings

DONE, FAILED, WRONG_USAGE = 0, 1, 2
RECORD = "usage.sqlite3"
NOWHERE = Path(os.devnull, "fim-lsp")  # a folder that cannot be


def run(arguments: Sequence[str]) -> int:
    """Run the command; the exit code: 0 done, 1 failed with a message on stderr, 2 wrong usage."""
    complete_streams()
    args = _arguments(arguments)
    _log(args)
    try:
        code = args.run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return FAILED
    except BrokenPipeError:
        # Whoever read our output has left; the interpreter's own flush at exit must not complain about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # noqa: BLE001 - no traceback reaches a user
        from fim_lsp.lsp.fault import place_of  # noqa: PLC0415

        say(f"a fault of its own: {type(error).__name__} at {place_of(error)}.")
        return FAILED
    else:
        return int(code)


def _arguments(arguments: Sequence[str]) -> Any:
    if list(arguments) in ([], ["--stdio"]):
        # As editors start it: greeting them need not wait for a parser.
        return SimpleNamespace(run=_serve, tcp=None, demo=False, log_file=None, log_level="warning")
    return _parser(arguments).parse_args(arguments)


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    import argparse  # noqa: PLC0415

    # The two large commands bring their own arguments, and are loaded only when they are named.
    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            super().error(visible(message))  # a shell may have put in the names of files

    parser = Parser(
        prog="fim-lsp",
        description="Code completion in any editor, from DeepSeek's fill-in-the-middle endpoint. "
        "Without a command it is the language server, on stdin and stdout.",
    )
    parser.add_argument("--version", action="version", version=f"fim-lsp {__version__}")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--stdio", action="store_true", help="serve on stdin and stdout (the default)")
    where.add_argument(
        "--tcp",
        metavar="HOST:PORT",
        type=_address,
        help="serve one client on a port; loopback if no host is given",
    )
    _common(parser, argparse.SUPPRESS)
    parser.set_defaults(run=_serve, demo=False, log_file=None, log_level="warning")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    complete = commands.add_parser("complete", help="one completion, printed as it streams")
    complete.add_argument(
        "place", metavar="FILE:LINE:COLUMN", type=_place, help="line and column count from 1"
    )
    complete.add_argument("--json", action="store_true", help="print one object instead")
    complete.set_defaults(run=_complete)

    doctor = commands.add_parser(
        "doctor", help="check that everything works, and say what to do where it does not"
    )
    doctor.add_argument("--json", action="store_true", help="print one object instead")
    doctor.add_argument("--report", metavar="FILE", type=Path, help="write a bug report that is safe to post")
    doctor.add_argument(
        "--find", action="store_true", help="look for engines on this machine's usual ports instead"
    )
    doctor.set_defaults(run=_doctor)

    demo = commands.add_parser("demo", help="serve the demo endpoint on loopback, and print its base URL")
    demo.add_argument("--port", type=int, default=0, help="a port; any free one if not given")
    demo.set_defaults(run=_demo)

    replay = commands.add_parser(
        "replay", help="what completion would cost on a repository, from its history"
    )
    usage = commands.add_parser("usage", help="what completions have cost")
    if "replay" in arguments:
        from fim_lsp.commands import replay_arguments as replaying  # noqa: PLC0415

        replaying.add_arguments(replay)
    if "usage" in arguments:
        from fim_lsp.commands import usage as using  # noqa: PLC0415

        using.add_arguments(usage)
    replay.set_defaults(run=_replay)
    usage.set_defaults(run=_usage)

    for command in (complete, doctor, demo, replay, usage):
        _common(command, argparse.SUPPRESS)
    return parser


def _common(parser: argparse.ArgumentParser, default: Any) -> None:
    parser.add_argument(
        "--demo",
        action="store_true",
        default=default,
        help="use the embedded demo endpoint: no key, no network",
    )
    parser.add_argument(
        "--log-file", metavar="PATH", type=Path, default=default, help="log there instead of stderr"
    )
    parser.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default=default,
        help="how much to log; never source text",
    )


def _address(text: str) -> tuple[str, int]:
    from argparse import ArgumentTypeError  # noqa: PLC0415

    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or not 0 <= int(port) < 65536:
        raise ArgumentTypeError("must be HOST:PORT or PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


def _place(text: str) -> tuple[Path, int, int]:
    from argparse import ArgumentTypeError  # noqa: PLC0415

    name, line, column = [*text.rsplit(":", 2), "", ""][:3]
    if not name or not line.isdigit() or not column.isdigit() or int(line) < 1 or int(column) < 1:
        raise ArgumentTypeError("must be FILE:LINE:COLUMN, counting from 1")
    return Path(name), int(line), int(column)


class _Formatter(logging.Formatter):
    """One line a record, without hidden characters."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


def _log(args: argparse.Namespace) -> None:
    try:
        handler: logging.Handler = (
            logging.FileHandler(args.log_file, encoding="utf-8") if args.log_file else logging.StreamHandler()
        )
    except OSError as error:
        handler = logging.StreamHandler()
        say(f"{args.log_file} cannot be written ({error.strerror}): logging to stderr.")
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=args.log_level.upper())
    # pygls, asyncio and httpx put messages, addresses and values into their logs: source text among them.
    for name in ("pygls", "asyncio", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def connector(*, demo: bool) -> Callable[[Settings], Service]:
    """What connects to the endpoint: the settings' one, or the embedded demo."""
    session = f"fim-lsp-{os.urandom(8).hex()}"

    def connect(settings: Settings) -> Service:
        # With rich and click at hand, httpx would load its own command line: 5 MB, which it can do without.
        sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
        from fim_lsp.endpoint.service import Service as Client  # noqa: PLC0415 - httpx costs 50 ms at start

        if not demo:
            from fim_lsp.commands.client import options  # noqa: PLC0415

            return Client(settings.base_url, session=session, **options(settings, os.environ, state_folder()))
        from fim_lsp.demo.endpoint import Demo  # noqa: PLC0415
        from fim_lsp.demo.model import Model  # noqa: PLC0415
        from fim_lsp.demo.transport import DemoTransport  # noqa: PLC0415

        return Client("http://demo.invalid", "sk-demo", transport=DemoTransport(Demo(Model(Path.cwd()))))

    return connect


def config_file() -> Path:
    """The user's own settings."""
    from platformdirs import user_config_path  # noqa: PLC0415

    return _own(user_config_path) / "config.toml"


def _own(folder: Callable[..., Path]) -> Path:
    """The user's folder for a purpose; `NOWHERE` where the user has no home, as with any number in a container.

    Nothing is read from a place that others choose in its stead, as the current folder, which a relative HOME names.
    """
    try:
        found = folder("fim-lsp", appauthor=False)
    except RuntimeError:
        return NOWHERE
    return found if found.is_absolute() else NOWHERE


def _serve(args: argparse.Namespace) -> int:
    from fim_lsp.lsp import serve, server  # noqa: PLC0415

    made = server.create(
        connector(demo=args.demo),
        config_file(),
        None if args.demo else record_file(),
        os.environ,
        demo=args.demo,
    )
    if args.tcp is None:
        return serve.serve_stdio(made)
    host, port = args.tcp
    if host not in {"127.0.0.1", "::1", "localhost"}:
        say(f"{host} is not a loopback address: whoever reaches it can use your key.")
    try:
        return serve.serve_tcp(made, host, port)
    except OSError as error:
        say(f"cannot listen on {host}:{port} ({error.strerror or type(error).__name__}): choose another.")
        return FAILED


def _complete(args: argparse.Namespace) -> int:
    from fim_lsp.commands import complete  # noqa: PLC0415

    return complete.run(
        *args.place,
        connect=connector(demo=args.demo),
        config=config_file(),
        environ=os.environ,
        as_json=args.json,
    )


def _doctor(args: argparse.Namespace) -> int:
    from fim_lsp.commands import doctor, find  # noqa: PLC0415

    if args.find:
        return find.run(connect=connector(demo=False), config=config_file(), as_json=args.json)
    return doctor.run(
        connect=connector(demo=args.demo),
        config=config_file(),
        environ=os.environ,
        demo=args.demo,
        as_json=args.json,
        record=None if args.demo else record_file(),
        report=args.report,
    )


def state_folder() -> Path:
    """Where what this user's servers keep is kept."""
    from platformdirs import user_state_path  # noqa: PLC0415

    return _own(user_state_path)


def record_file() -> Path:
    """The record of usage."""
    return state_folder() / RECORD


def _replay(args: argparse.Namespace) -> int:
    from fim_lsp.commands import replay  # noqa: PLC0415

    return replay.run(
        args,
        connect=connector(demo=args.demo),
        config=config_file(),
        environ=os.environ,
        answers=record_file().with_name("answers"),
    )


def _usage(args: argparse.Namespace) -> int:
    from fim_lsp.commands import usage  # noqa: PLC0415

    return usage.run(args, config=config_file(), record=record_file())


def _demo(args: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415

    from fim_lsp.demo import server  # noqa: PLC0415

    try:
        asyncio.run(server.run("127.0.0.1", args.port, put, Path.cwd()))
    except OSError as error:
        say(f"cannot listen on port {args.port} ({error.strerror}): choose another.")
        return FAILED
    return DONE
