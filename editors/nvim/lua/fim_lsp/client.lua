--- The language client of this server, called as each version of Neovim has it.

local M = {}

local METHODS = vim.fn.has('nvim-0.11') == 1 -- before, a client's functions take no client

---@param client vim.lsp.Client
---@param name string
---@param ... any
---@return any
local function call(client, name, ...)
  if METHODS then
    return client[name](client, ...)
  end
  return client[name](...)
end

--- The client of a buffer.
---@param bufnr integer
---@return vim.lsp.Client?
function M.of(bufnr)
  return vim.lsp.get_clients({ name = 'fim_lsp', bufnr = bufnr })[1]
end

---@param client vim.lsp.Client
---@param method string
---@param params table
function M.notify(client, method, params)
  call(client, 'notify', method, params)
end

---@param client vim.lsp.Client
---@param method string
---@param params table
---@param handler lsp.Handler
---@param bufnr integer
function M.request(client, method, params, handler, bufnr)
  call(client, 'request', method, params, handler, bufnr)
end

--- End the server at once.
---@param client vim.lsp.Client
function M.stop(client)
  call(client, 'stop', true)
end

---@param client vim.lsp.Client
---@return boolean
function M.stopped(client)
  return call(client, 'is_stopped')
end

--- How long a text of one line is, as the protocol counts.
---@param text string
---@param encoding 'utf-8'|'utf-16'|'utf-32'
---@return integer
function M.units(text, encoding)
  if encoding == 'utf-8' then
    return #text
  elseif METHODS then
    return vim.str_utfindex(text, encoding)
  end
  local points, units = vim.str_utfindex(text)
  return encoding == 'utf-16' and units or points
end

--- Take back what a buffer has asked and waits for: its stream ends, and costs no more.
---@param client vim.lsp.Client
---@param method string
---@param bufnr integer
function M.cancel(client, method, bufnr)
  for id, request in pairs(client.requests) do
    if request.type == 'pending' and request.method == method and request.bufnr == bufnr then
      call(client, 'cancel_request', id)
    end
  end
end

return M
