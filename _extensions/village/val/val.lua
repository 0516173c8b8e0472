-- {{< val NAME >}} prints the number that a notebook kept under NAME, as a link to its record. The
-- texts are in _values.json, which the build writes beside _quarto.yml, by language and name.

local known

local function values()
  if not known then
    local path = pandoc.path.join({ quarto.project.directory or ".", "_values.json" })
    local file = io.open(path, "r")
    if not file then
      error(path .. " is missing: set the project up with make report, then render again")
    end
    known = pandoc.json.decode(file:read("a"), false)
    file:close()
  end
  return known
end

return {
  ["val"] = function(args, _, meta)
    local name = args[1] and pandoc.utils.stringify(args[1]) or ""
    local lang = meta.lang and pandoc.utils.stringify(meta.lang) or "en"
    local text = values()[lang:match("^zh") and "zh" or "en"][name]
    if not text then
      error('no number is kept under the name "' .. name .. '": see va.keep in the notebooks')
    end
    return pandoc.utils.blocks_to_inlines(pandoc.read(text, "markdown").blocks)
  end,
}
