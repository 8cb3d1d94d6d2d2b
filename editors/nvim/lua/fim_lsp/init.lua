--- Code completion as ghost text, from the language server fim-lsp.  See |fim_lsp|.

local client_of = require('fim_lsp.client').of
local suggestion = require('fim_lsp.suggestion')
local api = vim.api
local M = {}

-- Ghost text by Neovim where it has it, else by ourselves.
local ghost = require(vim.lsp.inline_completion and 'fim_lsp.builtin' or 'fim_lsp.ghost')

---@class fim_lsp.Keys
---@field accept? string|false
---@field accept_word? string|false
---@field accept_line? string|false
---@field next? string|false
---@field prev? string|false
---@field dismiss? string|false

---@class fim_lsp.Options
---@field cmd? string[] the server and its arguments
---@field settings? table<string, any> section `fimLsp`
---@field keys? fim_lsp.Keys|false
---@field filetypes? table<string, boolean> `{ markdown = false }`

--- Whether suggestions are on in a buffer: `b:fim_lsp_enabled`, else `g:fim_lsp_enabled`, else yes.
---@param bufnr? integer
---@return boolean
function M.enabled(bufnr)
  bufnr = bufnr or api.nvim_get_current_buf()
  local own, all = vim.b[bufnr].fim_lsp_enabled, vim.g.fim_lsp_enabled
  return own ~= false and (own or all ~= false)
end

--- Define what exists before any server runs.
function M.load()
  local group = api.nvim_create_augroup('fim_lsp', { clear = true })
  api.nvim_create_autocmd('LspAttach', {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == 'fim_lsp' then
        M.prepare(client)
        M.attach(client, event.buf)
      end
    end,
  })
  api.nvim_create_autocmd('LspDetach', {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == 'fim_lsp' then
        pcall(api.nvim_del_augroup_by_name, 'fim_lsp:' .. event.buf)
        ghost.leave(nil, event.buf)
      end
    end,
  })
  -- A type may never be set, or be set before there is a name.
  api.nvim_create_autocmd({ 'BufReadPost', 'BufNewFile', 'BufFilePost', 'BufWritePost' }, {
    group = group,
    callback = function(event)
      local named = event.event == 'BufFilePost' or event.event == 'BufWritePost'
      vim.schedule(function()
        if not api.nvim_buf_is_valid(event.buf) or client_of(event.buf) then
          return
        end
        if named or vim.bo[event.buf].filetype == '' then
          require('fim_lsp.life').opened(event.buf)
        end
      end)
    end,
  })
  -- Under its next name the buffer is another document.
  api.nvim_create_autocmd('BufFilePre', {
    group = group,
    callback = function(event)
      local client = client_of(event.buf)
      if client then
        vim.lsp.buf_detach_client(event.buf, client.id)
      end
    end,
  })
  require('fim_lsp.keys').plugs()
  require('fim_lsp.command').create()
  api.nvim_set_hl(0, 'FimLspGhost', { link = 'Comment', default = true })
end

--- What plugin/ does as Neovim starts is done where a folder came onto 'runtimepath' after that.
local function loaded()
  if not vim.g.loaded_fim_lsp then
    vim.g.loaded_fim_lsp = true
    M.load()
  end
end

--- Make a client ours: its menu is left to other servers, its ghost text comes through this plugin.
---@param client vim.lsp.Client
function M.prepare(client)
  if client.fim_lsp_prepared then
    return
  end
  client.fim_lsp_prepared = true
  client.server_capabilities.completionProvider = nil
  loaded()
  ghost.prepare(client, M.enabled)
end

--- Show ghost text in a buffer.
---@param client vim.lsp.Client
---@param bufnr integer
function M.attach(client, bufnr)
  local group = api.nvim_create_augroup('fim_lsp:' .. bufnr, { clear = true })
  require('fim_lsp.sync').watch(client, bufnr)
  -- Ctrl-C leaves insert mode without InsertLeave.
  api.nvim_create_autocmd({ 'InsertLeave', 'ModeChanged' }, {
    group = group,
    buffer = bufnr,
    callback = function(event)
      local modes = vim.v.event
      if event.event == 'InsertLeave' or (modes.old_mode:find('^i') and modes.new_mode:find('^n')) then
        ghost.leave(client, bufnr)
      end
    end,
  })
  ghost.attach(client, bufnr, group)
  require('fim_lsp.keys').defaults()
  -- Who types already when the server comes has a place to ask for.  (Neovim, too, attaches what draws a moment later.)
  vim.defer_fn(function()
    if api.nvim_get_current_buf() == bufnr and vim.startswith(api.nvim_get_mode().mode, 'i') then
      api.nvim_exec_autocmds('CursorMovedI', { buffer = bufnr, modeline = false })
    end
  end, 1)
end

--- Configure and start the server; all options have defaults.
---@param options? fim_lsp.Options
function M.setup(options)
  options = options or {}
  loaded()
  require('fim_lsp.keys').choose(options.keys)
  require('fim_lsp.life').configure(options)
end

--- Insert the beginning of what is seen, as `piece` cuts it.
---@param piece fun(rest: string): string
local function accept(piece)
  local bufnr = api.nvim_get_current_buf()
  if suggestion.visible(bufnr) then
    ghost.accept(bufnr, piece)
  end
end

--- Insert the suggestion.
function M.accept()
  accept(function(rest)
    return rest
  end)
end

--- Insert its next word, with the space before it.
function M.accept_word()
  accept(function(rest)
    return rest:match('^%s*[%w_\128-\255]+') or rest:match('^%s*[^%w_%s\128-\255]+') or rest
  end)
end

--- Insert the rest of its line; at the end of one, the next.
function M.accept_line()
  accept(function(rest)
    return rest:match('^\n*[^\n]+') or rest
  end)
end

---@param step integer
local function cycle(step)
  local bufnr = api.nvim_get_current_buf()
  local client = client_of(bufnr)
  if suggestion.count(bufnr) > 1 then
    ghost.select(bufnr, step)
  elseif client then
    local had = suggestion.visible(bufnr)
    suggestion.recall(bufnr)
    ghost.ask(client, bufnr, 1, function()
      if had and suggestion.count(bufnr) > 1 then
        ghost.select(bufnr, step)
      end
    end)
  end
end

--- Show the next candidate; with none shown, ask for one now.
function M.next()
  cycle(1)
end

--- Show the previous candidate; with none shown, ask for one now.
function M.prev()
  cycle(-1)
end

--- Hide the suggestion until something is typed.
function M.dismiss()
  ghost.dismiss(api.nvim_get_current_buf())
end

--- Switch suggestions off or on again, everywhere or in the current buffer alone.
---@param where? 'buffer'
---@return boolean on
function M.toggle(where)
  local bufnr = api.nvim_get_current_buf()
  local on = not M.enabled(bufnr)
  if where == 'buffer' then
    vim.b[bufnr].fim_lsp_enabled = on
  else
    vim.g.fim_lsp_enabled = on
    vim.b[bufnr].fim_lsp_enabled = nil
  end
  if not on then
    ghost.dismiss(bufnr)
  end
  require('fim_lsp.status').changed()
  return on
end

--- A word for the statusline: see |fim_lsp-statusline|.
---@return string
function M.statusline()
  local bufnr = api.nvim_get_current_buf()
  local client = client_of(bufnr)
  return client and require('fim_lsp.status').word(client.id, M.enabled(bufnr)) or ''
end

return M
