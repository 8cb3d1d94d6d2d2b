-- What exists before any server runs: the command, the <Plug> maps and the colour of ghost text.
if vim.g.loaded_fim_lsp then
  return
end
vim.g.loaded_fim_lsp = true
require('fim_lsp').load()
