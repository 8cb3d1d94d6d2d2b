--- Ghost text by Neovim itself (0.12, |lsp-inline_completion|), told the truth about what is left of a suggestion.
---
--- Neovim asks, draws and moves the text along; every answer comes through here first, so that nothing is drawn that
--- the text has left behind, and what is accepted is exactly what is seen.

local suggestion = require('fim_lsp.suggestion')
local api = vim.api
local METHOD = 'textDocument/inlineCompletion'
local M = {}

---@type table<integer, lsp.Handler> Neovim's own handler of a buffer's answers
local handlers = {}

---@param bufnr integer
---@param client_id? integer
---@param items lsp.InlineCompletionItem[]
local function show(bufnr, client_id, items)
  if handlers[bufnr] and client_id then
    handlers[bufnr](nil, items, { client_id = client_id, bufnr = bufnr, method = METHOD })
  end
end

--- Stand between Neovim and the client for the one request.
---@param client vim.lsp.Client
---@param wanted fun(bufnr: integer): boolean
function M.prepare(client, wanted)
  local request = client.request
  client.request = function(self, method, params, handler, bufnr)
    if method ~= METHOD or not handler then
      return request(self, method, params, handler, bufnr)
    end
    bufnr = bufnr == 0 and api.nvim_get_current_buf() or bufnr
    handlers[bufnr] = handler
    if not wanted(bufnr) or api.nvim_get_current_buf() ~= bufnr then
      suggestion.clear(bufnr)
      handler(nil, {}, { client_id = self.id, bufnr = bufnr, method = METHOD })
      return true
    end
    local place = suggestion.here()
    return request(self, method, params, function(err, result, ctx)
      if not err then
        suggestion.answered(bufnr, place, result, self.id, function(items)
          handler(nil, items, ctx)
        end)
      end
    end, bufnr)
  end
end

---@param client vim.lsp.Client
---@param bufnr integer
---@param group integer
function M.attach(client, bufnr, group)
  -- Before Neovim's own, which draws: what no longer agrees is gone by then.
  api.nvim_create_autocmd({ 'CursorMovedI', 'TextChangedP' }, {
    group = group,
    buffer = bufnr,
    callback = function()
      local _, owner = suggestion.count(bufnr)
      local items = suggestion.moved(bufnr)
      if items then
        show(bufnr, owner, items)
      end
    end,
  })
  api.nvim_create_autocmd('InsertLeave', {
    group = group,
    buffer = bufnr,
    callback = function()
      local _, owner = suggestion.count(bufnr)
      suggestion.clear(bufnr)
      show(bufnr, owner, {})
    end,
  })
  vim.lsp.inline_completion.enable(true, { bufnr = bufnr })
end

--- Accept what is seen, or the part of it that `piece` chooses.
---@param bufnr integer
---@param piece fun(rest: string): string
function M.accept(bufnr, piece)
  local done = false
  local got = vim.lsp.inline_completion.get({
    bufnr = bufnr,
    on_accept = function(item)
      done = true
      local _, owner = suggestion.count(bufnr)
      if item.client_id ~= owner then
        return item
      end
      local rest = suggestion.rest(bufnr, item.insert_text)
      if rest and rest ~= '' then
        show(bufnr, owner, suggestion.insert(bufnr, rest, piece(rest)))
      end
    end,
  })
  -- Neovim does it a moment later; a key typed behind this one must find it done.
  if got then
    vim.wait(200, function()
      return done
    end, 1)
  end
end

---@param bufnr integer
---@param step integer
function M.select(bufnr, step)
  vim.lsp.inline_completion.select({ bufnr = bufnr, count = step })
end

--- Ask for candidates, whatever is shown; then `done`.
---@param client vim.lsp.Client
---@param bufnr integer
---@param done fun()
function M.ask(client, bufnr, done)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = 1 }
  local deliver = handlers[bufnr]
  if not deliver then
    return
  end
  client:request(METHOD, params, function(err, result, ctx)
    deliver(err, result, ctx)
    done()
  end, bufnr)
  -- The wrapper has taken that function for Neovim's own.
  handlers[bufnr] = deliver
end

---@param bufnr integer
function M.dismiss(bufnr)
  local _, owner = suggestion.count(bufnr)
  suggestion.dismiss(bufnr)
  show(bufnr, owner, {})
end

return M
