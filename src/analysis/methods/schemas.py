"""The definition of committed tables that no other room defines: methods, validation, reports."""

from __future__ import annotations

import dataframely as dy

from analysis import contract


class Helpers(contract.Row):
    """A function or module that the search for estimators meets and that is none."""

    name = dy.String(
        primary_key=True,
        regex=r"^[a-z_]+(\.[A-Za-z_]+)*$",
        description="dotted name without the package; a module stands for all in it",
    )
    why = dy.String(min_length=10, description="why it needs no record of its own")


class Decisions(contract.Row):
    """A choice that the estimates of this report rest on."""

    id = dy.String(primary_key=True, regex=r"^[a-z][a-z0-9_]*$", description="name")
    choice = dy.String(min_length=5, description="what had to be decided")
    alternatives = dy.String(min_length=5, description="what else was possible")
    decision = dy.String(min_length=5, description="what is done")
    why = dy.String(min_length=10, description="the reason")
    measured = dy.String(min_length=3, description="where it was measured, or that it was not")
    since = dy.Date(description="day from which it holds")


class Runtimes(contract.Row):
    """How long one part of a build took, once, on one machine."""

    stage = dy.Enum(
        ["notebook", "execute", "stage", "render", "check"],
        primary_key=True,
        description="a notebook by itself, or a step of the build",
    )
    what = dy.String(primary_key=True, description="the notebook, or what the step does")
    seconds = dy.Float64(min=0, description="seconds by the clock")
    memory_mib = dy.Int64(
        nullable=True, min=1, description="most memory of one process so far, mebibytes"
    )
    date = dy.Date(description="when")
    machine = dy.String(description="where")


class Intervals(contract.Row):
    """What the Monte Carlo of intervals says of one design with one kind of error."""

    design = dy.String(primary_key=True, description="design of data/validation/intervals.toml")
    errors = dy.Enum(["normal", "lognormal", "common"], primary_key=True, description="shocks")
    weighted = dy.Bool(primary_key=True, description="whether households have weights")
    measure = dy.String(primary_key=True, description="what is measured")
    value = dy.Float64(nullable=True, description="share of draws, or a width or number")
    mc_error = dy.Float64(nullable=True, description="its Monte Carlo error")
    draws = dy.Int64(min=0, description="draws it is of")


class Lesson(contract.Row):
    """One way to say what a programme did, in a simulated panel."""

    growth = dy.Bool(primary_key=True, description="incomes grow for everybody")
    selection_level = dy.Bool(primary_key=True, description="the better off join first")
    dip = dy.Bool(primary_key=True, description="wages fall in the year before")
    method = dy.String(primary_key=True, description="how it is said")
    estimate = dy.Float64(description="yuan per household a year")
    ci_low = dy.Float64(nullable=True, description="low end of its interval")
    ci_high = dy.Float64(nullable=True, description="high end of its interval")
    truth = dy.Float64(description="the true effect")


class Findings(contract.Row):
    """One published number, figure or table."""

    id = dy.String(
        primary_key=True,
        regex=r"^([a-z][A-Za-z0-9_-]*|[A-Za-z0-9_-]+\.[0-9]+)$",
        description="permanent name, or page and place",
    )
    kind = dy.Enum(["number", "word", "figure", "table"], description="what was published")
    page = dy.String(description="notebook that shows it")
    tier = dy.String(description="kind of evidence")
    what = dy.String(description="what it is")
    value = dy.Float64(nullable=True, description="the number, in its unit")
    low = dy.Float64(nullable=True, description="low end of its interval")
    high = dy.Float64(nullable=True, description="high end of its interval")
    unit = dy.String(nullable=True, description="its unit")
    text = dy.String(nullable=True, description="as printed")
    rows_in = dy.Int64(nullable=True, min=0, description="rows of the source")
    rows_used = dy.Int64(nullable=True, min=0, description="rows used")
    n_villages_treated = dy.Int64(nullable=True, min=0, description="villages treated")
    n_villages_control = dy.Int64(nullable=True, min=0, description="villages of controls")
    method = dy.String(description="how it was made, in words")
    function = dy.String(description="function that made it")
    inputs = dy.String(nullable=True, description="inputs with their digests")
    digest = dy.String(nullable=True, description="digest of what is shown")
    tolerance = dy.Float64(min=0, description="relative difference that is none")


class Programmes(contract.Row):
    """A programme of the model panel under one difficulty; yuan a year."""

    variant = dy.String(primary_key=True, description="the difficulty")
    programme = dy.String(primary_key=True, description="the programme")
    truth = dy.Float64(nullable=True, description="true effect, all years")
    truth_last = dy.Float64(nullable=True, description="true effect, last year")
    before_after = dy.Float64(nullable=True, description="before and after")
    with_without = dy.Float64(nullable=True, description="with and without")
    design = dy.Float64(nullable=True, description="the programme's own design")
    design_low = dy.Float64(nullable=True, description="low end of its interval")
    design_high = dy.Float64(nullable=True, description="high end of its interval")
    together = dy.Float64(nullable=True, description="all programmes at once")
    together_low = dy.Float64(nullable=True, description="low end of its interval")
    together_high = dy.Float64(nullable=True, description="high end of its interval")


class MonteCarlo(contract.Row):
    """One measure of the Monte Carlo."""

    design = dy.String(primary_key=True, description="the design")
    estimator = dy.String(primary_key=True, description="the estimator")
    rule = dy.String(primary_key=True, description="rule of the interval, or any")
    measure = dy.String(primary_key=True, description="what was measured")
    value = dy.Float64(nullable=True, description="share, or yuan a year")
    mc_error = dy.Float64(
        nullable=True,
        description="simulation standard error; NaN where there is none",
    )
    draws = dy.Int64(min=1, description="draws")
    estimates = dy.Int64(min=1, description="estimates that it is a mean of")


class FirstDraws(contract.Row):
    """One estimate of one of the first draws; yuan a year."""

    design = dy.String(description="the design")
    draw = dy.Int64(min=0, description="number of the draw")
    estimator = dy.String(description="the estimator, or truth")
    aggregation = dy.String(description="overall or by event time")
    at = dy.Int64(nullable=True, description="event time")
    estimate = dy.Float64(nullable=True, description="the estimate")
    std_error = dy.Float64(nullable=True, description="CV3")
    degrees = dy.Float64(nullable=True, description="degrees of freedom by arm")
    degrees_villages = dy.Float64(nullable=True, description="villages less one")
    parity_error = dy.Float64(nullable=True, description="CR0")
    band = dy.Float64(nullable=True, description="critical value of the joint band")
    band_villages = dy.Float64(nullable=True, description="the same, villages less one")
    band_parity = dy.Float64(nullable=True, description="the same, CR0 and normal")


class PublishedFound(contract.Row):
    """A printed estimate beside ours."""

    case = dy.String(primary_key=True, description="name")
    dataset = dy.String(description="where the data are")
    source = dy.String(description="who printed it, and where")
    estimator = dy.String(description="how it was estimated")
    provenance = dy.String(description="how well the printed number is known")
    published = dy.Float64(description="printed estimate")
    published_se = dy.Float64(nullable=True, description="printed standard error")
    published_n = dy.Int64(description="printed rows")
    printed = dy.String(description="estimate as printed")
    printed_se = dy.String(nullable=True, description="standard error as printed")
    ours = dy.Float64(nullable=True, description="our estimate")
    our_se = dy.Float64(nullable=True, description="our standard error")
    n = dy.Int64(nullable=True, description="rows we used")
    difference = dy.Float64(nullable=True, description="ours less printed")
    se_difference = dy.Float64(nullable=True, description="ours less printed, standard error")
    within = dy.Bool(nullable=True, description="whether every printed digit comes out")
    why_not = dy.String(nullable=True, description="why a digit does not, or why there is none")


class ParityEffects(contract.Row):
    """An estimate of an independent package on the small panel; yuan a year."""

    design = dy.Int64(description="number of the design")
    package = dy.String(description="package and version")
    estimator = dy.String(description="the estimator")
    level = dy.Enum(["village", "household"], description="what belongs to a cohort")
    handling = dy.Enum(["balanced", "pairs", "cross_sections"], description="households not seen")
    controls = dy.String(description="whom the treated are compared with")
    base = dy.String(nullable=True, description="base period")
    anticipation = dy.Int64(description="periods of anticipation")
    weighted = dy.Bool(description="whether weights are used")
    strata = dy.Bool(description="whether strata are used")
    aggregation = dy.String(description="what is added up")
    at = dy.Int64(nullable=True, description="event time, cohort or period")
    cohort = dy.Int64(nullable=True, description="first treated period")
    period = dy.Int64(nullable=True, description="the period")
    estimate = dy.Float64(nullable=True, description="the estimate")
    std_error = dy.Float64(nullable=True, description="its standard error, or a weight")


class ParityDoublyRobust(contract.Row):
    """A doubly robust estimate of an independent package; yuan a year."""

    package = dy.String(description="package and version")
    design = dy.Int64(description="number of the design")
    handling = dy.String(nullable=True, description="households not seen")
    controls = dy.String(nullable=True, description="whom the treated are compared with")
    base = dy.String(nullable=True, description="base period")
    anticipation = dy.Int64(nullable=True, description="periods of anticipation")
    weighted = dy.Bool(nullable=True, description="whether weights are used")
    estimator = dy.String(description="the estimator")
    cohort = dy.Int64(nullable=True, description="first treated period")
    period = dy.Int64(nullable=True, description="the period")
    estimate = dy.Float64(description="the estimate")
    std_error = dy.Float64(nullable=True, description="its standard error")


class RiceFarms(contract.Row):
    """What support or new seed goes with on rice farms, under one comparison."""

    outcome = dy.String(primary_key=True, description="the outcome")
    regressor = dy.String(primary_key=True, description="support, or new seed")
    compared = dy.String(primary_key=True, description="inside which groups")
    estimate = dy.Float64(nullable=True, description="per cent, or kg of rice per hectare")
    ci_low = dy.Float64(nullable=True, description="low end of the 95 per cent interval")
    ci_high = dy.Float64(nullable=True, description="high end of the 95 per cent interval")
    n_rows = dy.Int64(min=1, description="farm-seasons")
    n_farms = dy.Int64(min=1, description="farms")
    n_changed = dy.Int64(min=0, description="farms whose regressor changes")
    n_left = dy.Int64(min=0, description="farms that had it first and not last")


class RiceSeasons(contract.Row):
    """One season of the rice farms."""

    season = dy.Int64(primary_key=True, min=1, description="number in order")
    kind = dy.Enum(["wet", "dry"], description="wet or dry")
    bimas = dy.Float64(min=0, max=100, description="per cent of farms with support")
    new_seed = dy.Float64(min=0, max=100, description="per cent of farms with new seed")
    output = dy.Float64(nullable=True, description="per cent over the first season of its kind")


class Exhibits(contract.Row):
    """A figure or table of the report."""

    label = dy.String(
        primary_key=True, regex=r"^(fig|tbl)-\S+$", description="permanent name in its notebook"
    )
    notebook = dy.String(primary_key=True, description="file that makes it")
    cell = dy.Int64(min=1, description="number of its cell in the file, the first is 1")
    stored = dy.Bool(description="stored with the notebook, as the data are fetched")
    caption = dy.String(nullable=True, description="what it shows; empty where that is computed")


class DataSources(contract.Row):
    """A public data set that is not in this folder."""

    id = dy.String(primary_key=True, description="name; its card is data/public/<id>.toml")
    title = dy.String(description="what it is")
    place = dy.String(description="where the data were collected")
    period = dy.String(description="when")
    row_is = dy.String(description="what one row is")
    rows = dy.Int64(min=1, description="rows of the file")
    origin = dy.String(description="the package that brings it, or fetched by make data")
    licence = dy.String(description="terms of use")


class DataCitations(contract.Row):
    """Whom to cite for a public data set."""

    source = dy.String(primary_key=True, description="data set, a row of data_sources.csv")
    citation = dy.String(description="the citation")


class Files(contract.Row):
    """A committed CSV file."""

    file = dy.String(primary_key=True, description="its path in the project")
    row_is = dy.String(description="what one row is")


class Numerals(contract.Row):
    """A number that may be typed in the text of a page, as no code gives it."""

    page = dy.String(primary_key=True, description="page or notebook that types it")
    text = dy.String(primary_key=True, description="the numeral and the words after it")
    why = dy.String(min_length=10, description="why it is typed")


class RecordFields(contract.Row):
    """A column of the spreadsheet in which an official records households."""

    sheet = dy.Enum(["households", "applicants"], primary_key=True, description="sheet it is on")
    en = dy.String(primary_key=True, regex=r"^[a-z_]+$", description="heading in English")
    zh = dy.String(description="heading in Chinese")
    needed = dy.Enum(["yes", "no"], description="whether an import needs it")
    about_en = dy.String(min_length=5, description="what to write, in English")
    about_zh = dy.String(min_length=2, description="the same in Chinese")


class Signed(contract.Row):
    """A published file, as it was when it was signed off."""

    file = dy.String(primary_key=True, description="its path in the project")
    result = dy.String(regex=r"^[0-9a-f]{64}$", description="sha256 of its content")
    code = dy.String(
        nullable=True,
        regex=r"^[0-9a-f]{64}$",
        description="sha256 of what the code that made it does; empty where a build makes it",
    )
    inputs = dy.String(
        nullable=True, regex=r"^[0-9a-f]{64}$", description="sha256 of what it was made from"
    )
