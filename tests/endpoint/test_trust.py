"""Whose certificates are believed: by real handshakes with a server on loopback, and what is said where one is not."""

import json
import ssl
import sys
from types import SimpleNamespace

import pytest
import trustme
from lsp import Client
from peer import Peer, briefly

from fim_lsp.commands import doctor
from fim_lsp.endpoint import connection_pool, trust
from fim_lsp.endpoint.request import Refused, Request, Unavailable
from fim_lsp.endpoint.service import Service
from fim_lsp.endpoint.trust import verifying
from fim_lsp.settings.config_file import from_file
from fim_lsp.settings.settings import Settings, merged

ASK = Request("x = ", "", "m", 8, 0.0)
VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """No variable of the machine's own."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def company():
    return trustme.CA()


@pytest.fixture
async def served(company):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown = company.issue_cert("localhost")
    shown.configure_cert(context)
    peer = await Peer(briefly).start(context)
    peer.shown = shown.cert_chain_pems[0]
    yield peer
    await peer.stop()


@pytest.fixture
def pem(company, tmp_path):
    path = tmp_path / "company.pem"
    company.cert_pem.write_to_path(str(path))
    return path


async def text(url, ca_file=None):
    """The text of an answer, or the error."""
    client = Service(url, "sk-test", ca_file=ca_file)
    try:
        async with client.complete(ASK, seconds=5) as reply:
            return "".join([piece async for piece in reply])
    except (Refused, Unavailable) as error:
        return error
    finally:
        await client.aclose()


async def test_the_systems_store_is_believed(served, pem, monkeypatch):
    """A company's certificate that the machine knows, as browsers and curl do, needs no variable."""
    monkeypatch.setattr(trust, "STORES", ("/nowhere.pem", str(pem)))
    monkeypatch.setattr(connection_pool, "verifying", lambda ca: verifying(ca, stores=trust.STORES))
    assert await text(served.url) == "ok"


async def test_a_file_in_the_settings_is_believed_besides(served, pem, monkeypatch, tmp_path):
    """And besides SSL_CERT_FILE, which knows nothing of it."""
    assert await text(served.url, str(pem)) == "ok"
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    assert (await text(served.url)).cause == "network"
    assert await text(served.url, str(pem)) == "ok"


async def test_the_variables_go_on_as_they_did(served, pem, monkeypatch, tmp_path):
    """A file, or a folder of certificates by their hashes."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    assert await text(served.url) == "ok"
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "certs"))
    assert "SSL_CERT_DIR names" in (await text(served.url)).message
    (tmp_path / "certs").mkdir()
    assert (await text(served.url)).cause == "network"


async def test_a_certificate_that_is_named_itself_is_believed(served, tmp_path):
    """Not only its issuer: what an appliance has made for itself is all that its owner can name."""
    served.shown.write_to_path(str(tmp_path / "own.pem"))
    assert await text(served.url, str(tmp_path / "own.pem")) == "ok"


async def test_one_that_nobody_knows_is_named_with_its_remedy(served):
    """Host, setting and what to do; nothing was asked."""
    error = await text(served.url)
    assert isinstance(error, Unavailable)
    assert error.message.startswith("localhost shows a certificate that is not trusted")
    assert "set caFile in config.toml (or SSL_CERT_FILE) to the path" in error.message
    assert not served.bodies


@pytest.mark.parametrize("name", ["caFile", "SSL_CERT_FILE"])
@pytest.mark.parametrize(
    ("made", "word"),
    [
        (None, "cannot be read (No such file or directory): correct it"),
        ("", "holds no certificates in PEM"),
        ("-----BEGIN CERTIFICATE-----\nZZ\n", "holds no certificates in PEM"),
        ("\0\1\2 binary", "holds no certificates in PEM"),
    ],
)
async def test_a_file_that_is_none_is_named(served, tmp_path, monkeypatch, name, made, word):
    """The reader has set it: with its name, its path, and the host that is not asked."""
    path = tmp_path / "wrong.pem"
    if made is not None:
        path.write_text(made)
    if name == "SSL_CERT_FILE":
        monkeypatch.setenv(name, str(path))
    error = await text(served.url, str(path) if name == "caFile" else None)
    assert isinstance(error, Refused)
    assert error.message.startswith(f"localhost is not asked: {name} names {path}, which ")
    assert word in error.message


@pytest.mark.parametrize("how", ["good", "none", "wrong", "other"])
async def test_the_doctor_and_the_server_agree(served, pem, tmp_path, how):
    """By the same settings both find the same."""
    path = {"good": pem, "none": None, "wrong": tmp_path / "no.pem", "other": tmp_path / "other.pem"}[how]
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    folder = tmp_path / ".config" / "fim-lsp"
    folder.mkdir(parents=True)
    lines = [f'base_url = "{served.url}"', 'api_key = "sk-test"', "debounce_ms = 0"]
    config = folder / "config.toml"
    config.write_text("\n".join([*lines, *([f'ca_file = "{path}"'] if path else [])]))
    config.chmod(0o600)
    checks = await doctor.examine(
        connect=lambda chosen: Service(chosen.base_url, chosen.api_key, ca_file=chosen.ca_file),
        config=config,
        environ={},
        demo=False,
    )
    said = checks[-1].found.partition(": ")[2]
    shown = {check.name: check.found for check in checks}
    assert shown["certificates"] == ("the system's store and caFile" if path else "the system's store")
    client = await Client().start(tmp_path)
    await client.initialize({})
    client.open("file:///a.py", "x = \n")
    offered = await client.texts("file:///a.py", 0, 4, explicit=True)
    if how == "good":
        # The server's answer is no list of models, but it was reached.
        assert (offered, client.messages()) == (["ok"], [])
        assert checks[-1].posted == "garbage"
    else:
        assert offered == []
        assert client.messages() == [f"fim-lsp: {said}"]
    await client.kill()


async def test_a_new_file_is_a_new_connection(world):
    """A change of the setting needs no restart."""
    connected = []
    world.connected = lambda chosen: connected.append(chosen.ca_file)
    world.engine.backend.service()
    await world.engine.configure(Settings(ca_file="/etc/ca.pem"))
    world.engine.backend.service()
    assert connected == [None, "/etc/ca.pem"]


async def test_a_folder_cannot_name_certificates(start, served, pem):
    """Its author would be believed in the place of the service."""
    client = await start({"baseUrl": served.url})
    client.open("file:///a.py", "x = \n")
    assert await client.texts("file:///a.py", 0, 4, explicit=True) == []
    client.push({"caFile": str(pem)})
    await client.until(lambda: len(client.messages()) > 1)
    assert '"caFile" in the editor\'s settings: left out' in client.messages()[-1]
    assert await client.texts("file:///a.py", 0, 4, explicit=True) == []
    assert not served.bodies


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_windows_and_macos_verify_by_their_own_means(monkeypatch, pem, platform):
    """Their stores are more than files; `caFile` counts there, too, and SSL_CERT_FILE comes first."""
    made = []

    class Own(ssl.SSLContext):
        def __init__(self, protocol):
            made.append(self)

    monkeypatch.setitem(sys.modules, "truststore", SimpleNamespace(SSLContext=Own))
    context = verifying(str(pem), {}, platform)
    assert made == [context]
    assert len(context.get_ca_certs()) == 1
    assert type(verifying(None, {"SSL_CERT_FILE": str(pem)}, platform)) is ssl.SSLContext
    assert len(made) == 1


def test_a_machine_without_a_store_has_httpxs(monkeypatch):
    """A small container knows nobody; it still reaches the service."""
    nothing = SimpleNamespace(cafile=None, capath=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nothing)
    monkeypatch.setattr(ssl.SSLContext, "set_default_verify_paths", lambda _: None)
    context = verifying(None, {}, "linux", ())
    assert len(context.get_ca_certs()) > 50


def test_a_broken_store_is_none(tmp_path, pem):
    """The next one counts."""
    (tmp_path / "broken.pem").write_text("no certificate")
    before = verifying(None, {}, "linux", ()).cert_store_stats()["x509"]
    context = verifying(None, {}, "linux", (str(tmp_path / "broken.pem"), str(pem)))
    assert context.cert_store_stats()["x509"] == before + 1 or before > 50


@pytest.mark.parametrize(
    ("written", "held"),
    [
        ("/etc/ca.pem", "/etc/ca.pem"),
        ("~/ca.pem", "/home/someone/ca.pem"),
        ("ca.pem", None),
        ("", None),
        (7, None),
        ("/a\0b", None),
    ],
)
def test_the_setting_is_a_whole_path(monkeypatch, written, held):
    """`~` is the user's home; what depends on where the editor was started is refused."""
    monkeypatch.setenv("HOME", "/home/someone")
    settings, wrong = merged([("config.toml", {"ca_file": written})])
    assert settings.ca_file == held
    assert bool(wrong) == (held is None)
    assert all("must be the whole path of a file" in said for said in wrong)


def test_a_path_in_a_file_of_settings(tmp_path):
    """As a user writes it."""
    (tmp_path / "config.toml").write_text('ca_file = "/etc/ca.pem"')
    layer, wrong = from_file(tmp_path / "config.toml")
    assert wrong == []
    assert merged([("config.toml", layer)])[0] == Settings(ca_file="/etc/ca.pem")
    assert json.dumps(layer)
