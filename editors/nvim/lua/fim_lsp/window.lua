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
    M.only(unseen)
    vim.api.nvim_buf_set_extmark(bufnr, unseen, row, 0, {
      virt_text = { { text, 'FimLspGhost' } },
      virt_text_pos = 'eol',
      scoped = M.scoped,
    })
  end
end

--- Count nothing any more.
---@param bufnr integer
function M.clear(bufnr)
  vim.api.nvim_buf_clear_namespace(bufnr, unseen, 0, -1)
end

--- What a mark needs besides, so that it is shown in the windows of its namespace alone: in 0.10 a word.
---@type true?
M.scoped = vim.api.nvim__win_add_ns and true or nil

--- Show a namespace in this window alone: the buffer may be in others, too.
---@param namespace integer
function M.only(namespace)
  -- Neither is promised by Neovim yet.
  if vim.api.nvim__ns_set then
    pcall(vim.api.nvim__ns_set, namespace, { wins = { vim.api.nvim_get_current_win() } })
  elseif M.scoped then
    for _, window in ipairs(vim.api.nvim_list_wins()) do
      pcall(vim.api.nvim__win_del_ns, window, namespace)
    end
    pcall(vim.api.nvim__win_add_ns, 0, namespace)
  end
end

return M
