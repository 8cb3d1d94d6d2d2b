---@brief
---
--- https://github.com/fim-lsp/fim-lsp
---
--- Code completion as ghost text, from DeepSeek's fill-in-the-middle endpoint or a model of your own.
---
--- `pipx install fim-lsp`, and `DEEPSEEK_API_KEY` in the environment (`fim-lsp --demo` needs none). Neovim 0.12 shows it by
---
--- ```lua
--- vim.lsp.enable('fim_lsp')
--- vim.lsp.inline_completion.enable()
--- ```
---@type vim.lsp.Config
return {
  cmd = { 'fim-lsp', '--stdio' },
  root_markers = { '.git' },
}
