--- `:FimLsp status|toggle|snooze|usage|resume|explain|restart|log`.

local api = vim.api
local status = require('fim_lsp.status')
local M = {}

--- Ask the server to run one of its commands.
---@param name string
---@param arguments table[]
---@param done fun(result: any)
local function run(name, arguments, done)
  local client = vim.lsp.get_clients({ name = 'fim_lsp', bufnr = 0 })[1]
    or vim.lsp.get_clients({ name = 'fim_lsp' })[1]
  if not client then
    status.notify('fim-lsp is not running; see :checkhealth fim_lsp', vim.log.levels.WARN)
    return
  end
  local params = { command = name, arguments = arguments }
  local function answered(err, result)
    if err then
      status.notify('fim-lsp: ' .. err.message, vim.log.levels.ERROR)
    else
      done(result)
    end
  end
  if vim.fn.has('nvim-0.11') == 1 then
    client:request('workspace/executeCommand', params, answered, 0)
  else
    client.request('workspace/executeCommand', params, answered, 0)
  end
end

--- Show lines in a window that `q` closes.
---@param title string
---@param lines string[]
local function window(title, lines)
  vim.cmd('botright new')
  local bufnr = api.nvim_get_current_buf()
  api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].buftype = 'nofile'
  vim.bo[bufnr].bufhidden = 'wipe'
  vim.bo[bufnr].modifiable = false
  vim.bo[bufnr].swapfile = false
  api.nvim_buf_set_name(bufnr, ('fim-lsp://%s/%d'):format(title, bufnr))
  api.nvim_win_set_height(0, math.min(#lines, math.floor(vim.o.lines / 2)))
  vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = bufnr, nowait = true })
end

--- A JSON object as lines `name: value`, nested ones indented, long texts as blocks.
---@param object table<string, any>
---@param indent? string
---@return string[]
local function listed(object, indent)
  indent = indent or ''
  local names, lines = vim.tbl_keys(object), {}
  table.sort(names, function(a, b)
    return tostring(a) < tostring(b)
  end)
  for _, name in ipairs(names) do
    local value = object[name]
    if type(value) == 'table' and next(value) ~= nil then
      lines[#lines + 1] = ('%s%s:'):format(indent, name)
      vim.list_extend(lines, listed(value, indent .. '  '))
    elseif type(value) == 'string' and value:find('\n') then
      lines[#lines + 1] = ('%s%s:'):format(indent, name)
      for _, line in ipairs(vim.split(value, '\r?\n')) do
        lines[#lines + 1] = indent .. '  | ' .. line
      end
    else
      local text = type(value) == 'table' and '[]' or value == vim.NIL and 'null' or tostring(value)
      lines[#lines + 1] = ('%s%s: %s'):format(indent, name, text)
    end
  end
  return lines
end

local SUB = {
  status = function()
    run('fimLsp.status', {}, function(now)
      local on = require('fim_lsp').enabled() and '' or ' (off here)'
      local said = now.message ~= '' and ' - ' .. now.message or ''
      local text = ('fim-lsp: %s%s, %s, %d requests, %d answered locally%s'):format(
        now.state,
        on,
        now.model,
        now.requests,
        now.localHits,
        said
      )
      api.nvim_echo({ { text } }, true, {})
    end)
  end,
  toggle = function(where)
    local on = require('fim_lsp').toggle(where == 'buffer' and 'buffer' or nil)
    local here = where == 'buffer' and ' in this buffer' or ''
    status.notify(('fim-lsp: suggestions are %s%s'):format(on and 'on' or 'off', here))
  end,
  snooze = function(minutes, where)
    local asked = { minutes = tonumber(minutes) or 5 }
    if where == 'buffer' then
      asked.uri = vim.uri_from_bufnr(0)
    elseif where == 'filetype' then
      asked.language = vim.bo.filetype
    end
    run('fimLsp.snooze', { asked }, function(now)
      local none = #(now.snoozed or {}) == 0
      status.notify('fim-lsp: ' .. (none and 'suggestions come by themselves again' or now.message))
    end)
  end,
  usage = function()
    run('fimLsp.usage', {}, function(usage)
      if type(usage) ~= 'table' or next(usage) == nil then
        status.notify('fim-lsp: no record of usage is kept')
      else
        window('usage', listed(usage))
      end
    end)
  end,
  resume = function()
    run('fimLsp.resume', {}, function()
      status.notify('fim-lsp: completions go on until tomorrow, whatever the budget')
    end)
  end,
  explain = function()
    local client = vim.lsp.get_clients({ name = 'fim_lsp', bufnr = 0 })[1]
    local at = vim.lsp.util.make_position_params(0, client and client.offset_encoding or 'utf-16')
    run('fimLsp.explain', { { uri = at.textDocument.uri, position = at.position } }, function(sent)
      window('explain', listed(sent))
    end)
  end,
  restart = function()
    require('fim_lsp.life').restart()
  end,
  log = function()
    vim.cmd.tabedit(vim.fn.fnameescape(vim.lsp.get_log_path()))
  end,
}

function M.create()
  api.nvim_create_user_command('FimLsp', function(call)
    local name = call.fargs[1] or 'status'
    if SUB[name] then
      SUB[name](unpack(call.fargs, 2))
    else
      status.notify(':FimLsp ' .. table.concat(vim.fn.sort(vim.tbl_keys(SUB)), '|'), vim.log.levels.ERROR)
    end
  end, {
    nargs = '*',
    desc = 'The language server fim-lsp: what it does, and whether it does it',
    complete = function(lead, line)
      local words = vim.fn.sort(vim.tbl_keys(SUB))
      if line:match('^%s*%S+%s+toggle%s') then
        words = { 'buffer' }
      elseif line:match('^%s*%S+%s+snooze%s') then
        words = line:match('snooze%s+%S+%s') and { 'buffer', 'filetype' } or { '5', '15', '60', '0' }
      end
      return vim.tbl_filter(function(word)
        return vim.startswith(word, lead)
      end, words)
    end,
  })
end

return M
