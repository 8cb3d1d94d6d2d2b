"""Real Emacs, in batch and in a terminal, set up from its README."""

import re
import shutil
import subprocess
import threading

import pytest
from real import ROOT, Scripted, block, environment, holds, program, wait

BODY = "total = a + b\n    return total"
ADD = b"def add(a, b):\n    \n\n\nprint(add(1, 2))\n"
FILE = ROOT / "editors" / "emacs" / "fim-lsp.el"
WAIT = """
(setq print-escape-newlines t)
(defun until (check)
  (with-timeout (10 (error "It did not happen: %S" (list fim-lsp--texts (buffer-string))))
    (while (not (funcall check)) (accept-process-output nil 0.02))))
"""


@pytest.fixture
def batch(scripted, tmp_path):
    """Run Emacs Lisp after the README's; what it prints."""

    def run(lisp, number=0):
        env = environment(tmp_path / "home", scripted.url)
        script = tmp_path / "test.el"
        script.write_text(block("emacs", "elisp", number) + WAIT + lisp, "utf-8")
        return loaded(script, env).stdout

    return run


def loaded(script, env):
    """What has become of Emacs once it has loaded a script, in the script's folder."""
    done = subprocess.run(
        [program("EMACS"), "-Q", "--batch", "-l", str(script)],
        env=env,
        cwd=script.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_it_compiles_and_documents_itself(tmp_path):
    """The byte compiler warns of nothing, and checkdoc of nothing."""
    emacs = [program("EMACS"), "-Q", "--batch", "--eval"]
    strict = f"""(setq byte-compile-error-on-warn t
                       byte-compile-dest-file-function (lambda (_) "{tmp_path}/out.elc"))"""
    done = subprocess.run(
        [*emacs, strict, "-f", "batch-byte-compile", str(FILE)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run([*emacs, f'(checkdoc-file "{FILE}")'], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_accepted_by_word_by_line_and_whole(batch, scripted, tmp_path):
    """Each inserts what it says and no more, undo takes it back, and what is saved is right."""
    path = tmp_path / "a.py"
    path.write_bytes(ADD)
    scripted.says = BODY + "\n\n\n"
    out = batch(
        f"""
        (find-file "{path}")
        (goto-char (point-min)) (end-of-line 2)
        (fim-lsp-complete)
        (until (lambda () fim-lsp--shown))
        (princ (format "%S\\n" (fim-lsp--rest)))
        (insert "to") (fim-lsp--after-command)
        (princ (format "%S\\n" (fim-lsp--rest)))
        (fim-lsp-accept-word)
        (princ (format "%S\\n" (fim-lsp--rest)))
        (fim-lsp-accept-line)
        (princ (format "%S\\n" (fim-lsp--rest)))
        (buffer-enable-undo) (undo-boundary)
        (fim-lsp-accept)
        (princ (format "%S\\n" fim-lsp--shown))
        (primitive-undo 2 buffer-undo-list)
        (princ (format "%S\\n" (buffer-substring-no-properties (line-beginning-position) (line-end-position))))
        (insert "\\n    return total")
        (save-buffer)
        """
    )
    assert out.splitlines() == [
        r'"total = a + b\n    return total"',
        r'"tal = a + b\n    return total"',
        r'" = a + b\n    return total"',
        r'"\n    return total"',
        "nil",
        '"    total = a + b"',
    ]
    assert path.read_bytes() == ADD.replace(b"    \n", f"    {BODY}\n".encode())


def test_a_budget_that_is_used_up_can_be_passed(batch, scripted, tmp_path):
    """Nothing is shown until the user says to go on."""
    path = tmp_path / "f.py"
    path.write_bytes(b"x = \n")
    scripted.says = "call()\n"
    batch(
        f"""
        (setq fim-lsp-settings '(:dailyBudget 0))
        (find-file "{path}")
        (end-of-line)
        (fim-lsp-complete)
        (until (lambda () (string-match-p "budget used, deepseek-flash, 0 requests" (fim-lsp-status))))
        (fim-lsp-complete)
        (sleep-for 0.5)
        (when fim-lsp--shown (error "Something is shown"))
        (fim-lsp-resume)
        (fim-lsp-complete)
        (until (lambda () fim-lsp--shown))
        (fim-lsp-accept)
        (save-buffer)
        """
    )
    assert path.read_bytes() == b"x = call()\n"


def test_its_commands_are_those_of_other_editors(batch, scripted, tmp_path):
    """Paused and on again, explained, priced, forgotten: each says what it has done, and the prompt is shown to the byte."""
    path = tmp_path / "w.py"
    path.write_bytes(b"value = 1\nx = \n")
    scripted.says = "call()\n"
    out = batch(
        f"""
        (find-file "{path}")
        (goto-char (point-max)) (backward-char)
        (fim-lsp-complete)
        (until (lambda () fim-lsp--shown))
        (defun told (command) (princ (concat (call-interactively command) "\n")))
        (defun shown (title)
          (princ (with-current-buffer title (concat (buffer-string) "\n"))))
        (told #'fim-lsp-status)
        (told #'fim-lsp-toggle)
        (princ (format "%S %s\n" fim-lsp--shown (fim-lsp--lighter)))
        (told #'fim-lsp-toggle)
        (told #'fim-lsp-clear-cache)
        (fim-lsp-explain) (shown "*fim-lsp explain*")
        (fim-lsp-usage) (shown "*fim-lsp usage*")
        (fim-lsp-log)
        (with-current-buffer "*fim-lsp log*" (unless buffer-read-only (error "It can be edited")))
        """
    )
    lines = out.splitlines()
    assert lines[:5] == [
        "fim-lsp: ready, deepseek-flash, 1 request, 0 answers from memory ",
        "fim-lsp: paused, deepseek-flash, 1 request, 0 answers from memory ",
        "nil  fim off",
        "fim-lsp: ready, deepseek-flash, 1 request, 0 answers from memory ",
        "fim-lsp: the answers that were kept are forgotten",
    ]
    assert f"To {scripted.url}/beta/completions, for the model deepseek-flash" in lines
    assert "prompt:\n# w.py\nvalue = 1\nx = \n" in out
    assert "deepseek-flash" in out.partition("suffix:")[2]


def test_emoji_and_crlf(batch, scripted, tmp_path):
    """Positions count characters, changes are told as they happen, and line ends stay."""
    path = tmp_path / "b.py"
    path.write_bytes("s = '😀漢'\r\nlast = 1\r\n".encode())
    scripted.says = "'é😀')\r\n"
    batch(
        f"""
        (find-file "{path}")
        (fim-lsp-complete)
        (until (lambda () fim-lsp--opened))
        (end-of-line) (insert " + ") (backward-delete-char 1) (insert " str(")
        (fim-lsp-complete)
        (until (lambda () fim-lsp--shown))
        (fim-lsp-accept)
        (save-buffer)
        """
    )
    assert scripted.bodies[-1]["prompt"].endswith("s = '😀漢' + str(")
    assert path.read_bytes() == "s = '😀漢' + str('é😀')\r\nlast = 1\r\n".encode()


def test_what_is_closed_already_is_not_closed_twice(batch, scripted, tmp_path):
    """A suggestion that closes what the line closes behind point takes its place, in one step of undo."""
    path = tmp_path / "e.py"
    path.write_bytes(b"total = ()\n")
    scripted.says = "b) * c"
    out = batch(
        f"""
        (find-file "{path}")
        (end-of-line) (backward-char)
        (fim-lsp-complete)
        (until (lambda () fim-lsp--shown))
        (buffer-enable-undo) (undo-boundary)
        (fim-lsp-accept-word)
        (princ (format "%S\n" (buffer-string)))
        (fim-lsp-accept)
        (princ (format "%S\n" (buffer-string)))
        (primitive-undo 2 buffer-undo-list)
        (princ (format "%S\n" (substring-no-properties (buffer-string))))
        """
    )
    assert out.splitlines() == [
        r'"total = (b)\n"',
        r'"total = (b) * c\n"',
        r'"total = (b)\n"',
    ]


@pytest.mark.parametrize("pairs", ["1", "-1"])
def test_typed_along_with_what_is_closed_by_itself(batch, scripted, tmp_path, pairs):
    """All of it stands there once, with electric pairs and without; a key too soon takes nothing."""
    path = tmp_path / "closed.py"
    path.write_bytes(b"x = \n")
    scripted.says = "area(a, [b]) + 1\n"
    batch(
        f"""
        (find-file "{path}")
        (electric-pair-mode {pairs})
        (end-of-line)
        (fim-lsp--ask 2)
        (until (lambda () fim-lsp--shown))
        (dolist (key (string-to-list "area(a, ["))
          (setq last-command-event key)
          (call-interactively #'self-insert-command)
          (fim-lsp--after-command))
        (when (> {pairs} 0) (fim-lsp-accept))
        (fim-lsp--ask 2)
        (until (lambda () (equal (fim-lsp--rest) "b]) + 1")))
        (fim-lsp-accept-word)
        (fim-lsp--ask 2)
        (until (lambda () (equal (fim-lsp--rest) "]) + 1")))
        (fim-lsp-accept)
        (save-buffer)
        """
    )
    assert path.read_bytes() == b"x = area(a, [b]) + 1\n"
    assert scripted.asked == 1


def test_candidates_dismissal_and_two_buffers(batch, scripted, tmp_path):
    """Others are shown one after the other, one is hidden until asked for, and each buffer has its own."""
    texts = ["first()", "second()", "third()"]
    scripted.says = lambda _: texts[min(scripted.asked - 1, 2)] + "\n"
    one, two = tmp_path / "f.py", tmp_path / "g.py"
    one.write_bytes(b"x = \n")
    two.write_bytes(b"y = \n")
    out = batch(
        f"""
        (find-file "{one}")
        (end-of-line)
        (fim-lsp-complete)
        (until (lambda () fim-lsp--shown))
        (fim-lsp-next)  ; asks for the others
        (until (lambda () (= 3 (length fim-lsp--texts))))
        (dotimes (_ 4) (princ (concat (fim-lsp--rest) " ")) (fim-lsp-next))
        (fim-lsp-previous)
        (princ (fim-lsp--rest))
        (find-file "{two}")
        (princ (format " %S " fim-lsp--shown))
        (end-of-line)
        (fim-lsp-complete)
        (until (lambda () fim-lsp--shown))
        (fim-lsp-dismiss)
        (princ (format "%S %S" fim-lsp--shown (fim-lsp--rest)))
        (set-buffer "f.py")
        (princ (format " %S" (fim-lsp--rest)))
        (fim-lsp-accept)
        (save-buffer)
        """
    )
    first, *others = out.split()[:3]
    assert {first, *others} == set(texts)
    assert out.split()[3:] == [first, first, "nil", "nil", "nil", f'"{first}"']
    assert one.read_bytes() == f"x = {first}\n".encode()
    assert two.read_bytes() == b"y = \n"


def test_a_candidate_that_was_gone_to_is_typed_along(batch, scripted, tmp_path):
    """A key that the one shown begins with, as another does, leaves the one shown."""
    texts = ["beta()", "alpha()", "alps()"]
    scripted.says = lambda _: texts[min(scripted.asked - 1, 2)] + "\n"
    path = tmp_path / "c.py"
    path.write_bytes(b"x = \n")
    out = batch(
        TYPES
        + f"""
        (find-file "{path}")
        (end-of-line)
        (fim-lsp-complete)
        (until (lambda () fim-lsp--shown))
        (fim-lsp-next)
        (until (lambda () (= 3 (length fim-lsp--texts))))
        (key #'fim-lsp-next)
        (princ (fim-lsp--rest))
        (typed "a")
        (sleep-for 0.5)
        (princ (concat " a" (fim-lsp--rest)))
        """
    )
    third, typed = out.split()
    assert third == typed


def test_a_server_that_dies_is_started_again(batch, scripted, tmp_path):
    """Killed, it is there again with the next ask, and knows the buffer as it is."""
    path = tmp_path / "h.py"
    path.write_bytes(b"x = \n")
    scripted.says = "call()\n"
    batch(
        f"""
        (find-file "{path}")
        (end-of-line)
        (fim-lsp-complete)
        (until (lambda () fim-lsp--shown))
        (fim-lsp-dismiss)
        (signal-process (jsonrpc--process fim-lsp--connection) 'SIGKILL)
        (until (lambda () (not (jsonrpc-running-p fim-lsp--connection))))
        (insert "1 + ")
        (fim-lsp-complete)
        (until (lambda () fim-lsp--shown))
        (fim-lsp-accept)
        (save-buffer)
        """
    )
    assert scripted.bodies[-1]["prompt"].endswith("x = 1 + ")
    assert path.read_bytes() == b"x = 1 + call()\n"


@pytest.fixture
def eglot(terminal, scripted, tmp_path):
    """Emacs in a terminal with a file whose only server is ours, by README's lines for eglot, at the end of its last line."""
    home = tmp_path / "home"
    env = {**environment(home, scripted.url), "TERM": "xterm-256color"}
    (home / ".emacs.d").mkdir()
    (home / ".emacs.d" / "init.el").write_text(
        block("emacs", "elisp", 2)
        + "(setq eglot-sync-connect 10)\n(add-hook 'text-mode-hook #'eglot-ensure)\n"
    )

    def begin(path):
        screen = terminal(env, program("EMACS"), "-nw", str(path))
        screen.until("eglot:")
        screen.press("M->", "Left")
        return screen

    return begin


def test_as_eglots_own_server_the_first_ask_inserts(eglot, scripted, tmp_path):
    """C-M-i, once, inserts the whole text, of several lines too, however long the service takes to its first word."""
    path = tmp_path / "c.txt"
    path.write_bytes(b"alpha\n  bet\n")
    scripted.says, scripted.first = "a = (1,\n    2)\n", 1.0
    screen = eglot(path)
    screen.press("C-M-i")
    screen.until("  beta = (1,")
    screen.press("C-x", "C-s")
    wait(lambda: holds(path, b"alpha\n  beta = (1,\n    2)\n"))
    assert scripted.asked == 1


def test_as_eglots_own_server_a_key_ends_the_wait(eglot, scripted, tmp_path):
    """While an ask waits, what is typed is there at once, and what comes later is not put into it."""
    path = tmp_path / "d.txt"
    path.write_bytes(b"alpha\n  bet\n")
    scripted.says, scripted.first = "a = 1\n", 5.0
    screen = eglot(path)
    screen.press("C-M-i")
    wait(lambda: scripted.asked)
    screen.type("x")
    screen.until("  betx", 2)
    screen.press("C-x", "C-s")
    wait(lambda: holds(path, b"alpha\n  betx\n"), 2)


def test_on_a_terminals_screen(terminal, scripted, tmp_path):
    """Ghost text stands where it belongs, is typed along without a request, and TAB makes it text."""
    home = tmp_path / "home"
    env = {**environment(home, scripted.url), "TERM": "xterm-256color"}
    (home / ".emacs.d").mkdir()
    (home / ".emacs.d" / "init.el").write_text(block("emacs", "elisp"))
    path = tmp_path / "d.py"
    path.write_bytes(ADD)
    scripted.says = BODY + "\n\n\n"
    screen = terminal(env, program("EMACS"), "-nw", str(path))
    screen.until("print(add(1, 2))")
    screen.press("C-n", "C-e")
    screen.type("x")
    screen.press("BSpace")
    shown = screen.until("    return total").splitlines()
    at = shown.index("def add(a, b):")
    assert shown[at + 1 : at + 4] == ["    total = a + b", "    return total", ""]
    assert screen.cursor() == (4, at + 1)
    asked = scripted.asked
    screen.type("tot")
    screen.press("Tab", "C-x", "C-s")
    wait(lambda: holds(path, ADD.replace(b"    \n", f"    {BODY}\n".encode())))
    assert asked <= 2
    # Before a bracket that the suggestion closes itself, the line looks as it will be.
    scripted.says = "b) * c"
    screen.press("M->")
    screen.type("z = ()")
    screen.press("C-b")
    screen.type("y")
    screen.press("BSpace")
    shown = screen.until("z = (b) * c").splitlines()
    assert "z = (b) * c" in shown
    assert screen.cursor() == (5, shown.index("z = (b) * c"))
    screen.press("Tab", "C-x", "C-s")
    wait(lambda: holds(path, ADD.replace(b"    \n", f"    {BODY}\n".encode()) + b"z = (b) * c\n"))


def test_a_folders_variables_move_neither_the_key_nor_the_text(scripted, tmp_path):
    """A repository with one file, `.dir-locals.el`, of which Emacs asks nothing: the author's endpoint is not met."""
    path = tmp_path / "p" / "notes.txt"
    path.parent.mkdir()
    path.write_text("x = \n")
    with Scripted() as stranger:
        (path.parent / ".dir-locals.el").write_text(
            f'((nil . ((eglot-workspace-configuration . (:fimLsp (:baseUrl "{stranger.url}"))))))'
        )
        script = tmp_path / "test.el"
        script.write_text(
            block("emacs", "elisp", 2)
            + f"""
            (require 'project)
            (require 'eglot)
            (setq eglot-sync-connect 10)
            (add-to-list 'project-find-functions (lambda (_) '(transient . "{path.parent}/")))
            (find-file "{path}")
            (unless eglot-workspace-configuration (error "The folder's variables were not taken"))
            (call-interactively #'eglot)
            (end-of-line)
            (dotimes (_ 3)
              (jsonrpc-request (eglot-current-server) :textDocument/completion
                               (append (eglot--TextDocumentPositionParams) '(:context (:triggerKind 1))))
              (sleep-for 0.3))
            (with-current-buffer (messages-buffer) (princ (buffer-string)))
            """
        )
        done = loaded(script, environment(tmp_path / "home", scripted.url))
        assert (stranger.connections, stranger.asked) == (0, 0)
        assert scripted.asked > 0
        assert '"baseUrl"' in done.stdout + done.stderr


def test_the_first_key_waits_for_no_server(batch, scripted, tmp_path):
    """A server that takes its time to start holds up nothing; what was asked before it was there is answered then."""
    path = tmp_path / "i.py"
    path.write_bytes(b"x = \n")
    scripted.says = "call()\n"
    out = batch(
        f"""
        (setq fim-lsp-command '("sh" "-c" "sleep 2; exec fim-lsp"))
        (find-file "{path}")
        (end-of-line)
        (let ((before (float-time)))
          (fim-lsp--ask 2)
          (princ (if (< (- (float-time) before) 1) "at once" "late")))
        (until (lambda () fim-lsp--shown))
        (fim-lsp-accept)
        (save-buffer)
        """
    )
    assert out == "at once"
    assert path.read_bytes() == b"x = call()\n"


TYPES = """
(defun key (command &rest more)
  (setq this-command command)
  (apply #'funcall-interactively command more)
  (run-hooks 'post-command-hook))
(defun typed (text)
  (dolist (key (string-to-list text))
    (setq last-command-event key)
    (key #'self-insert-command 1)))
(setq fim-lsp-idle-seconds 0.01)
"""


def test_what_is_not_typed_asks_for_nothing(batch, scripted, tmp_path):
    """Killing a line, undo and evil's commands are free; letters, a new line and Backspace ask."""
    path = tmp_path / "j.py"
    path.write_bytes(b"a = 1\nb = 2\nc = 3\n")
    out = batch(
        TYPES
        + f"""
        (defvar-local evil-local-mode nil)
        (defvar-local evil-state nil)
        (defun an-undo () (interactive) (primitive-undo 1 buffer-undo-list))
        (find-file "{path}")
        (buffer-enable-undo)
        (fim-lsp-status)
        (key #'kill-line)
        (sleep-for 0.5)
        (key 'an-undo)
        (sleep-for 0.5)
        (setq evil-local-mode t evil-state 'normal)
        (end-of-line)
        (insert " ")
        (run-hooks 'post-command-hook)
        (sleep-for 0.5)
        (princ (format "%s " (plist-get (jsonrpc-request fim-lsp--connection :workspace/executeCommand
                                         '(:command "fimLsp.status" :arguments [])) :requests)))
        (setq evil-state 'insert)
        (typed "+ ")
        (until (lambda () fim-lsp--shown))
        (setq evil-state 'normal)
        (run-hooks 'post-command-hook)
        (princ (format "%S" fim-lsp--shown))
        """
    )
    assert out.split("\n")[-1].split() == ["0", "nil"]
    assert scripted.asked == 1


def test_evils_key_takes_the_rest_of_the_line(batch, scripted, tmp_path):
    """What evil has on C-e in its insert state is ours while ghost text is shown."""
    path = tmp_path / "k.py"
    path.write_bytes(b"x = \n")
    scripted.says = "call()\n"
    out = batch(
        f"""
        (find-file "{path}")
        (end-of-line)
        (fim-lsp-complete)
        (until (lambda () fim-lsp--shown))
        (princ (command-remapping 'evil-copy-from-below))
        """
    )
    assert out == "fim-lsp-accept-line"


@pytest.mark.parametrize("leave", ["(key #'beginning-of-line)", "(fim-lsp-dismiss)"])
def test_who_leaves_ends_the_stream(batch, scripted, tmp_path, leave):
    """Text that nobody waits for is not paid to its end."""
    path, asked, ended = tmp_path / "l.py", tmp_path / "asked", tmp_path / "ended"
    path.write_bytes(b"x = \n")
    text = "value + value * 2 - value / 3 + 1000000000000000000000000000\n"
    scripted.says = lambda body: asked.touch() or text
    scripted.every = 0.5
    before = scripted.cut
    watching = threading.Thread(target=lambda: wait(lambda: scripted.cut > before, 40) and ended.touch())
    watching.start()
    printed = batch(
        TYPES
        + f"""
        (find-file "{path}")
        (fim-lsp-status)
        (end-of-line)
        (typed "1 + ")
        (until (lambda () fim-lsp--pending))
        (until (lambda () (file-exists-p "{asked}")))
        (sleep-for 1)
        {leave}
        (until (lambda () (file-exists-p "{ended}")))
        (princ (if fim-lsp--pending "pending" "left"))
        (fim-lsp-status)
        """
    )
    watching.join()
    assert scripted.cut == before + 1
    assert "left" in printed


def test_who_leaves_ends_the_stream_of_the_last_ask(batch, scripted, tmp_path):
    """The answer to an ask that was overtaken does not make the one under way forgotten."""
    path = tmp_path / "l.py"
    path.write_bytes(b"x = \n")
    scripted.says = "value + value * 2 - value / 3 + 1000000000000000000000000000\n"
    scripted.every = 0.5
    out = batch(
        TYPES
        + f"""
        (find-file "{path}")
        (fim-lsp-status)
        (end-of-line)
        (typed "1 + ")
        (until (lambda () fim-lsp--pending))
        (sleep-for 0.7)
        (typed "q")
        (sleep-for 0.7)
        (key #'beginning-of-line)
        (sleep-for 1)
        (princ (fim-lsp--state-word (fim-lsp--command "fimLsp.status")))
        """
    )
    assert (out, scripted.asked) == ("ready", 2)


def test_a_buffer_saved_under_another_name_is_completed(batch, scripted, tmp_path):
    """The server knows it by that name from then on, and the buffer of the old one as closed."""
    path = tmp_path / "old.py"
    path.write_bytes(b"x = \n")
    scripted.says = "call()\n"
    batch(
        TYPES
        + f"""
        (find-file "{path}")
        (fim-lsp-complete)
        (until (lambda () fim-lsp--opened))
        (write-file "{tmp_path}/new.py")
        (end-of-line)
        (typed "1 + ")
        (until (lambda () fim-lsp--shown))
        (fim-lsp-accept)
        (save-buffer)
        """
    )
    assert scripted.bodies[-1]["prompt"] == "# new.py\nx = 1 + "
    assert (tmp_path / "new.py").read_bytes() == b"x = 1 + call()\n"


def test_no_ghost_text_outlives_its_mode(batch, scripted, tmp_path):
    """A buffer that is read anew, and so has its mode set anew, shows its own text alone."""
    path = tmp_path / "o.py"
    path.write_bytes(b"x = \n")
    scripted.says = "call()\n"
    out = batch(
        f"""
        (find-file "{path}")
        (end-of-line)
        (fim-lsp-complete)
        (until (lambda () fim-lsp--shown))
        (revert-buffer t t)
        (princ (seq-filter (lambda (one) (overlay-get one 'after-string)) (overlays-in (point-min) (point-max))))
        """
    )
    assert out == "nil"


def test_what_is_explained_without_the_mode_is_the_text_as_it_is(batch, scripted, tmp_path):
    """Nothing tells the server of changes there: it is told the whole each time."""
    path = tmp_path / "p.py"
    path.write_bytes(b"x = \n")
    out = batch(
        f"""
        (find-file "{path}")
        (fim-lsp-mode -1)
        (fim-lsp-explain)
        (end-of-line)
        (insert "new + ")
        (fim-lsp-explain)
        (princ (with-current-buffer "*fim-lsp explain*" (buffer-string)))
        """
    )
    assert "prompt:\n# p.py\nx = new + \n" in out


def test_a_server_that_does_not_start_is_tried_once(batch, scripted, tmp_path):
    """However many keys come, it is said once; who asks has it tried again, once each, and a command says so at once."""
    broken = tmp_path / "broken"
    broken.write_text(f"#!/bin/sh\necho once >> {tmp_path}/tries\nread line\nsleep 0.1\nexit 3\n")
    broken.chmod(0o755)
    out = batch(
        TYPES
        + f"""
        (setq fim-lsp-command '("{broken}"))
        (find-file "{tmp_path / "q.py"}")
        (dotimes (_ 4) (typed "1") (sleep-for 0.4))
        (with-current-buffer (messages-buffer)
          (princ (how-many "the server did not start" (point-min))))
        (fim-lsp-complete)
        (sleep-for 0.5)
        (condition-case problem (fim-lsp-status) (user-error (princ (cadr problem))))
        """
    )
    assert out.startswith("1The server did not start")
    assert (tmp_path / "tries").read_text().count("once") == 3


def test_usage_is_asked_of_the_whole_command(batch, scripted, tmp_path):
    """A command of several words, and the demo's, has its own `usage`."""
    out = batch(
        """
        (setq fim-lsp-command '("env" "fim-lsp" "--demo"))
        (fim-lsp-usage)
        (princ (with-current-buffer "*fim-lsp usage*" (buffer-string)))
        """
    )
    assert "requests" in out


def test_names_with_percent_signs_are_names(batch, scripted, tmp_path):
    """The server knows a file by its own name."""
    path = tmp_path / "a%41b.py"
    path.write_bytes(b"x = \n")
    batch(f'(find-file "{path}") (end-of-line) (fim-lsp-complete) (until (lambda () fim-lsp--shown))')
    assert "a%41b.py" in scripted.bodies[-1]["prompt"]


def test_no_text_is_kept_in_another_buffer_and_a_restart_is_quiet(batch, scripted, tmp_path):
    """No buffer of events holds the user's text, and a restart that was asked for says nothing of an end."""
    path = tmp_path / "m.py"
    path.write_bytes(b"the_users_own_text = \n")
    out = batch(
        f"""
        (find-file "{path}")
        (end-of-line)
        (fim-lsp-complete)
        (until (lambda () fim-lsp--shown))
        (dolist (buffer (buffer-list))
          (with-current-buffer buffer
            (when (and (not (member (buffer-name) '("m.py" " *load*")))
                       (string-match-p "the_users_own_text" (buffer-string)))
              (princ (buffer-name)))))
        (with-current-buffer (messages-buffer) (let ((inhibit-read-only t)) (erase-buffer)))
        (fim-lsp-restart)
        (with-current-buffer (messages-buffer) (princ (buffer-string)))
        (fim-lsp-dismiss)
        (fim-lsp-complete)
        (until (lambda () fim-lsp--shown))
        """
    )
    assert out == ""


def test_a_missing_program_says_how_to_go_on(scripted, tmp_path):
    """One sentence names the program, the option and the command."""
    script = tmp_path / "test.el"
    script.write_text(
        block("emacs", "elisp", 0)
        + """
        (setq fim-lsp-command '("no-such-program"))
        (with-temp-buffer (python-mode) (fim-lsp-mode) (insert "x") (fim-lsp-complete) (princ fim-lsp-mode))
        """
    )
    done = loaded(script, environment(tmp_path / "home", scripted.url))
    assert re.search(r"no-such-program is not on .exec-path.*fim-lsp-command.*M-x fim-lsp-mode", done.stderr)
    assert done.stdout == "nil"


def test_its_headers_are_those_of_a_package():
    """What package archives ask for is there."""
    head = FILE.read_text("utf-8").partition(";;; Commentary:")[0]
    for name in ("URL: https://", "Version: ", "Package-Requires: ((emacs ", "Keywords: "):
        assert f";; {name}" in head


def test_emacs_itself_brings_the_package_from_its_repository(scripted, tmp_path):
    """README's form for Emacs 30 installs, loads and turns it on."""
    repository = tmp_path / "fim-lsp"
    (repository / "editors" / "emacs").mkdir(parents=True)
    shutil.copy(FILE, repository / "editors" / "emacs")
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    for command in (["init"], ["add", "."], ["commit", "-m", "all"]):
        subprocess.run(["git", *author, *command], cwd=repository, check=True, capture_output=True)
    script = tmp_path / "test.el"
    script.write_text(
        """
        (require 'package)
        (setq package-archives nil)
        (package-initialize)
        """
        + block("emacs", "elisp", 1).replace(str(ROOT), str(repository))
        + """
        (with-temp-buffer (python-mode) (princ fim-lsp-mode) (princ (locate-library "fim-lsp")))
        """
    )
    done = loaded(script, environment(tmp_path / "home", scripted.url))
    assert re.search(r"^t.*/elpa/fim-lsp/editors/emacs/fim-lsp\.el", done.stdout, re.MULTILINE)


def test_ghost_text_is_in_the_window_in_which_one_types(terminal, scripted, tmp_path):
    """A buffer in two windows shows it once, and a search shows none."""
    home = tmp_path / "home"
    env = {**environment(home, scripted.url), "TERM": "xterm-256color"}
    (home / ".emacs.d").mkdir()
    (home / ".emacs.d" / "init.el").write_text(block("emacs", "elisp"))
    path = tmp_path / "n.py"
    path.write_bytes(b"\n\n# the end\n")
    scripted.says = "value + 1\n"
    screen = terminal(env, program("EMACS"), "-nw", str(path))
    screen.until("# the end")
    screen.press("C-x", "2")
    screen.type("x = ")
    assert screen.until("value + 1").count("value + 1") == 1
    screen.press("C-s")
    screen.type("end")
    wait(lambda: "value + 1" not in screen.screen())


COMPANY = """
(defun company--col-row (&optional pos) (posn-col-row (posn-at-point pos)))
(keymap-global-set "<f5>" (lambda () (interactive) (message "popup at %S" (company--col-row))))
"""


def test_companys_popup_stands_below_the_word(terminal, scripted, tmp_path):
    """What company asks for its column is told as if ghost text took no room, and ghost text stays."""
    home = tmp_path / "home"
    env = {**environment(home, scripted.url), "TERM": "xterm-256color"}
    (home / ".emacs.d").mkdir()
    (home / ".emacs.d" / "init.el").write_text(block("emacs", "elisp") + COMPANY)
    path = tmp_path / "c.py"
    path.write_bytes(b"\n# the end\n")
    scripted.says = "value + 1\n"
    screen = terminal(env, program("EMACS"), "-nw", str(path))
    screen.until("# the end")
    screen.type("x = ")
    screen.until("x = value + 1")
    screen.press("F5")
    assert "x = value + 1" in screen.until("popup at (4 . 0)")
