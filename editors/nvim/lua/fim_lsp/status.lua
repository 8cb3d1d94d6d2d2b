--- What the server says of itself: its state for the statusline, its messages for the user.

local api = vim.api
local M = {}

-- The words of the statusline, by the state that the server reports.
local WORDS = { ready = 'fim', busy = 'fim..', paused = 'fim off', error = 'fim!' }

---@type table<integer, table<string, any>> by client
local last = {}

---@type { message: string, time: string }? what was last wrong, and when
local trouble

--- Redraw what shows the state.
function M.changed()
  vim.schedule(function()
    api.nvim_exec_autocmds('User', { pattern = 'FimLspStatus', modeline = false })
    vim.cmd.redrawstatus({ bang = true })
  end)
end

---@param client_id integer
---@param params table<string, any> of `fimLsp/status`
function M.update(client_id, params)
  last[client_id] = params
  if params.state == 'error' then
    trouble = { message = params.message, time = os.date('%H:%M:%S') --[[@as string]] }
  end
  M.changed()
end

---@param client_id integer
function M.forget(client_id)
  last[client_id] = nil
  M.changed()
end

--- The last that a server has said of itself.
---@param client_id integer
---@return table<string, any>?
function M.last(client_id)
  return last[client_id]
end

--- What was last wrong, in this session.
---@return { message: string, time: string }?
function M.trouble()
  return trouble
end

--- How a server is, in one of the words that every editor has for it.
---@param now table<string, any> of `fimLsp.status`
---@return string
function M.state(now)
  if now.state == 'error' then
    return now.cause ~= 'key' and 'problem' or now.apiKey == false and 'no key' or 'key refused'
  elseif now.state == 'paused' then
    return now.enabled == false and 'off' or now.overBudget and 'budget used' or 'paused'
  elseif now.state == 'busy' then
    return 'working'
  end
  for _, nap in ipairs(now.snoozed or {}) do
    if nap.scope == 'everything' then
      return ('snoozed %d min'):format(nap.minutes)
    end
  end
  return 'ready'
end

---@param client_id integer
---@param on boolean
---@return string
function M.word(client_id, on)
  local now = last[client_id] or {}
  local state = now.overBudget and 'error' or now.state or 'ready'
  return on and (WORDS[state] or 'fim') or WORDS.paused
end

--- Whether a function is Neovim's own, which is compiled in: 0.10 still says from where, 0.12 does not.
---@param what function
---@return boolean
function M.compiled_in(what)
  local source = debug.getinfo(what, 'S').source
  return source:find('^@vim/') ~= nil or source:find('^=?%?$') ~= nil
end

--- Tell the user one thing, in one line that never waits for a key.
---@param message string
---@param level? integer
function M.notify(message, level)
  message = message:gsub('%s*\n%s*', ' ')
  if M.compiled_in(vim.notify) and vim.fn.strdisplaywidth(message) > vim.v.echospace then
    -- Neovim would halt at "Press ENTER"; the whole is in `:FimLsp status` and in the log.
    local room = math.max(vim.v.echospace - 3, 1)
    message = vim.fn.strcharpart(message, 0, room)
    while vim.fn.strdisplaywidth(message) > room do
      message = vim.fn.strcharpart(message, 0, vim.fn.strchars(message) - 1)
    end
    message = message .. '...'
  end
  vim.notify(message, level or vim.log.levels.INFO)
end

return M
