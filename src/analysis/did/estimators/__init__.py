"""Effects on income, from cells and where they do not suffice from microdata.

Read in this order: `layout` (cells to arrays), `table` (the arrays), `contrast` (one comparison of
two periods), `group_time`, `aggregate`, `record`, `result`; `few_villages` (tests that hold with
few), `families` (many estimates), `relative` (per cent), `dose` (effect per unit of dose),
`together` (all programmes at once), `survey` (errors by sampling unit); then `projection`
(household effects taken out of cells), `imputation`, `two_way`, `bacon`.

Of microdata: `households` with `cross_sections` (other households in each period).
"""
