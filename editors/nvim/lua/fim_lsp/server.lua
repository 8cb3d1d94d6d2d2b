--- How Neovim starts the server, and for which buffers: the table that vim.lsp.config() takes.

-- Buffers that hold no text of the user's own, beyond those whose 'buftype' says so.
local NOT_FOR = { bigfile = true, gitrebase = true, netrw = true, qf = true }

local MARKERS = { '.git', '.hg', '.jj', '.svn' }

local LEVELS = {
  vim.log.levels.ERROR,
  vim.log.levels.WARN,
  vim.log.levels.INFO,
  vim.log.levels.DEBUG,
}

return {
  cmd = function(dispatchers, config)
    return require('fim_lsp.life').spawn(dispatchers, config)
  end,
  root_markers = MARKERS,
  root_dir = function(bufnr, on_dir)
    local suits = vim.bo[bufnr].buftype == '' and not NOT_FOR[vim.bo[bufnr].filetype]
    if suits and require('fim_lsp.life').found() then
      on_dir(vim.fs.root(bufnr, MARKERS))
    end
  end,
  init_options = { statusNotifications = true },
  before_init = function(params, config)
    require('fim_lsp.life').greet(params, config)
  end,
  settings = { fimLsp = vim.empty_dict() },
  -- The server ends a stream the moment what is typed disagrees with it: it is told of every key.
  flags = { debounce_text_changes = 0 },
  handlers = {
    ['fimLsp/status'] = function(_, params, ctx)
      require('fim_lsp.status').update(ctx.client_id, params)
    end,
    ['window/showMessage'] = function(_, params)
      require('fim_lsp.status').notify(params.message, LEVELS[params.type])
      return params
    end,
  },
  on_init = function(client)
    require('fim_lsp').prepare(client)
  end,
  on_exit = function(_, _, client_id)
    require('fim_lsp.status').forget(client_id)
  end,
}
