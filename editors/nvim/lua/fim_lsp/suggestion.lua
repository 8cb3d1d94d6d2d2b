--- The suggestion of a buffer: where it was asked for, what was answered, and what of that is left at the cursor.

local api = vim.api
local M = {}

---@class fim_lsp.Place
---@field row integer 0-based
---@field col integer bytes
---@field head string the line before the place
---@field tail string the line after it

---@class fim_lsp.Shown
---@field place fim_lsp.Place where its items belong
---@field items lsp.InlineCompletionItem[]
---@field client_id integer

---@type table<integer, fim_lsp.Shown>
local shown = {}

---@type table<integer, integer> the text ('changedtick') for which a suggestion was dismissed
local dismissed = {}

--- The cursor of the current window.
---@return fim_lsp.Place
function M.here()
  local row, col = unpack(api.nvim_win_get_cursor(0))
  local line = api.nvim_get_current_line()
  return { row = row - 1, col = col, head = line:sub(1, col), tail = line:sub(col + 1) }
end

--- What has been typed at a place since; nil if something else has happened.
---@param place fim_lsp.Place
---@return string?
local function typed_at(place)
  local now = M.here()
  if now.row == place.row and now.tail == place.tail and vim.startswith(now.head, place.head) then
    return now.head:sub(place.col + 1)
  end
end

--- The items that still begin with what has been typed, and go on.
---@param items lsp.InlineCompletionItem[]
---@param typed string
---@return lsp.InlineCompletionItem[]
local function agreeing(items, typed)
  return vim.tbl_filter(function(item)
    return #item.insertText > #typed and vim.startswith(item.insertText, typed)
  end, items)
end

---@param client vim.lsp.Client
local function empty_range(client)
  local position = vim.lsp.util.make_position_params(0, client.offset_encoding).position
  return { start = position, ['end'] = position }
end

--- Take an answer in, and give what of it is to be seen to `deliver`: nothing at all if the text has gone elsewhere.
---@param bufnr integer
---@param place fim_lsp.Place where it was asked for
---@param result? lsp.InlineCompletionItem[]|lsp.InlineCompletionList
---@param client_id integer
---@param deliver fun(items: lsp.InlineCompletionItem[])
function M.answered(bufnr, place, result, client_id, deliver)
  -- null: a newer request has overtaken this one, and what is shown stays.
  if type(result) ~= 'table' or api.nvim_get_current_buf() ~= bufnr then
    return
  end
  local typed = typed_at(place)
  if not typed or not vim.startswith(api.nvim_get_mode().mode, 'i') then
    return
  end
  local items = {}
  for _, item in ipairs(result.items or result) do
    -- Lines of a buffer end in '\n' here, whatever they end in on disk.
    item.insertText = item.insertText:gsub('\r\n?', '\n')
    items[#items + 1] = item
  end
  local left = agreeing(items, typed)
  if #left == 0 and (#items > 0 or typed ~= '') then
    return
  end
  if dismissed[bufnr] == api.nvim_buf_get_changedtick(bufnr) then
    left = {}
  end
  shown[bufnr] = #left > 0 and { place = place, items = left, client_id = client_id } or nil
  deliver(left)
end

--- After the cursor has moved: the items to show instead, or nil if those that are shown still agree.
---@param bufnr integer
---@return lsp.InlineCompletionItem[]?
function M.moved(bufnr)
  local now = shown[bufnr]
  if not now then
    return
  end
  local typed = typed_at(now.place)
  local left = typed and agreeing(now.items, typed) or {}
  if #left == #now.items then
    return
  end
  now.items = left
  shown[bufnr] = #left > 0 and now or nil
  return left
end

--- Whether there is something to accept at the cursor.
---@param bufnr? integer
---@return boolean
function M.visible(bufnr)
  local now = shown[bufnr or api.nvim_get_current_buf()]
  local typed = now and typed_at(now.place)
  return typed ~= nil and #agreeing(now.items, typed) > 0
end

--- How many candidates there are, and the client they come from.
---@param bufnr integer
---@return integer, integer?
function M.count(bufnr)
  local now = shown[bufnr]
  return now and #now.items or 0, now and now.client_id
end

--- What is left of a candidate's text after what has been typed of it.
---@param bufnr integer
---@param text string
---@return string?
function M.rest(bufnr, text)
  local now = shown[bufnr]
  local typed = now and typed_at(now.place)
  text = text:gsub('\r\n?', '\n')
  if typed and vim.startswith(text, typed) then
    return text:sub(#typed + 1)
  end
end

--- Insert the beginning of a text at the cursor; what is left of it is shown from there on.
---@param bufnr integer
---@param rest string
---@param part string what of it is inserted
---@return lsp.InlineCompletionItem[] items to show now
function M.insert(bufnr, rest, part)
  local row, col = unpack(api.nvim_win_get_cursor(0))
  local lines = vim.split(part, '\n', { plain = true })
  api.nvim_buf_set_text(bufnr, row - 1, col, row - 1, col, lines)
  api.nvim_win_set_cursor(0, { row + #lines - 1, (#lines == 1 and col or 0) + #lines[#lines] })
  local client = vim.lsp.get_client_by_id((shown[bufnr] or {}).client_id or -1)
  local left = rest:sub(#part + 1)
  if left == '' or not client then
    shown[bufnr] = nil
    return {}
  end
  local items = { { insertText = left, range = empty_range(client) } }
  shown[bufnr] = { place = M.here(), items = items, client_id = client.id }
  return items
end

--- Forget what is shown, and show nothing again until the text has changed.
---@param bufnr integer
function M.dismiss(bufnr)
  shown[bufnr] = nil
  dismissed[bufnr] = api.nvim_buf_get_changedtick(bufnr)
end

--- Forget what is shown.
---@param bufnr integer
function M.clear(bufnr)
  shown[bufnr] = nil
end

--- Let a dismissed suggestion be shown again.
---@param bufnr integer
function M.recall(bufnr)
  dismissed[bufnr] = nil
end

return M
