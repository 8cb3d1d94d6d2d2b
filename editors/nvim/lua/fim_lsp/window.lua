--- The window in which one types: ghost text is seen there alone, and all of it.

local M = {}

local unseen = vim.api.nvim_create_namespace('fim_lsp.unseen')

--- Scroll so far that rows below the cursor's line are seen, as far as the line itself stays in view: nothing is drawn
--- below a window's last row.  What is still not seen is counted at the end of the line.
---@param bufnr integer
---@param rows integer
function M.make_room(bufnr, rows)
  local above = vim.fn.winline()
  local below = vim.fn.winheight(0) - above
  local most = above - 1 - math.min(vim.wo.scrolloff, math.floor(vim.fn.winheight(0) / 2))
  local missing = rows - below
  local scrolled = math.max(math.min(missing, most), 0)
  if scrolled > 0 then
    local view = vim.fn.winsaveview()
    vim.fn.winrestview({ topline = view.topline + scrolled })
  end
  M.clear(bufnr)
  if missing > scrolled then
    local text = (' (+%d)'):format(missing - scrolled)
    local row = vim.api.nvim_win_get_cursor(0)[1] - 1
    vim.api.nvim_buf_set_extmark(bufnr, unseen, row, 0, { virt_text = { { text, 'FimLspGhost' } }, virt_text_pos = 'eol' })
  end
end

--- Count nothing any more.
---@param bufnr integer
function M.clear(bufnr)
  vim.api.nvim_buf_clear_namespace(bufnr, unseen, 0, -1)
end

--- Show a namespace in this window alone: the buffer may be in others, too.  (0.10 shows it in all of them.)
---@param namespace integer
function M.only(namespace)
  if vim.api.nvim__ns_set then -- not yet promised by Neovim
    pcall(vim.api.nvim__ns_set, namespace, { wins = { vim.api.nvim_get_current_win() } })
  end
end

return M
