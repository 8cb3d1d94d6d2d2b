--- The <Plug> maps, and the keys that they are on unless the user says otherwise.

local status = require('fim_lsp.status')
local suggestion = require('fim_lsp.suggestion')
local M = {}

local DEFAULTS = {
  accept = '<Tab>',
  accept_word = '<M-Right>',
  accept_line = '<M-C-Right>',
  next = '<M-]>',
  prev = '<M-[>',
  dismiss = '<C-]>',
}

local DESC = 'fim-lsp: ' -- how the descriptions of our maps begin

---@type table<string, string|false>|false
local chosen = DEFAULTS
local mapped = false

---@param action string
---@return string
local function plug(action)
  return ('<Plug>(fim-lsp-%s)'):format(action:gsub('_', '-'))
end

---@return boolean
local function in_snippet()
  if vim.snippet and vim.snippet.active({ direction = 1 }) then
    return true
  end
  local luasnip = package.loaded['luasnip']
  return luasnip ~= nil and luasnip.locally_jumpable(1)
end

--- Whether a menu has the key that accepts: one with an entry selected, or where the user has mapped the key for it.
---@param map table<string, any> of maparg()
---@return boolean
local function menus(map)
  if vim.fn.pumvisible() == 0 then
    return false
  end
  local users = next(map) ~= nil and not (map.callback and status.compiled_in(map.callback))
  return users or vim.fn.complete_info({ 'selected' }).selected ~= -1
end

--- Whether a key of ours would do something here.
---@param action string
---@param map table<string, any> of maparg(): what the key was before
---@return boolean
local function ours(action, map)
  if action == 'next' or action == 'prev' then
    return #vim.lsp.get_clients({ name = 'fim_lsp', bufnr = 0 }) > 0
  end
  return suggestion.visible() and not (action == 'accept' and (menus(map) or in_snippet()))
end

--- What <> notation stands for, as bytes.
---@param notation string
---@return string
local function bytes_of(notation)
  -- A byte of a character that looks like a special key's first is marked, which evaluating and typing do not expect.
  return (vim.keycode(notation):gsub('\128\254X', '\128'))
end

--- What a key did before it was ours, as the keys that Neovim would have typed for it.
---@param lhs string
---@param map table<string, any> of maparg()
---@return string
local function before(lhs, map)
  local keys
  if map.callback then
    if map.expr ~= 1 then
      M.run = map.callback
      return bytes_of('<Cmd>lua require("fim_lsp.keys").run()<CR>')
    end
    keys = map.callback() or ''
  else
    local script = ('<SNR>%d_'):format(map.sid or 0)
    keys = bytes_of((map.rhs or lhs):gsub('<[Ss][Ii][Dd]>', script):gsub('^<[Nn][Oo][Pp]>$', ''))
    keys = map.expr == 1 and vim.api.nvim_eval(keys) or keys
  end
  if map.replace_keycodes == 1 then
    keys = bytes_of(keys)
  end
  if map.noremap ~= 0 then
    return keys
  end
  -- The key itself, where it comes first, is not mapped again (|recursive_mapping|).
  local own = bytes_of(lhs)
  own = vim.startswith(keys, own) and own or ''
  vim.api.nvim_feedkeys(keys:sub(#own + 1), 'im', true)
  vim.api.nvim_feedkeys(own, 'in', true)
  return ''
end

--- The keys that do an action.  What is inserted is one step of undo, and what is typed behind it another.
---@param action string
---@return string
local function typed(action)
  if vim.startswith(action, 'toggle') then
    return ('<Cmd>FimLsp %s<CR>'):format(action:gsub('_', ' '))
  end
  local undo = vim.startswith(action, 'accept') and '<C-g>u' or ''
  return ('%s<Cmd>lua require("fim_lsp").%s()<CR>%s'):format(undo, action, undo)
end

--- Define the <Plug> maps; each does nothing where there is nothing to do.
function M.plugs()
  for action, desc in pairs({
    accept = 'insert the suggestion',
    accept_word = 'insert its next word',
    accept_line = 'insert its line',
    next = 'show the next candidate, or ask for one',
    prev = 'show the previous candidate',
    dismiss = 'hide the suggestion',
    toggle = 'suggestions on or off',
    toggle_buffer = 'suggestions on or off in this buffer',
  }) do
    local modes = vim.startswith(action, 'toggle') and { 'n', 'i' } or 'i'
    vim.keymap.set(modes, plug(action), typed(action), { desc = DESC .. desc })
  end
end

--- Take the user's choice of keys: a table over the defaults, or false for none.
---@param keys? table<string, string|false>|false
function M.choose(keys)
  chosen = keys ~= false and vim.tbl_extend('force', DEFAULTS, keys or {})
end

--- Map the keys, once, over what they did before: that is what they do wherever there is nothing to accept.
function M.defaults()
  if mapped or not chosen or vim.g.fim_lsp_keys == false then
    return
  end
  mapped = true
  for action, lhs in pairs(chosen) do
    if lhs and vim.fn.hasmapto(plug(action), 'i') == 0 then
      local map = vim.fn.maparg(lhs, 'i', false, true)
      map = map.buffer == 1 and {} or map
      vim.keymap.set('i', lhs, function()
        return ours(action, map) and bytes_of(typed(action)) or before(lhs, map)
      end, { expr = true, replace_keycodes = false, desc = DESC .. action:gsub('_', ' ') })
    end
  end
end

---@class fim_lsp.Held
---@field action string
---@field lhs string
---@field holder? string what another has mapped the key to
---@field bufnr? integer the buffer in which it has

--- Who has the keys now: a map made later than ours, or for a buffer, goes before it.
---@param buffers integer[]
---@return fim_lsp.Held[]
function M.held(buffers)
  local held = {}
  for action, lhs in vim.spairs(mapped and chosen or {}) do
    if lhs and vim.fn.hasmapto(plug(action), 'i') == 0 then
      local function look(bufnr)
        local map = vim.fn.maparg(lhs, 'i', false, true)
        local own = vim.startswith(map.desc or '', DESC)
        if next(map) and (map.buffer == 1) == (bufnr ~= nil) and not (bufnr and own) then
          local holder = not own and (map.desc or map.rhs or 'a function') or nil
          held[#held + 1] = { action = action, lhs = lhs, holder = holder, bufnr = bufnr }
        end
      end
      look()
      for _, bufnr in ipairs(buffers) do
        vim.api.nvim_buf_call(bufnr, function()
          look(bufnr)
        end)
      end
    end
  end
  return held
end

return M
