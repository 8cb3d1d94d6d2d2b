--- How Neovim starts the server, and for which buffers: the table that vim.lsp.config() takes.

-- Buffers that hold no text of the user's own, beyond those whose 'buftype' or name says so.
local NOT_FOR = { bigfile = true, gitrebase = true, netrw = true, oil = true, qf = true }

local MARKERS = { '.git', '.hg', '.jj', '.svn' }
-- What else marks a project, where no repository is around the file.
local PROJECTS = {
  'pyproject.toml',
  'package.json',
  'Cargo.toml',
  'go.mod',
  'pom.xml',
  'build.gradle',
  'build.gradle.kts',
  'CMakeLists.txt',
  'composer.json',
  'Gemfile',
}

--- Whether a buffer holds the text of a file, or of one to be.
---@param bufnr integer
---@return boolean
local function suits(bufnr)
  local name = vim.api.nvim_buf_get_name(bufnr)
  -- A name with a scheme is a listing, a revision, a place elsewhere; without a name, all buffers would be one document.
  local file = name ~= '' and not name:find('^%a[%w+.-]+:')
  return file and vim.bo[bufnr].buftype == '' and not NOT_FOR[vim.bo[bufnr].filetype]
end

--- The folder of a buffer's project, if any: never the whole home.
---@param bufnr integer
---@return string?
local function root_of(bufnr)
  local root = vim.fs.root(bufnr, MARKERS) or vim.fs.root(bufnr, PROJECTS)
  return root ~= vim.uv.os_homedir() and root or nil
end

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
    if not suits(bufnr) then
      return
    end
    local life = require('fim_lsp.life')
    local adopted = life.adopt()
    if adopted and life.found() then
      life.run(bufnr, root_of(bufnr))
    elseif life.found() then
      on_dir(root_of(bufnr))
    end
  end,
  init_options = { statusNotifications = true },
  before_init = function(params)
    require('fim_lsp.life').greet(params)
  end,
  settings = { fimLsp = vim.empty_dict() },
  -- As most servers have it: Neovim warns of buffers whose servers count differently.  0.10 has no other.
  capabilities = vim.fn.has('nvim-0.11') == 1 and { general = { positionEncodings = { 'utf-16' } } } or nil,
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
