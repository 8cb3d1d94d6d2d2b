-- The server as Neovim 0.11 and newer configure it: vim.lsp.enable('fim_lsp').
return {
  cmd = { 'fim-lsp' },
  root_markers = { '.git' },
  settings = { fimLsp = {} },
  on_init = function(client)
    -- Ghost text where Neovim has it; the menu stays with the language's own server.
    if vim.lsp.inline_completion then
      client.server_capabilities.completionProvider = nil
    end
  end,
}
