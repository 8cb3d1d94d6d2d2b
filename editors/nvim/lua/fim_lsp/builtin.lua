--- Ghost text by Neovim itself (0.12, |lsp-inline_completion|), told the truth about what is left of a suggestion.
---
--- Neovim asks, draws and moves the text along; every answer comes through here first, so that nothing is drawn that
--- the text has left behind, and what is accepted is exactly what is seen.

local client_of = require('fim_lsp.client')
local pause = require('fim_lsp.pause')
local suggestion = require('fim_lsp.suggestion')
local window = require('fim_lsp.window')
local api = vim.api
local METHOD = 'textDocument/inlineCompletion'
local PAUSE = 20 -- ms without a key before the server is asked, which paces itself; Neovim waits for 200
local M = {}

local namespace = api.nvim_create_namespace('nvim.lsp.inline_completion') -- that of Neovim

local timer = assert(vim.uv.new_timer())
local send ---@type function the client's own `request`
local wanted ---@type fun(bufnr: integer): boolean

---@type table<integer, lsp.Handler> Neovim's own handler of a buffer's answers
local handlers = {}

---@type table<integer, fun()> what was to be done after an explicit ask for which there was no handler yet
local early = {}

---@class fim_lsp.Given what Neovim has been given to draw
---@field texts string[] as it has them
---@field items fim_lsp.Item[] as the server has them

---@type table<integer, fim_lsp.Given>
local given = {}

--- The candidates in a form that Neovim draws as they will stand.
---
--- It takes what follows the cursor for typed text where a candidate begins alike (`)` before `)`, for instance), and
--- draws the rest behind it.  Such a candidate is given with all that is to stand on the line.
---@param bufnr integer
---@param client_id integer
---@param items fim_lsp.Item[]
---@return lsp.InlineCompletionItem[] drawn
---@return fim_lsp.Given
local function drawn(bufnr, client_id, items)
  local client = vim.lsp.get_client_by_id(client_id)
  local here = suggestion.here()
  local out, made = {}, { texts = {}, items = {} }
  for _, item in ipairs(client and items or {}) do
    local text, range = item.insertText, item.range
    local rest = suggestion.rest(bufnr, text) or ''
    local alike = here.tail ~= '' and rest:sub(1, 1) == here.tail:sub(1, 1)
    if alike or item.covers > 0 then
      local behind = suggestion.behind(rest, item.covers)
      local length = vim.str_utfindex(here.head .. here.tail, client.offset_encoding)
      text = behind and text .. behind
      range = { start = range.start, ['end'] = { line = here.row, character = length } }
    end
    if text then
      out[#out + 1] = { insertText = text, range = range }
      made.texts[#out], made.items[#out] = text, item
    end
  end
  return out, made
end

--- Make room for the rows of the candidate that is shown.
---@param bufnr integer
local function make_room(bufnr)
  local item = given[bufnr] and suggestion.chosen(bufnr)
  local rest = item and suggestion.rest(bufnr, item.insertText)
  if rest then
    window.make_room(bufnr, select(2, rest:gsub('\n', '')))
  else
    window.clear(bufnr)
  end
end

---@param bufnr integer
---@param client_id? integer
---@param items fim_lsp.Item[]
local function show(bufnr, client_id, items)
  local handler = handlers[bufnr]
  if not handler or not client_id or not vim.lsp.get_client_by_id(client_id) then
    given[bufnr] = nil
    return
  end
  local out, made = drawn(bufnr, client_id, items)
  window.only(namespace)
  if #out == 0 then
    suggestion.clear(bufnr) -- what is not seen is not accepted either
  end
  given[bufnr] = made
  handler(nil, out, { client_id = client_id, bufnr = bufnr, method = METHOD })
  for index, item in ipairs(made.items) do
    if index > 1 and item == suggestion.chosen(bufnr) then
      vim.lsp.inline_completion.select({ bufnr = bufnr, count = index - 1 })
    end
  end
  make_room(bufnr)
end

--- After the cursor has moved: draw anew if what is drawn no longer agrees, or would be drawn amiss.
---@param bufnr integer
local function moved(bufnr)
  local _, owner = suggestion.count(bufnr)
  local left = suggestion.moved(bufnr)
  if left then
    show(bufnr, owner, left)
  elseif owner and given[bufnr] then
    local items = suggestion.items(bufnr)
    local _, made = drawn(bufnr, owner, items)
    if not vim.deep_equal(made.texts, given[bufnr].texts) then
      show(bufnr, owner, items)
    end
  end
end

--- The candidate that is shown.
---@param bufnr integer
---@param text string as Neovim has it
---@return fim_lsp.Item?
local function shown(bufnr, text)
  for index, one in ipairs(given[bufnr] and given[bufnr].texts or {}) do
    if one == text then
      return given[bufnr].items[index]
    end
  end
end

--- Ask for the cursor's place, where that is to be asked about; then `done`.
---@param client vim.lsp.Client
---@param params lsp.InlineCompletionParams
---@param bufnr integer
---@param done? fun()
---@return boolean
local function ask(client, params, bufnr, done)
  if not wanted(bufnr) or api.nvim_get_current_buf() ~= bufnr then
    suggestion.clear(bufnr)
    show(bufnr, client.id, {})
    return true
  end
  local place, this = suggestion.here(), suggestion.asking(bufnr, params.context.triggerKind)
  if not this then
    return true
  end
  return send(client, METHOD, params, function(err, result)
    if err or type(result) ~= 'table' then
      suggestion.unanswered(bufnr, this)
    end
    if not err then
      suggestion.answered(bufnr, place, result, client.id, function(items)
        show(bufnr, client.id, items)
      end)
      if done then
        done()
      end
    end
  end, bufnr)
end

--- Stand between Neovim and the client for the one request.
---@param client vim.lsp.Client
---@param is_wanted fun(bufnr: integer): boolean
function M.prepare(client, is_wanted)
  local request = client.request
  send, wanted = request, is_wanted
  client.request = function(self, method, params, handler, bufnr)
    if method ~= METHOD or not handler then
      return request(self, method, params, handler, bufnr)
    end
    bufnr = bufnr == 0 and api.nvim_get_current_buf() or bufnr
    handlers[bufnr] = handler
    local done = early[bufnr]
    if done then
      early[bufnr] = nil
      params.context.triggerKind = 1
    end
    return ask(self, params, bufnr, done)
  end
end

---@param client vim.lsp.Client
---@param bufnr integer
---@param group integer
function M.attach(client, bufnr, group)
  -- Of a server before this one nothing is left, not even what drew for it.
  suggestion.forget(bufnr)
  handlers[bufnr], given[bufnr], early[bufnr] = nil, nil, nil
  -- Before Neovim's own, which draws: what no longer agrees is gone by then.
  api.nvim_create_autocmd({ 'CursorMovedI', 'TextChangedP' }, {
    group = group,
    buffer = bufnr,
    callback = function()
      moved(bufnr)
      pause.begin(timer, PAUSE, bufnr, function()
        M.ask(client, bufnr, 2)
      end)
    end,
  })
  vim.lsp.inline_completion.enable(true, { bufnr = bufnr })
end

--- Whoever types in a buffer has left: nothing is shown there, and nothing waited for.
---@param client? vim.lsp.Client
---@param bufnr integer
function M.leave(client, bufnr)
  timer:stop()
  if client then
    client_of.cancel(client, METHOD, bufnr)
  end
  suggestion.forget(bufnr)
  window.clear(bufnr)
  given[bufnr], early[bufnr] = nil, nil
  -- Neovim hides what it has drawn on this event, which does not come with Ctrl-C.
  local own = { group = 'nvim.lsp.inline_completion:' .. bufnr, buffer = bufnr }
  if pcall(api.nvim_get_autocmds, own) then
    own.modeline = false
    api.nvim_exec_autocmds('InsertLeave', own)
  end
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
      local ours = shown(bufnr, item.insert_text)
      if ours then
        show(bufnr, owner, suggestion.insert(bufnr, ours, piece))
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
  local now = given[bufnr]
  if now and #now.items > 0 then
    suggestion.choose(bufnr, now.items, step)
    make_room(bufnr)
  end
end

--- Ask now, and then `done`.
---@param client vim.lsp.Client
---@param bufnr integer
---@param kind 1|2 1 for an explicit ask
---@param done? fun()
function M.ask(client, bufnr, kind, done)
  -- Neovim's first request brings the function that draws.
  if handlers[bufnr] then
    local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
    params.context = { triggerKind = kind }
    ask(client, params, bufnr, done)
  elseif kind == 1 then
    early[bufnr] = done
  end
end

---@param bufnr integer
function M.dismiss(bufnr)
  local _, owner = suggestion.count(bufnr)
  suggestion.dismiss(bufnr)
  show(bufnr, owner, {})
end

return M
