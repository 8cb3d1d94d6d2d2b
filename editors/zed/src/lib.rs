//! Tells Zed how the language server is started: the program on the PATH, or the one that the user's settings name.

use zed_extension_api::{self as zed, settings::LspSettings, LanguageServerId, Result, Worktree};

struct FimLsp;

impl zed::Extension for FimLsp {
    fn new() -> Self {
        Self
    }

    fn language_server_command(&mut self, id: &LanguageServerId, worktree: &Worktree) -> Result<zed::Command> {
        let binary = LspSettings::for_worktree(id.as_ref(), worktree)?.binary;
        let (path, arguments) = binary.map_or((None, None), |binary| (binary.path, binary.arguments));
        let command = path
            .or_else(|| worktree.which("fim-lsp"))
            .ok_or("fim-lsp is not on the PATH: install it with pipx or uv, or set lsp.fim-lsp.binary.path")?;
        Ok(zed::Command {
            command,
            args: arguments.unwrap_or_default(),
            env: worktree.shell_env(),
        })
    }
}

zed::register_extension!(FimLsp);
