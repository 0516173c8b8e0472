-- A page on paper: what leads elsewhere in the site becomes its words, boxes their content.
function Link(link)
  if link.target:match("^https?:") then
    return link
  end
  return link.content
end

function Image()
  return {}
end

function Div(div)
  return div.content
end

function Span(span)
  return span.content
end
