--- The window in which one types: ghost text is seen there alone, and all of it.

local M = {}

--- Scroll so far that rows below the cursor's line are seen, as far as the line itself stays in view: nothing is drawn
--- below a window's last row.
---@param rows integer
function M.make_room(rows)
  local above = vim.fn.winline()
  local below = vim.fn.winheight(0) - above
  local most = above - 1 - math.min(vim.wo.scrolloff, math.floor(vim.fn.winheight(0) / 2))
  local missing = math.min(rows - below, most)
  if missing > 0 then
    local view = vim.fn.winsaveview()
    vim.fn.winrestview({ topline = view.topline + missing })
  end
end

--- Show a namespace in this window alone: the buffer may be in others, too.  (0.10 shows it in all of them.)
---@param namespace integer
function M.only(namespace)
  if vim.api.nvim__ns_set then -- not yet promised by Neovim
    pcall(vim.api.nvim__ns_set, namespace, { wins = { vim.api.nvim_get_current_win() } })
  end
end

return M
