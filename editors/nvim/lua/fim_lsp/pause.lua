--- Asks a moment after a key, where one still types in the buffer then.

local api = vim.api
local M = {}

---@param timer uv.uv_timer_t begun anew by each key
---@param milliseconds integer
---@param bufnr integer
---@param ask fun()
function M.begin(timer, milliseconds, bufnr, ask)
  timer:start(
    milliseconds,
    0,
    vim.schedule_wrap(function()
      if api.nvim_get_current_buf() == bufnr and vim.startswith(api.nvim_get_mode().mode, 'i') then
        ask()
      end
    end)
  )
end

return M
