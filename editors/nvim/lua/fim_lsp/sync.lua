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

---@param bufnr integer
---@return string[]
local function lines_of(bufnr)
  return api.nvim_buf_get_lines(bufnr, 0, -1, true)
end

--- The whole text, as Neovim sends it.
---@param bufnr integer
---@param lines string[]
---@return lsp.TextDocumentContentChangeEvent
local function whole(bufnr, lines)
  local ending = ENDINGS[vim.bo[bufnr].fileformat]
  local text = table.concat(lines, ending)
  return { text = vim.bo[bufnr].eol and text .. ending or text }
end

--- How many bytes two texts have in common at their beginning, and then at their end; no character is cut.
---@param old string
---@param new string
---@return integer, integer
local function common(old, new)
  local most = math.min(#old, #new)
  local head = 0
  while head < most and old:byte(head + 1) == new:byte(head + 1) do
    head = head + 1
  end
  while head > 0 and (old:byte(head + 1) or 0) >= 128 and (old:byte(head + 1) or 0) < 192 do
    head = head - 1
  end
  while head > 0 and (new:byte(head + 1) or 0) >= 128 and (new:byte(head + 1) or 0) < 192 do
    head = head - 1
  end
  local tail = 0
  while tail < most - head and old:byte(#old - tail) == new:byte(#new - tail) do
    tail = tail + 1
  end
  while tail > 0 and old:byte(#old - tail + 1) >= 128 and old:byte(#old - tail + 1) < 192 do
    tail = tail - 1
  end
  return head, tail
end

--- The place behind a text that begins on a line.
---@param row integer
---@param text string
---@param encoding 'utf-8'|'utf-16'|'utf-32'
---@return lsp.Position
local function behind(row, text, encoding)
  local lines = vim.split(text, '\n', { plain = true })
  return { line = row + #lines - 1, character = client_of.units(lines[#lines], encoding) }
end

--- What has become of lines, told as what was typed: lines `first` to `last` of the old are those to `new_last`.
---@param bufnr integer
---@param old string[]
---@param new string[]
---@param span integer[] first, last, new_last
---@param encoding 'utf-8'|'utf-16'|'utf-32'
---@return lsp.TextDocumentContentChangeEvent
local function change_of(bufnr, old, new, span, encoding)
  local first, last, new_last = unpack(span)
  if last == first or new_last == first then
    return whole(bufnr, new) -- lines have come or gone as a whole
  end
  local before = table.concat(old, '\n', first + 1, last)
  local after = table.concat(new, '\n', first + 1, new_last)
  local head, tail = common(before, after)
  local text = after:sub(head + 1, #after - tail):gsub('\n', ENDINGS[vim.bo[bufnr].fileformat])
  return {
    range = {
      start = behind(first, before:sub(1, head), encoding),
      ['end'] = behind(first, before:sub(1, #before - tail), encoding),
    },
    text = text,
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

--- Watch a buffer to which the client has just been attached, until it shows that Neovim watches it: it goes before us.
---@param client vim.lsp.Client
---@param bufnr integer
function M.watch(client, bufnr)
  local this = {}
  latest[bufnr] = this
  local known = lines_of(bufnr) -- as the server has them
  api.nvim_buf_attach(bufnr, false, {
    on_lines = function(_, _, _, first, last, new_last)
      if latest[bufnr] ~= this or client_of.stopped(client) or told(bufnr) then
        return true
      end
      local now = lines_of(bufnr)
      tell(client, bufnr, change_of(bufnr, known, now, { first, last, new_last }, client.offset_encoding))
      known = now
    end,
    on_reload = function()
      if latest[bufnr] == this and not client_of.stopped(client) and not told(bufnr) then
        known = lines_of(bufnr)
        tell(client, bufnr, whole(bufnr, known))
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
