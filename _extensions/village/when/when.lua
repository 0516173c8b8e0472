-- ::: {.when finding="NAME" tier="model"} keeps its content where the finding is there (and has that
-- tier), ::: {.when missing="NAME"} where it is not. The build of the report does the same before a
-- renderer sees the page; here it is done for a render in the clone.

local tiers

local function known()
  if not tiers then
    local path = pandoc.path.join({ quarto.project.directory or ".", "_values.json" })
    local file = io.open(path, "r")
    tiers = file and pandoc.json.decode(file:read("a"), false).tiers or {}
    if file then file:close() end
  end
  return tiers
end

return {
  {
    Div = function(el)
      if not el.classes:includes("when") then return nil end
      local missing, finding = el.attributes.missing, el.attributes.finding
      if missing then return known()[missing] and {} or el.content end
      local tier = known()[finding or ""]
      local asked = el.attributes.tier
      return tier and (not asked or asked == tier) and el.content or {}
    end,
  },
}
