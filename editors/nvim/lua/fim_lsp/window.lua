--- The window in which one types: it scrolls where ghost text would stand below its last row, where nothing is drawn.

local M = {}

--- Scroll so far that rows below the cursor's line are seen, as far as the line itself stays in view.
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

return M
