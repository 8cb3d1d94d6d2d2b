--- Tells the server of changes that Neovim does not tell it of.
---
--- Neovim stops watching a buffer that changes while no client is attached to it, as between a server's end and its
--- next start, and never watches it again: its lsp.lua takes it for watched.

local client_of = require('fim_lsp.client')
local util = vim.lsp.util
local api = vim.api
local M = {}

local ENDINGS = { unix = '\n', dos = '\r\n', mac = '\r' }

---@type table<integer, table> what stands for the latest attaching of a buffer
local latest = {}

--- The whole text, as Neovim sends it.
---@param bufnr integer
---@return lsp.TextDocumentContentChangeEvent
local function whole(bufnr)
  local ending = ENDINGS[vim.bo[bufnr].fileformat]
  local text = table.concat(api.nvim_buf_get_lines(bufnr, 0, -1, true), ending)
  return { text = vim.bo[bufnr].eol and text .. ending or text }
end

--- Lines `first` to `last` have become those to `new_last`.
---@param bufnr integer
---@param first integer
---@param last integer
---@param new_last integer
---@return lsp.TextDocumentContentChangeEvent
local function lines(bufnr, first, last, new_last)
  local emptied = new_last == 0 and api.nvim_buf_line_count(bufnr) == 1
  if emptied or not vim.bo[bufnr].eol then
    return whole(bufnr)
  end
  local ending = ENDINGS[vim.bo[bufnr].fileformat]
  local text = api.nvim_buf_get_lines(bufnr, first, new_last, true)
  text[#text + 1] = ''
  return {
    range = { start = { line = first, character = 0 }, ['end'] = { line = last, character = 0 } },
    text = table.concat(text, ending),
  }
end

--- Whether Neovim has told of the latest change.
---@param bufnr integer
---@return boolean
local function told(bufnr)
  return util.buf_versions[bufnr] == api.nvim_buf_get_changedtick(bufnr)
end

---@param client vim.lsp.Client
---@param bufnr integer
---@param change lsp.TextDocumentContentChangeEvent
local function tell(client, bufnr, change)
  util.buf_versions[bufnr] = api.nvim_buf_get_changedtick(bufnr)
  client_of.notify(client, 'textDocument/didChange', {
    textDocument = { uri = vim.uri_from_bufnr(bufnr), version = util.buf_versions[bufnr] },
    contentChanges = { change },
  })
end

--- Watch a buffer to which the client has just been attached.  What Neovim watches, it has seen before us.
---@param client vim.lsp.Client
---@param bufnr integer
function M.watch(client, bufnr)
  local this = {}
  latest[bufnr] = this
  api.nvim_buf_attach(bufnr, false, {
    on_lines = function(_, _, _, first, last, new_last)
      if latest[bufnr] ~= this or client_of.stopped(client) then
        return true
      end
      if not told(bufnr) then
        tell(client, bufnr, lines(bufnr, first, last, new_last))
      end
    end,
    on_reload = function()
      if latest[bufnr] == this and not client_of.stopped(client) and not told(bufnr) then
        tell(client, bufnr, whole(bufnr))
      end
    end,
    on_detach = function()
      if latest[bufnr] == this and vim.lsp.buf_is_attached(bufnr, client.id) then
        vim.lsp.buf_detach_client(bufnr, client.id)
      end
    end,
  })
end

return M
