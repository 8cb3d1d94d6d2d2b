-- The server as vim.lsp.enable('fim_lsp') starts it (Neovim 0.11 and newer).
return require('fim_lsp.server')
