-- The server as vim.lsp.enable('fim_lsp') starts it (Neovim 0.11 and newer).
-- A folder that is put on 'runtimepath' late has not had its plugin/ read.
vim.cmd.runtime('plugin/fim_lsp.lua')
return require('fim_lsp.server')
