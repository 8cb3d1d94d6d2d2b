--- Ghost text for Neovim 0.10 and 0.11, which have none: asked for after a pause, drawn at the cursor, moved along.

local client_of = require('fim_lsp.client')
local pause = require('fim_lsp.pause')
local suggestion = require('fim_lsp.suggestion')
local window = require('fim_lsp.window')
local api = vim.api
local METHOD = 'textDocument/inlineCompletion'
local PAUSE = 75 -- ms without a key before the server is asked
local M = {}

local namespace = api.nvim_create_namespace('fim_lsp')
local timer = assert(vim.uv.new_timer())

local wanted ---@type fun(bufnr: integer): boolean

--- Draw what is left of the buffer's candidate, if there is one.
---@param bufnr integer
---@param hint? string
local function draw(bufnr, hint)
  api.nvim_buf_clear_namespace(bufnr, namespace, 0, -1)
  window.clear(bufnr)
  local item = suggestion.chosen(bufnr)
  local rest = item and suggestion.rest(bufnr, item.insertText)
  if not item or not rest or rest == '' then
    return
  end
  local over = item.covers > 0
  if over then
    local behind = suggestion.behind(rest, item.covers)
    if not behind then
      suggestion.clear(bufnr) -- what is not seen is not accepted either
      return
    end
    rest = rest .. behind
  end
  local lines = {}
  for _, line in ipairs(vim.split(rest, '\n', { plain = true })) do
    lines[#lines + 1] = { { line, 'FimLspGhost' } }
  end
  if hint then
    table.insert(lines[#lines], { hint, 'FimLspGhost' })
  end
  window.make_room(bufnr, #lines - 1)
  window.only(namespace)
  local row, col = unpack(api.nvim_win_get_cursor(0))
  api.nvim_buf_set_extmark(bufnr, namespace, row - 1, col, {
    virt_text = lines[1],
    virt_text_pos = over and 'overlay' or 'inline',
    virt_lines = { unpack(lines, 2) },
    hl_mode = 'combine',
    scoped = window.scoped,
  })
end

---@param client vim.lsp.Client
---@param bufnr integer
---@param kind 1|2 1 for an explicit ask
---@param done? fun()
local function ask(client, bufnr, kind, done)
  local this = wanted(bufnr) and suggestion.asking(bufnr, kind)
  if not this then
    return
  end
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = kind }
  local place = suggestion.here()
  local function answered(err, result)
    if err or type(result) ~= 'table' then
      suggestion.unanswered(bufnr, this)
    end
    if not err then
      suggestion.answered(bufnr, place, result, client.id, function()
        draw(bufnr)
      end)
      if done then
        done()
      end
    end
  end
  client_of.request(client, METHOD, params, answered, bufnr)
end

---@param _ vim.lsp.Client
---@param is_wanted fun(bufnr: integer): boolean
function M.prepare(_, is_wanted)
  wanted = is_wanted
end

---@param client vim.lsp.Client
---@param bufnr integer
---@param group integer
function M.attach(client, bufnr, group)
  suggestion.forget(bufnr)
  api.nvim_create_autocmd({ 'InsertEnter', 'CursorMovedI', 'TextChangedP' }, {
    group = group,
    buffer = bufnr,
    callback = function()
      suggestion.moved(bufnr)
      draw(bufnr)
      pause.begin(timer, PAUSE, bufnr, function()
        ask(client, bufnr, 2)
      end)
    end,
  })
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
  draw(bufnr)
end

---@param bufnr integer
---@param piece fun(rest: string): string
function M.accept(bufnr, piece)
  local item = suggestion.chosen(bufnr)
  if item then
    suggestion.insert(bufnr, item, piece)
    draw(bufnr)
  end
end

---@param bufnr integer
---@param step integer
function M.select(bufnr, step)
  local items = suggestion.items(bufnr)
  draw(bufnr, (' (%d/%d)'):format(suggestion.choose(bufnr, items, step), #items))
end

M.ask = ask

---@param bufnr integer
function M.dismiss(bufnr)
  suggestion.dismiss(bufnr)
  draw(bufnr)
end

return M
