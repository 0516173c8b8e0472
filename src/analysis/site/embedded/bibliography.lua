-- Citations and the bibliography of a page, after filter.lua has made its cross-references links.
-- A citation of an unknown source is reported on stderr as filter.lua reports its faults:
--   FAULT <tab> text to look for in the source <tab> problem <tab> remedy

local function html(text) return pandoc.RawBlock("html", text) end

-- True where the page cites and every source it cites is known.
local function citations_known(doc)
  local known, wanted = {}, {}
  doc:walk({ Cite = function(el)
    for _, cite in ipairs(el.citations) do wanted[cite.id] = true end
  end })
  if not next(wanted) and not doc.meta.nocite then return false end
  for _, reference in ipairs(pandoc.utils.references(doc)) do known[reference.id] = true end
  local complete = true
  for id, _ in pairs(wanted) do
    if not known[id] then
      complete = false
      io.stderr:write("FAULT\t@" .. id ..
        "\tcitation of an unknown source\tadd it to the bibliography\n")
    end
  end
  return complete
end

-- The bibliography goes to the end of the page, under its own heading or the one given.
local function bibliography(doc)
  local words = doc.meta["site-labels"] or {}
  local heading_text = words.references and pandoc.utils.stringify(words.references)
  doc = pandoc.utils.citeproc(doc)
  local title, refs = { pandoc.Str(heading_text or "References") }, nil
  local blocks = pandoc.Blocks({})
  for _, block in ipairs(doc.blocks) do
    if block.t == "Div" and block.identifier == "refs" then
      refs = block
      local before = blocks[#blocks]
      if before and before.t == "Header" then
        title = before.content
        blocks:remove(#blocks)
      end
    else
      blocks:insert(block)
    end
  end
  if refs then
    blocks:extend({
      html('<section id="quarto-bibliography" class="quarto-appendix" role="doc-bibliography">'),
      html('<h2 class="quarto-appendix-heading">'), pandoc.Plain(title), html("</h2>"),
      refs, html("</section>"),
    })
  end
  doc.blocks = blocks
  return doc
end

function Pandoc(doc)
  if citations_known(doc) then return bibliography(doc) end
end
