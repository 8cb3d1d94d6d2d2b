--- `:checkhealth fim_lsp`.

local M = {}

--- Who has the keys.
---@param clients vim.lsp.Client[]
local function keys(clients)
  local buffers = {}
  for _, client in ipairs(clients) do
    vim.list_extend(buffers, vim.tbl_keys(client.attached_buffers))
  end
  for _, key in ipairs(require('fim_lsp.keys').held(buffers)) do
    local name = key.bufnr and vim.fn.fnamemodify(vim.api.nvim_buf_get_name(key.bufnr), ':t')
    local where = name and ' in ' .. name or ''
    if key.holder then
      vim.health.warn(
        ('%s: %s%s has been mapped since to "%s", which has it'):format(key.action, key.lhs, where, key.holder),
        { ('map another: setup({ keys = { %s = "..." } }), or its <Plug> (:help fim_lsp-keys)'):format(key.action) }
      )
    else
      vim.health.ok(('%s: %s'):format(key.action, key.lhs))
    end
  end
end

function M.check()
  local health = vim.health
  health.start('fim_lsp')

  if vim.lsp.inline_completion then
    health.ok('Neovim draws the ghost text (vim.lsp.inline_completion)')
  elseif vim.fn.has('nvim-0.10') == 1 then
    health.ok('this plugin draws the ghost text: Neovim does from 0.12 on')
  else
    health.error('Neovim 0.10 or newer is needed')
    return
  end

  local config = vim.lsp.config and vim.lsp.config.fim_lsp or require('fim_lsp.server')
  local cmd = type(config.cmd) == 'table' and config.cmd or require('fim_lsp.life').cmd
  local program = cmd[1]
  if vim.fn.executable(program) == 1 then
    local run = vim.system({ program, '--version' }, { text = true }):wait(5000)
    local said = vim.trim((run.stdout or '') .. (run.stderr or ''))
    if run.code == 0 then
      health.ok(('%s: %s'):format(vim.fn.exepath(program), said))
    else
      health.error(('%s does not run: %s'):format(program, said))
    end
  else
    health.error(('`%s` is not on the PATH'):format(program), {
      'install it: `pipx install /path/to/fim-lsp` or `uv tool install /path/to/fim-lsp`, with the path of a clone',
      'or name it: require("fim_lsp").setup({ cmd = { "/path/to/fim-lsp" } })',
    })
  end

  local clients = vim.lsp.get_clients({ name = 'fim_lsp' })
  if #clients == 0 then
    health.warn('the server is not running', {
      "vim.lsp.enable('fim_lsp') or require('fim_lsp').setup() starts it when a file is opened",
    })
  end
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_count(client.attached_buffers)
    health.ok(
      ('running for %s in %s'):format(
        buffers == 1 and '1 buffer' or buffers .. ' buffers',
        client.root_dir or 'no project (no repository and no pyproject.toml, package.json or the like is around)'
      )
    )
    local now = require('fim_lsp.status').last(client.id)
    if now and now.state == 'error' then
      health.error(now.message, { '`fim-lsp doctor` in a terminal checks key, endpoint, model and balance' })
    elseif now then
      health.ok(('%s, %s'):format(require('fim_lsp.status').state(now), now.demo and 'demo' or now.model))
    end
  end

  local trouble = require('fim_lsp.status').trouble()
  if trouble then
    health.info(('last trouble, at %s: %s'):format(trouble.time, trouble.message))
  end
  health.info('`fim-lsp doctor` in a terminal checks the key, and says where it is from')

  keys(clients)

  if require('fim_lsp').enabled() then
    health.ok('suggestions are on')
  else
    health.warn('suggestions are off; `:FimLsp toggle` switches them on')
  end
end

return M
