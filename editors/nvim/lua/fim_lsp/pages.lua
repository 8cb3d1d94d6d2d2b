--- What the server tells at length, as lines that a person reads: what completions cost, and what would be sent.

local M = {}

---@param count integer
---@return string
local function number(count)
  local digits = ('%d'):format(count or 0)
  return (digits:reverse():gsub('(%d%d%d)', '%1,'):reverse():gsub('^,', ''))
end

--- Dollars, to the hundredth of a cent; less than that where it is not yet one.
---@param usd number
---@return string
local function dollars(usd)
  return (usd == 0 or usd >= 0.0001) and ('$%.4f'):format(usd) or ('$%.8f'):format(usd)
end

---@param part number
---@param all number
---@return string
local function share(part, all)
  return all > 0 and ('%.0f %%'):format(100 * part / all) or '-'
end

--- Rows in columns, the first to the left, the others to the right.
---@param rows string[][]
---@return string[]
local function columns(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for at, cell in ipairs(row) do
      widths[at] = math.max(widths[at] or 0, vim.fn.strdisplaywidth(cell))
    end
  end
  return vim.tbl_map(function(row)
    local cells = {}
    for at, cell in ipairs(row) do
      local room = (' '):rep(widths[at] - vim.fn.strdisplaywidth(cell))
      cells[at] = at == 1 and cell .. room or room .. cell
    end
    return (table.concat(cells, '  '):gsub('%s+$', ''))
  end, rows)
end

---@param name string
---@param figures table<string, any>
---@return string[]
local function figures_of(name, figures)
  return {
    name,
    number(figures.requests),
    number(figures.localHits),
    number(figures.promptTokens),
    share(figures.cacheHitTokens, figures.promptTokens),
    number(figures.completionTokens),
    dollars(figures.usd),
    dollars(figures.savedUsd),
    share(figures.accepted, figures.shown),
  }
end

---@param first string the heading of the first column
---@param usage table<string, any> of `fimLsp.usage`
---@return string[]
local function costs(first, usage)
  local rows = { { first, 'requests', 'from memory', 'sent', 'cached', 'received', 'cost', 'saved', 'taken' } }
  for _, figures in ipairs(usage.groups) do
    rows[#rows + 1] = figures_of(figures.name ~= '' and figures.name or '(none)', figures)
  end
  rows[#rows + 1] = figures_of('total', usage.total)
  return columns(rows)
end

--- What completions have cost.
---@param today table<string, any> of `fimLsp.usage`, by model
---@param week table<string, any> of `fimLsp.usage`, by day
---@return string[]
function M.usage(today, week)
  local total = week.total
  local lines = {
    ('What completions cost: %s today, %s in the last seven days'):format(dollars(today.total.usd), dollars(total.usd)),
    '',
  }
  vim.list_extend(lines, costs('today', today))
  lines[#lines + 1] = ''
  vim.list_extend(lines, costs('day', week))
  lines[#lines + 1] = ''
  for _, one in ipairs({
    { total.estimated, '%s stopped before the service had counted: their tokens are estimated.' },
    { total.unpriced, '%s went to a model of unknown price and count as $0.' },
    { week.missing, '%s missing here: the server was killed before they were recorded.' },
  }) do
    local count, sentence = unpack(one)
    if count > 0 then
      lines[#lines + 1] = sentence:format(count == 1 and '1 request' or number(count) .. ' requests')
    end
  end
  vim.list_extend(lines, {
    'From memory: answers that this machine still had. Sent, received: tokens.',
    'Cached: of the tokens sent, those that the service had kept and billed at a',
    'fraction; saved is what that took off. Taken: of the suggestions shown.',
    '`fim-lsp usage` in a terminal has more.',
  })
  return lines
end

--- A text as a block of lines.
---@param lines string[] to which they are added
---@param name string
---@param text string
local function block(lines, name, text)
  vim.list_extend(lines, { '', name .. ':' })
  for _, line in ipairs(vim.split(text, '\r?\n')) do
    lines[#lines + 1] = '  | ' .. line
  end
end

--- What would be sent from a place.
---@param sent table<string, any> of `fimLsp.explain`
---@return string[]
function M.explain(sent)
  if sent.problem then
    return { sent.problem }
  end
  local lines = {
    sent.demo and 'To the demo, on this machine' or ('To %s, for the model %s'):format(sent.url, sent.model),
    ('At most %d tokens, temperature %s; %s'):format(
      sent.max_tokens,
      sent.temperature,
      sent.known and 'the answer is known here, nothing would be sent' or 'the answer is not known yet'
    ),
    '',
  }
  local rows = { { 'part', 'tokens', 'price', 'once kept', 'from' } }
  for _, part in ipairs(sent.parts or {}) do
    local price = function(usd)
      return type(usd) == 'number' and ('$%.8f'):format(usd) or '-'
    end
    local span = part.lines and (' %d-%d'):format(part.lines[1], part.lines[2]) or ''
    rows[#rows + 1] = {
      part.what,
      number(part.tokens),
      price(part.usdNew),
      price(part.usdKept),
      table.concat(part.files or {}, ', ') .. span,
    }
  end
  vim.list_extend(lines, columns(rows))
  block(lines, 'prompt', sent.prompt)
  block(lines, 'suffix', sent.suffix or '')
  return lines
end

return M
