-- What Quarto adds to pandoc's Markdown, for HTML: numbered floats, equations and sections with
-- references to them, callouts, tabsets, folded code, alternative text. Written to Quarto's
-- documented behaviour. What is not supported is reported on stderr, one line each:
--   FAULT <tab> text to look for in the source <tab> problem <tab> remedy
-- and the Python side adds file and line.

local NBSP = "\u{a0}"
local PREFIX = { fig = "Figure", tbl = "Table", eq = "Equation", sec = "Section" }
local KNOWN_ELSEWHERE = { lst = true, thm = true, lem = true, cor = true, prp = true, cnj = true,
  def = true, exm = true, exr = true, sol = true, rem = true, alg = true,
  nte = true, tip = true, wrn = true, imp = true, cau = true }
local CALLOUTS = { note = "Note", tip = "Tip", warning = "Warning", important = "Important",
  caution = "Caution" }
local UNSUPPORTED_CLASS = { ["panel-input"] = true, ["panel-sidebar"] = true,
  ["panel-fill"] = true, ["panel-center"] = true, ["content-visible"] = true,
  ["content-hidden"] = true, ["quarto-layout-panel"] = true, lightbox = true, grid = true,
  landscape = true, ["list-table"] = true, ["code-with-filename"] = true }

local entries = {}  -- label -> number as text
local counts = { fig = 0, tbl = 0, eq = 0 }
local sections, top_level, tabsets = {}, nil, 0

local function fault(needle, problem, remedy)
  local text = (needle .. "\t" .. problem .. "\t" .. remedy):gsub("\n", " ")
  io.stderr:write("FAULT\t" .. text .. "\n")
end

local function html(text) return pandoc.RawBlock("html", text) end

local function between(open, content, close)
  return pandoc.Blocks({ html(open) }) .. pandoc.Blocks(content) .. pandoc.Blocks({ html(close) })
end

local function markdown(text)
  return pandoc.utils.blocks_to_inlines(pandoc.read(text, "markdown").blocks)
end

local function escape(text)
  return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"):gsub('"', "&quot;"))
end

local function kind_of(label) return label:match("^(%a+)%-") end

local function register(label, number)
  if entries[label] then
    fault(label, "label given twice on this page", "give each figure, table or section its own")
  end
  entries[label] = number
end

local function next_number(kind, label)
  counts[kind] = counts[kind] + 1
  register(label, tostring(counts[kind]))
  return counts[kind]
end

-- ---------------------------------------------------------------- what is refused

local function refuse(el)
  for _, class in ipairs(el.classes) do
    local callout = class:match("^callout%-(.+)$")
    if UNSUPPORTED_CLASS[class] or class:match("^column%-page") or class:match("^column%-screen")
        or class:match("^column%-body") or class:match("^g%-col") or class:match("^theorem") then
      fault(class, "class ." .. class .. " is not supported by the embedded renderer",
        "use plain blocks, .column-margin or .panel-tabset")
    elseif callout and not CALLOUTS[callout] and el.t == "Div" then
      fault(class, "unknown callout type", "use note, tip, warning, important or caution")
    end
  end
  for name, _ in pairs(el.attributes) do
    if name:match("^layout") or name == "group" or name == "lightbox" or name == "fig-subcap" then
      fault(name, "attribute " .. name .. " is not supported by the embedded renderer",
        "put one figure after the other")
    end
  end
  local kind = el.identifier and kind_of(el.identifier)
  if kind and KNOWN_ELSEWHERE[kind] then
    fault(el.identifier, "cross-references of this kind are not supported",
      "use fig-, tbl-, eq- or sec-")
  end
end

-- ---------------------------------------------------------------- floats

local IN_IMAGE_LINE = { Image = true, Space = true, SoftBreak = true, Link = true }

local function is_image_only(block)
  if block.t ~= "Para" and block.t ~= "Plain" then return false end
  for _, inline in ipairs(block.content) do
    if not IN_IMAGE_LINE[inline.t] then return false end
  end
  return true
end

local function float(attr, kind, number, caption, content)
  local id = attr.identifier
  local prefix = number and { pandoc.Str(PREFIX[kind] .. NBSP .. number) } or {}
  if number and #caption > 0 then
    prefix[1] = pandoc.Str(prefix[1].text .. ":")
    table.insert(prefix, pandoc.Space())
  end
  local title = pandoc.Inlines(prefix) .. caption
  local figcaption = pandoc.Blocks({})
  if #title > 0 then
    local described = id ~= "" and ' id="' .. id .. '-caption"' or ""
    figcaption = between("<figcaption" .. described .. ' class="float-caption">',
      { pandoc.Plain(title) }, "</figcaption>")
  end
  local blocks = kind == "tbl" and figcaption .. pandoc.Blocks(content) or pandoc.Blocks(content) .. figcaption
  blocks = between('<figure class="float float-' .. kind .. '">', blocks, "</figure>")
  local classes = attr.classes:filter(function(c) return c ~= "from-cell" end)
  classes:insert("float-box")
  return pandoc.Div(blocks, pandoc.Attr(id, classes))
end

-- A visible caption is no alternative text: pandoc copies it there, so it is taken off again.
local function without_caption_alt(blocks)
  return pandoc.Blocks(blocks):walk({ Image = function(el)
    if not el.attributes["fig-alt"] and not el.attributes["alt"] then el.caption = {} end
    return el
  end })
end

-- Where the one image of a figure has a caption of its own, that is the figure's caption.
local function figure_parts(blocks)
  local caption = nil
  local content = pandoc.Blocks(blocks):walk({
    Figure = function(el)
      local own = pandoc.utils.blocks_to_inlines(el.caption.long)
      if #own > 0 and not caption then caption = own end
      if el.identifier ~= "" and kind_of(el.identifier) == "fig" then
        fault(el.identifier, "figure inside a figure (subfigures are not supported)",
          "give each figure its own block")
      end
      return without_caption_alt(el.content)
    end,
  })
  return content, caption
end

local function div_float(el, kind)
  local caption = pandoc.Inlines({})
  local content = el.content
  local last = content[#content]
  if #content > 1 and last.t == "Para" and not is_image_only(last) then
    caption = last.content
    content:remove(#content)
  end
  local own = nil
  if kind == "fig" then
    content, own = figure_parts(content)
  else
    content = content:walk({ Table = function(tbl)
      local inner = pandoc.utils.blocks_to_inlines(tbl.caption.long)
      if #inner > 0 then own = inner; tbl.caption = { long = {} } end
      return tbl
    end })
  end
  local attribute = el.attributes[kind .. "-cap"]
  if #caption == 0 and own then caption = own end
  if #caption == 0 and attribute then
    caption = markdown(attribute)
  end
  local number = el.identifier ~= "" and next_number(kind, el.identifier) or nil
  return float(el.attr, kind, number, caption, content)
end

-- ---------------------------------------------------------------- callouts, tabsets, code

local function callout(el, name)
  local attributes, content, title = el.attributes, el.content, nil
  if attributes.title then
    title = markdown(attributes.title)
  elseif content[1] and content[1].t == "Header" then
    title = content[1].content
    content:remove(1)
  end
  local appearance = attributes.appearance or "default"
  if not title and appearance == "default" then title = { pandoc.Str(CALLOUTS[name]) } end
  local icon = attributes.icon ~= "false" and appearance ~= "minimal"
  local style = appearance == "minimal" and "simple" or appearance
  local classes = "callout callout-" .. name .. " callout-style-" .. style ..
    (icon and "" or " no-icon")
  local id = el.identifier ~= "" and ' id="' .. el.identifier .. '"' or ""
  local fold = attributes.collapse
  local outer, head = "div", "div"
  if fold and title then outer, head = "details", "summary" end
  local open = fold == "false" and " open" or ""
  local blocks = between('<div class="callout-body">', content, "</div>")
  if title then
    blocks = between("<" .. head .. ' class="callout-title">', { pandoc.Plain(title) },
      "</" .. head .. ">") .. blocks
  end
  blocks = between("<" .. outer .. id .. ' class="' .. classes .. '"' .. open .. ">", blocks,
    "</" .. outer .. ">")
  return pandoc.Div(blocks, pandoc.Attr("", { "callout-box" }))
end

local function tabset(el)
  tabsets = tabsets + 1
  local level
  for _, block in ipairs(el.content) do
    if block.t == "Header" then level = block.level; break end
  end
  if not level then
    fault("panel-tabset", "tabset without headings", "begin each tab with a heading")
    return el
  end
  local tabs = {}
  for _, block in ipairs(el.content) do
    if block.t == "Header" and block.level == level then
      table.insert(tabs, { title = block.content, content = pandoc.Blocks({}) })
    elseif #tabs > 0 then
      tabs[#tabs].content:insert(block)
    end
  end
  local base = "tabset-" .. tabsets
  local blocks = pandoc.Blocks({ html('<div class="tab-list" role="tablist">') })
  for i, tab in ipairs(tabs) do
    local id = base .. "-" .. i
    blocks:extend({
      html('<button type="button" role="tab" id="' .. id .. '-tab" aria-controls="' .. id ..
        '" aria-selected="' .. tostring(i == 1) .. '"' ..
        (i > 1 and ' tabindex="-1"' or "") .. ">"),
      pandoc.Plain(tab.title), html("</button>") })
  end
  blocks:insert(html("</div>"))
  for i, tab in ipairs(tabs) do
    local id = base .. "-" .. i
    blocks:extend(between('<div role="tabpanel" id="' .. id .. '" class="tab-panel' ..
      (i == 1 and " active" or "") .. '" aria-labelledby="' .. id .. '-tab" data-title="' ..
      escape(pandoc.utils.stringify(tab.title)) .. '">', tab.content, "</div>"))
  end
  return pandoc.Div(blocks, pandoc.Attr(el.identifier, { "panel-tabset" }))
end

-- Kinds of text that are no language. Pandoc would look for each in all of its languages, whose
-- descriptions take it half a second to read; what it makes of them in the end is this.
local PLAIN = { ["output-text"] = true, text = true, csv = true }

local function code_block(el)
  for _, name in ipairs({ "filename", "lst-label", "lst-cap", "code-line-numbers" }) do
    if el.attributes[name] then
      fault(name, "code option " .. name .. " is not supported", "name the file in the text")
    end
  end
  if el.attr == pandoc.Attr("", { el.classes[1] }) and PLAIN[el.classes[1]] then
    local text = escape(el.text):gsub("'", "&#39;")
    return html('<pre class="' .. el.classes[1] .. '"><code>' .. text .. "</code></pre>")
  end
  if not el.classes:includes("cell-code") then return nil end
  local fold, summary = el.attributes["code-fold"], el.attributes["code-summary"] or "Code"
  el.attributes["code-fold"], el.attributes["code-summary"] = nil, nil
  if fold ~= "true" and fold ~= "show" then return el end
  local open = fold == "show" and " open" or ""
  return pandoc.Div(between('<details class="code-fold"' .. open .. "><summary>" ..
    escape(summary) .. "</summary>", { el }, "</details>"), pandoc.Attr("", { "code-box" }))
end

-- ---------------------------------------------------------------- equations and sections

local function equations(el)
  local out, i, changed = pandoc.Inlines({}), 1, false
  while i <= #el.content do
    local item = el.content[i]
    if item.t == "Math" and item.mathtype == "DisplayMath" then
      local j = i + 1
      while el.content[j] and (el.content[j].t == "Space" or el.content[j].t == "SoftBreak") do
        j = j + 1
      end
      local label = el.content[j] and el.content[j].t == "Str"
        and el.content[j].text:match("^{#(eq%-[^ }]+)}$")
      if label then
        item.text = item.text .. " \\qquad(" .. next_number("eq", label) .. ")"
        item = pandoc.Span({ item }, pandoc.Attr(label))
        i, changed = j, true
      end
    end
    out:insert(item)
    i = i + 1
  end
  if changed then el.content = out; return el end
end

local function header(el)
  if el.level == 1 then
    fault(pandoc.utils.stringify(el.content), "level-1 heading below the page's title",
      "begin sections with ##")
  end
  if kind_of(el.identifier) == "sec" or not el.classes:includes("unnumbered") then
    top_level = top_level or el.level
    local depth = math.max(el.level - top_level + 1, 1)
    sections[depth] = (sections[depth] or 0) + 1
    for i = depth + 1, #sections do sections[i] = nil end
    for i = 1, depth do sections[i] = sections[i] or 0 end
    if kind_of(el.identifier) == "sec" then register(el.identifier, table.concat(sections, ".")) end
  end
end

-- ---------------------------------------------------------------- the passes

local number_floats = {
  traverse = "topdown",
  Div = function(el)
    refuse(el)
    local kind = kind_of(el.identifier)
    if kind == "fig" or kind == "tbl" then return div_float(el, kind) end
    if el.classes:includes("plain-figure") then return div_float(el, "fig") end
    for _, class in ipairs(el.classes) do
      local name = class:match("^callout%-(.+)$")
      if name and CALLOUTS[name] then return callout(el, name) end
    end
    if el.classes:includes("panel-tabset") then return tabset(el) end
  end,
  Figure = function(el)
    local kind = kind_of(el.identifier) or ""
    local number = kind == "fig" and next_number("fig", el.identifier) or nil
    return float(el.attr, "fig", number, pandoc.utils.blocks_to_inlines(el.caption.long),
      without_caption_alt(el.content))
  end,
  Table = function(el)
    local caption = pandoc.utils.blocks_to_inlines(el.caption.long)
    local id = el.identifier
    local box = function() return pandoc.Div({ el }, pandoc.Attr("", { "table-scroll" })) end
    el.attributes["tbl-colwidths"] = nil
    if kind_of(id) ~= "tbl" and #caption == 0 then return box(), false end
    local number = kind_of(id) == "tbl" and next_number("tbl", id) or nil
    el.caption, el.identifier = { long = {} }, ""
    return float(pandoc.Attr(id), "tbl", number, caption, { box() }), false
  end,
  Para = equations,
  Plain = equations,
  Header = header,
  CodeBlock = code_block,
}

-- Pandoc drops TeX from a web page: what looks like it would be lost.
local function no_tex(el)
  if el.format == "tex" or el.format == "latex" then
    fault(el.text:match("[^\n]*"), "a backslash before letters is read as TeX, and lost",
      "put it into backticks, or write two backslashes")
  end
end

local finish = {
  Span = refuse,
  RawInline = no_tex,
  RawBlock = no_tex,
  Image = function(el)
    refuse(el)
    local alt = el.attributes["fig-alt"] or el.attributes["alt"]
    if not alt then alt = pandoc.utils.stringify(el.caption) end
    for _, name in ipairs({ "fig-alt", "alt", "fig-align", "fig-pos", "fig-env" }) do
      el.attributes[name] = nil
    end
    if not alt:match("%S") then
      fault(el.src, "image without alt text", 'add {fig-alt="what it shows"}')
    end
    el.caption = { pandoc.Str(alt) }
    el.title = ""
    return el
  end,
  Cite = function(el)
    local out, refs, others = pandoc.Inlines({}), 0, 0
    for i, cite in ipairs(el.citations) do
      local kind = kind_of(cite.id)
      local lower = kind and kind:lower()
      if kind and PREFIX[lower] and kind ~= lower then
        fault("@" .. cite.id, "capital letter in a cross-reference", "write @" .. lower .. "-…")
        refs = refs + 1
      elseif kind and PREFIX[kind] then
        refs = refs + 1
        local number = entries[cite.id]
        if not number then
          fault("@" .. cite.id, "reference to something that is not on this page",
            "mend the label, or link to the other page")
          number = "?"
        end
        if #cite.suffix > 0 then
          fault("@" .. cite.id, "text after a cross-reference inside its brackets",
            "close the bracket right after the label")
        end
        local text = pandoc.Inlines({})
        if #cite.prefix > 0 then
          text:extend(cite.prefix)
          text:insert(pandoc.Str(NBSP))
        elseif cite.mode ~= "SuppressAuthor" then
          text:insert(pandoc.Str(PREFIX[kind] .. NBSP))
        end
        text:insert(pandoc.Str(number))
        if i > 1 then out:extend({ pandoc.Str(","), pandoc.Space() }) end
        out:insert(pandoc.Link(text, "#" .. cite.id, "", pandoc.Attr("", { "quarto-xref" })))
      elseif kind and KNOWN_ELSEWHERE[kind] then
        fault("@" .. cite.id, "cross-references of this kind are not supported",
          "use fig-, tbl-, eq- or sec-")
        refs = refs + 1
      else
        others = others + 1
      end
    end
    if refs > 0 and others > 0 then
      fault("@" .. el.citations[1].id, "cross-reference and citation in one group",
        "separate them by a word")
    end
    if refs > 0 then return out end
  end,
}

local function use_labels(words)
  for key, value in pairs(words or {}) do
    local text = pandoc.utils.stringify(value)
    if PREFIX[key] then PREFIX[key] = text end
    if CALLOUTS[key] then CALLOUTS[key] = text end
  end
end

function Pandoc(doc)
  use_labels(doc.meta["site-labels"])
  doc.blocks = doc.blocks:walk(number_floats)
  doc = doc:walk(finish)
  return doc
end
