--- `:FimLsp status|toggle|snooze|usage|resume|explain|clearCache|restart|log`.

local api = vim.api
local client_of = require('fim_lsp.client')
local pages = require('fim_lsp.pages')
local status = require('fim_lsp.status')
local M = {}

--- Ask the server to run one of its commands.
---@param name string
---@param arguments table[]
---@param done fun(result: any)
local function run(name, arguments, done)
  local client = client_of.of(0) or vim.lsp.get_clients({ name = 'fim_lsp' })[1]
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
  client_of.request(client, 'workspace/executeCommand', params, answered, 0)
end

--- Show lines in a window that `q` closes.
---@param title string
---@param lines string[]
---@param wide? boolean whether they hold a table, whose rows stay rows in a narrow window
local function window(title, lines, wide)
  vim.cmd('botright new')
  local bufnr = api.nvim_get_current_buf()
  api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].buftype = 'nofile'
  vim.bo[bufnr].bufhidden = 'wipe'
  vim.bo[bufnr].modifiable = false
  vim.bo[bufnr].swapfile = false
  api.nvim_buf_set_name(bufnr, ('fim-lsp://%s/%d'):format(title, bufnr))
  vim.wo[0][0].wrap = not wide
  vim.wo[0][0].linebreak = true
  local rows = api.nvim_win_text_height(0, {}).all
  api.nvim_win_set_height(0, math.min(rows, math.floor(vim.o.lines / 2)))
  vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = bufnr, nowait = true })
end

--- The place for which one asks: in normal mode the one behind the character that the cursor is on, as with `a`.
---@param client? vim.lsp.Client
---@return lsp.TextDocumentPositionParams
local function place(client)
  local at = api.nvim_win_get_cursor(0)
  local encoding = client and client.offset_encoding or 'utf-16'
  local params = vim.lsp.util.make_position_params(0, encoding)
  if api.nvim_get_mode().mode == 'n' then
    local under = vim.fn.strcharpart(api.nvim_get_current_line():sub(at[2] + 1), 0, 1)
    params.position.character = params.position.character + client_of.units(under, encoding)
  end
  return params
end

local SUB = {
  status = function()
    run('fimLsp.status', {}, function(now)
      local on = require('fim_lsp').enabled() and '' or ' (off here)'
      local said = now.message ~= '' and ' - ' .. now.message or ''
      local text = ('fim-lsp: %s%s, %s, %d %s, %d %s%s'):format(
        status.state(now),
        on,
        now.demo and 'demo' or now.model,
        now.requests,
        now.requests == 1 and 'request' or 'requests',
        now.localHits,
        now.localHits == 1 and 'answer from memory' or 'answers from memory',
        said
      )
      if vim.fn.strdisplaywidth(text) > vim.v.echospace and status.compiled_in(vim.notify) then
        window('status', vim.split(text, ' - ', { plain = true }))
      else
        status.notify(text)
      end
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
    run('fimLsp.usage', {}, function(today)
      if type(today) ~= 'table' or next(today) == nil then
        status.notify('fim-lsp: no record of usage is kept')
        return
      end
      run('fimLsp.usage', { { by = 'day', days = 7 } }, function(week)
        window('usage', pages.usage(today, week), true)
      end)
    end)
  end,
  resume = function()
    run('fimLsp.resume', {}, function()
      status.notify('fim-lsp: completions go on until tomorrow, whatever the budget')
    end)
  end,
  explain = function()
    local at = place(client_of.of(0))
    run('fimLsp.explain', { { uri = at.textDocument.uri, position = at.position } }, function(sent)
      window('explain', pages.explain(sent))
    end)
  end,
  clearCache = function()
    run('fimLsp.clearCache', {}, function()
      status.notify('fim-lsp: the answers that were kept are forgotten')
    end)
  end,
  restart = function()
    require('fim_lsp.life').restart()
  end,
  log = function()
    local path = vim.lsp.log.get_filename and vim.lsp.log.get_filename() or vim.lsp.get_log_path()
    vim.cmd.tabedit(vim.fn.fnameescape(path))
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
