--- Starting the server, and starting it again.

local client_of = require('fim_lsp.client')
local status = require('fim_lsp.status')
local api = vim.api
local M = {}

local TRIES = 3 -- unexpected ends within SPAN ms after which it is left alone
local SPAN = 180000

---@type integer[] when it ended unexpectedly, in ms
local ends = {}
local leaving = false
local asked = false -- whether `restart` has ended it

local TERMINATED = 143 -- the exit code of a server that was told to end (SIGTERM), and has left all in order

-- Neovim 0.10 has no vim.lsp.config(): what it would hold.
local config = require('fim_lsp.server')
local enabled = false -- whether this plugin starts it there

--- The program and its arguments.
---@type string[]
M.cmd = { 'fim-lsp' }

local told = false

--- The configuration as it stands, of this plugin and of the user.
---@return table<string, any>
local function stands()
  return vim.lsp.config and vim.lsp.config.fim_lsp or config
end

--- Whether the user starts the server in a way of their own.
---@return boolean
local function own_way()
  local cmd = stands().cmd
  return type(cmd) == 'function' and cmd ~= require('fim_lsp.server').cmd
end

--- Take over the program that vim.lsp.config() names: what is run by us is started again, and its end halts nothing.
---@return boolean whether there was one to be taken over
function M.adopt()
  local cmd = stands().cmd
  if type(cmd) ~= 'table' then
    return false
  end
  M.cmd = cmd
  vim.lsp.config('fim_lsp', { cmd = require('fim_lsp.server').cmd })
  return true
end

--- Whether the program is there; if it is not, that is said once.
---@return boolean
function M.found()
  if own_way() or vim.fn.executable(M.cmd[1]) == 1 then
    return true
  end
  if not told then
    told = true
    status.notify(('%s is not on the PATH; see :checkhealth fim_lsp'):format(M.cmd[1]), vim.log.levels.WARN)
  end
  return false
end

--- The server has ended: if nobody wanted that, it comes back, unless it keeps ending.
---@param code integer
---@param signal integer
local function ended(code, signal)
  local wanted = code == TERMINATED or (code == 0 and (signal == 0 or signal == 15))
  if leaving or asked or wanted then
    return
  end
  local now = vim.uv.now()
  ends = vim.tbl_filter(function(time)
    return now - time < SPAN
  end, ends)
  ends[#ends + 1] = now
  local again = #ends <= TRIES
  vim.schedule(function()
    if again then
      status.notify('fim-lsp has ended unexpectedly and is started again', vim.log.levels.WARN)
      vim.defer_fn(M.start, 300)
    else
      status.notify('fim-lsp keeps ending: see :FimLsp log, then :FimLsp restart', vim.log.levels.ERROR)
    end
  end)
end

--- Run the server for a client.  Its end is told by us: Neovim's own sentence may not fit the screen, and halt it.
---@param dispatchers vim.lsp.rpc.Dispatchers
---@param own? vim.lsp.ClientConfig
---@return vim.lsp.rpc.PublicClient
function M.spawn(dispatchers, own)
  local on_exit = dispatchers.on_exit
  dispatchers.on_exit = function(code, signal)
    ended(code, signal)
    on_exit(0, 0)
  end
  own = own or {}
  return vim.lsp.rpc.start(M.cmd, dispatchers, { cwd = own.cmd_cwd, env = own.cmd_env })
end

--- Greet the server with the user's settings: those that it asks for later may be a folder's, and count for less.
--- They are taken from what the user's init.lua has said, not from the client's, into which others may have put a folder's.
---@param params lsp.InitializeParams
function M.greet(params)
  local said = stands()
  local settings = (said.settings or {}).fimLsp
  params.initializationOptions = vim.tbl_deep_extend('force', said.init_options or {}, { fimLsp = settings })
  -- Neovim itself says nothing of it.  What the server says comes in that language.
  params.locale = params.locale or vim.env.LC_ALL or vim.env.LC_MESSAGES or vim.env.LANG
end

--- Whether a buffer may go to a client that is there.  Neovim 0.10 itself would start a server for each file outside of projects.
---@param client vim.lsp.Client
---@param wanted vim.lsp.ClientConfig
---@return boolean
local function serves(client, wanted)
  local stopped = require('fim_lsp.client').stopped(client)
  return client.name == wanted.name and client.config.root_dir == wanted.root_dir and not stopped
end

--- Attach a buffer to the server of its folder, which is started where it is not running.
---@param bufnr integer
---@param root? string
function M.run(bufnr, root)
  local wanted = vim.tbl_extend('force', vim.deepcopy(stands()), { name = 'fim_lsp' })
  wanted.root_dir = root
  vim.schedule(function()
    if api.nvim_buf_is_loaded(bufnr) then
      local reuse = wanted.reuse_client or (not vim.lsp.config and serves or nil)
      vim.lsp.start(wanted, { bufnr = bufnr, reuse_client = reuse })
    end
  end)
end

--- Start the server for a buffer, if it is one for it.
---@param bufnr integer
local function start(bufnr)
  local wanted = stands()
  if wanted.filetypes and not vim.tbl_contains(wanted.filetypes, vim.bo[bufnr].filetype) then
    return
  end
  wanted.root_dir(bufnr, function(root)
    M.run(bufnr, root)
  end)
end

--- Start the server for a buffer where Neovim does not: it does where a type of file is set.
---@param bufnr integer
function M.opened(bufnr)
  local on = enabled
  if vim.lsp.is_enabled then
    on = vim.lsp.is_enabled('fim_lsp')
  end
  if on and type(stands().root_dir) == 'function' and api.nvim_buf_is_loaded(bufnr) then
    start(bufnr)
  end
end

--- Start it for every buffer that wants it.
function M.start()
  if vim.lsp.enable then
    vim.lsp.enable('fim_lsp')
    return
  end
  for _, bufnr in ipairs(api.nvim_list_bufs()) do
    if api.nvim_buf_is_loaded(bufnr) then
      start(bufnr)
    end
  end
end

--- Put the options of setup() in force, and start.
---@param options fim_lsp.Options
function M.configure(options)
  M.cmd = options.cmd or M.cmd
  local own = {}
  local settings = vim.deepcopy(options.settings or {})
  if options.filetypes then
    settings.languages = vim.tbl_extend('force', settings.languages or {}, options.filetypes)
  end
  if next(settings) then
    own.settings = { fimLsp = settings }
  end
  if vim.lsp.config then
    vim.lsp.config('fim_lsp', own)
  else
    config = vim.tbl_deep_extend('force', config, own)
    if not enabled then
      enabled = true
      api.nvim_create_autocmd('FileType', {
        group = api.nvim_create_augroup('fim_lsp.start', { clear = true }),
        callback = function(event)
          start(event.buf)
        end,
      })
    end
  end
  M.start()
end

--- End the server and start it again.
function M.restart()
  asked = true
  ends = {}
  for _, client in ipairs(vim.lsp.get_clients({ name = 'fim_lsp' })) do
    client_of.stop(client)
  end
  local timer = assert(vim.uv.new_timer())
  timer:start(
    50,
    50,
    vim.schedule_wrap(function()
      if #vim.lsp.get_clients({ name = 'fim_lsp' }) == 0 and not timer:is_closing() then
        timer:close()
        asked = false
        M.start()
      end
    end)
  )
end

api.nvim_create_autocmd('VimLeavePre', {
  group = api.nvim_create_augroup('fim_lsp.life', { clear = true }),
  callback = function()
    leaving = true
  end,
})

return M
