--- The suggestion of a buffer: where it was asked for, what was answered, and what of that is left at the cursor.

local api = vim.api
local M = {}

---@class fim_lsp.Place
---@field row integer 0-based
---@field col integer bytes
---@field head string the line before the place
---@field tail string the line after it

---@class fim_lsp.Item
---@field insertText string
---@field covers integer bytes right of the cursor that the text takes the place of
---@field range lsp.Range an empty one, where the text belongs

---@class fim_lsp.Shown
---@field place fim_lsp.Place where its items belong
---@field items fim_lsp.Item[]
---@field chosen? fim_lsp.Item the one of them that the user has gone to
---@field client_id integer

---@type table<integer, fim_lsp.Shown>
local shown = {}

---@type table<integer, integer> the text ('changedtick') for which a suggestion was dismissed
local dismissed = {}

---@type table<integer, string> the place and text for which an answer is there or under way
local asked = {}

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
---@param items fim_lsp.Item[]
---@param typed string
---@return fim_lsp.Item[]
local function agreeing(items, typed)
  return vim.tbl_filter(function(item)
    return #item.insertText > #typed and vim.startswith(item.insertText, typed)
  end, items)
end

--- Whether the cursor's place is to be asked about: once for a place and a text, unless the user asks.
---@param bufnr integer
---@param kind 1|2 1 for an explicit ask
---@return string? ask what names it
function M.asking(bufnr, kind)
  local ask = api.nvim_buf_get_changedtick(bufnr) .. ':' .. table.concat(api.nvim_win_get_cursor(0), ':')
  if kind == 2 and asked[bufnr] == ask then
    return
  end
  asked[bufnr] = ask
  return ask
end

--- An ask has had no answer: its place may be asked about again.
---@param bufnr integer
---@param ask string
function M.unanswered(bufnr, ask)
  if asked[bufnr] == ask then
    asked[bufnr] = nil
  end
end

---@param client vim.lsp.Client
local function empty_range(client)
  local position = vim.lsp.util.make_position_params(0, client.offset_encoding).position
  return { start = position, ['end'] = position }
end

--- An item of an answer as it is kept here.
---@param item lsp.InlineCompletionItem
---@param place fim_lsp.Place
---@param encoding string
---@return fim_lsp.Item
local function kept(item, place, encoding)
  -- Lines of a buffer end in '\n' here, whatever they end in on disk.
  local text = item.insertText:gsub('\r\n?', '\n')
  local from, to = item.range.start, item.range['end']
  local covers = to.character - from.character
  if covers > 0 and encoding ~= 'utf-8' then
    covers = vim.fn.has('nvim-0.11') == 1 and vim.str_byteindex(place.tail, encoding, covers, false)
      or vim.str_byteindex(place.tail, covers, encoding == 'utf-16')
  end
  return { insertText = text, covers = covers, range = { start = from, ['end'] = from } }
end

--- The item that goes on as what is seen does, if the user has chosen that: each key brings an answer of its own.
---@param now? fim_lsp.Shown what is seen
---@param items fim_lsp.Item[] the answer
---@param typed string since it was asked for
---@return fim_lsp.Item?
local function still_chosen(now, items, typed)
  local before = now and now.chosen and typed_at(now.place)
  for _, item in ipairs(before and items or {}) do
    if item.insertText:sub(#typed + 1) == now.chosen.insertText:sub(#before + 1) then
      return item
    end
  end
end

--- Take an answer in, and give what of it is to be seen to `deliver`: nothing at all if the text has gone elsewhere.
---@param bufnr integer
---@param place fim_lsp.Place where it was asked for
---@param result? lsp.InlineCompletionItem[]|lsp.InlineCompletionList
---@param client_id integer
---@param deliver fun(items: fim_lsp.Item[])
function M.answered(bufnr, place, result, client_id, deliver)
  -- null: a newer request has overtaken this one, and what is shown stays.
  if type(result) ~= 'table' or api.nvim_get_current_buf() ~= bufnr then
    return
  end
  local typed = typed_at(place)
  if not typed or not vim.startswith(api.nvim_get_mode().mode, 'i') then
    return
  end
  local client = vim.lsp.get_client_by_id(client_id)
  if not client then
    return
  end
  local items = {}
  for _, item in ipairs(result.items or result) do
    items[#items + 1] = kept(item, place, client.offset_encoding)
  end
  local left = agreeing(items, typed)
  if #left == 0 and (#items > 0 or typed ~= '') then
    return
  end
  if dismissed[bufnr] == api.nvim_buf_get_changedtick(bufnr) then
    left = {}
  end
  local chosen = still_chosen(shown[bufnr], left, typed)
  shown[bufnr] = #left > 0 and { place = place, items = left, chosen = chosen, client_id = client_id } or nil
  deliver(left)
end

--- After the cursor has moved: the items to show instead, or nil if those that are shown still agree.
---@param bufnr integer
---@return fim_lsp.Item[]?
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
  if #left == 0 then
    asked[bufnr] = nil -- who comes back to where it was, is to see it again
  end
  now.items = left
  now.chosen = vim.tbl_contains(left, now.chosen) and now.chosen or nil
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

--- The candidates that are shown.
---@param bufnr integer
---@return fim_lsp.Item[]
function M.items(bufnr)
  return shown[bufnr] and shown[bufnr].items or {}
end

--- The candidate that is seen: the best one, unless the user has gone to another.
---@param bufnr integer
---@return fim_lsp.Item?
function M.chosen(bufnr)
  local now = shown[bufnr]
  return now and (now.chosen or now.items[1])
end

--- Go to the candidate that is `step` further among some.
---@param bufnr integer
---@param items fim_lsp.Item[]
---@param step integer
---@return integer index of it
function M.choose(bufnr, items, step)
  local index = 1
  for at, item in ipairs(items) do
    index = item == M.chosen(bufnr) and at or index
  end
  index = (index - 1 + step) % #items + 1
  shown[bufnr].chosen = items[index]
  return index
end

--- What is left of a candidate's text after what has been typed of it.
---@param bufnr integer
---@param text string
---@return string?
function M.rest(bufnr, text)
  local now = shown[bufnr]
  local typed = now and typed_at(now.place)
  if typed and vim.startswith(text, typed) then
    return text:sub(#typed + 1)
  end
end

--- What follows an item's text on its line where it is painted over what stands there; nil if it has no room for that.
---@param rest string
---@param covers integer
---@return string?
function M.behind(rest, covers)
  local tail = M.here().tail
  local behind = tail:sub(covers + 1)
  local first = vim.split(rest .. behind, '\n', { plain = true })[1]
  if vim.fn.strdisplaywidth(first) >= vim.fn.strdisplaywidth(tail) then
    return behind
  end
end

--- Insert lines at the cursor, so that `.` and a count repeat them.
---@param bufnr integer
---@param lines string[]
---@param covers integer bytes behind the cursor that they take the place of
local function put(bufnr, lines, covers)
  local paste = vim.paste
  -- Of Neovim's own way to paste only the part is wanted that remembers what was pasted.
  vim.paste = function()
    local row, col = unpack(api.nvim_win_get_cursor(0))
    api.nvim_buf_set_text(bufnr, row - 1, col, row - 1, col + covers, lines)
    api.nvim_win_set_cursor(0, { row + #lines - 1, (#lines == 1 and col or 0) + #lines[#lines] })
    return true
  end
  local done, problem = pcall(api.nvim_paste, table.concat(lines, '\n'), false, -1)
  vim.paste = paste
  if not done then
    error(problem, 0)
  end
end

--- Insert the beginning of what is left of a candidate at the cursor; the remainder is shown from there on.
---@param bufnr integer
---@param item fim_lsp.Item
---@param piece fun(rest: string): string chooses what is inserted
---@return fim_lsp.Item[] items to show now
function M.insert(bufnr, item, piece)
  local rest = M.rest(bufnr, item.insertText) or ''
  local part = piece(rest)
  local left = rest:sub(#part + 1)
  -- What the text takes the place of goes with its last piece.
  put(bufnr, vim.split(part, '\n', { plain = true }), left == '' and item.covers or 0)
  local client = vim.lsp.get_client_by_id((shown[bufnr] or {}).client_id or -1)
  if left == '' or not client then
    shown[bufnr] = nil
    return {}
  end
  local items = { { insertText = left, covers = item.covers, range = empty_range(client) } }
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

--- Forget what is shown and what was asked for: whoever types has left, or another server answers.
---@param bufnr integer
function M.forget(bufnr)
  shown[bufnr], asked[bufnr] = nil, nil
end

--- Let a dismissed suggestion be shown again.
---@param bufnr integer
function M.recall(bufnr)
  dismissed[bufnr] = nil
end

return M
